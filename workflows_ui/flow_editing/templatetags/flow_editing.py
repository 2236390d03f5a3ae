"""Template tags of the pages of steps: the head of a chosen step above its form, and the tabs of the flow."""

from django import template

from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.flow_editing import page
from workflows_ui.flow_editing.forms import EditForm
from workflows_ui.resource_admin import tabs
from workflows_ui.resource_admin.places import flow_url
from workflows_ui.resource_admin.resource import Row, Subject, id_at
from workflows_ui.resources.flows.declaration import Flows

register = template.Library()


@register.inclusion_tag("flow_editing/step_head.html", takes_context=True)
def step_head(context: template.Context, form: EditForm) -> dict[str, object]:
    """Show the head of the step that a form is about, if the flow still has it."""
    return {
        "head": page.step_head(form.session.workspace.slug, form.row, form.current),
        "tab_url": form.tab_url,
        # An error is what a person looks at first.
        "focused": form.is_main and not form.is_bound,
        "frame": context.get("frame"),
    }


@register.inclusion_tag("flow_editing/flow_tabs.html", takes_context=True)
def flow_tabs(context: template.Context, session: EngineSession, flow: Row) -> dict[str, object]:
    """Show the tabs of the flow whose steps a page is about."""
    subject = Subject(flow, id_at(flow), context["request"].access, session)
    path = flow_url(session.workspace.slug, subject.id)
    return {"tabs": tabs.tab_links(path, tabs.tabs_of(Flows(), subject), "steps")}
