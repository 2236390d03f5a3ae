"""What people own in launch forms: the forms that they saved last, and saved inputs."""

from collections.abc import Iterable, Iterator

from django.db.models import Max
from django.utils.translation import gettext_lazy as _, pgettext_lazy

from workflows_ui.launch_forms.models import LaunchForm, SavedInputs
from workflows_ui.launch_forms.services import launch_forms, saved_inputs
from workflows_ui.launches.models import Launch
from workflows_ui.members.models import Role
from workflows_ui.offboarding.belongings import Found, Item, Owned


def _forms(found: Found[LaunchForm]) -> Iterator[Item]:
    for row in found.rows.order_by("flow_name", "pk"):
        space, published = found.space(row), pgettext_lazy("launch form", "published")
        state = published if row.published_id else pgettext_lazy("launch form", "not published")
        builds = space.access.allows(Role.BUILDER)
        yield found.item(
            row,
            row.flow_name or row.flow_id,
            to=space.people(Role.BUILDER) if builds else (),
            ends=builds and bool(row.draft),
            at=row.updated_at,
            facts=(state, _("has a draft") if row.draft else ""),
            url=found.reach.page_url(space, "form_builder", row.flow_id) if builds else "",
        )


FORM = Owned(
    name="form",
    model=LaunchForm,
    owner="updated_by",
    icon="file-pen",
    title=_("Launch forms last saved"),
    otherwise=_(
        "It stays as it is and still names who saved it. A draft waits until a builder publishes or discards it."
    ),
    end_label=_("Discard the draft"),
    moment=_("Saved"),
    items=_forms,
    give=launch_forms.hand_over,
    end=launch_forms.discard_left_draft,
)


def _inputs(found: Found[SavedInputs]) -> Iterator[Item]:
    rows = list(found.rows.order_by("name", "pk"))
    names = _flow_names(rows)
    for row in rows:
        to = found.space(row).people(Role.LAUNCHER)
        flow = names.get((row.workspace_id, row.flow_id), row.flow_id)
        facts = (flow, _("shared with colleagues") if row.shared else _("private"))
        yield found.item(row, row.name, to=to, ends=True, at=row.updated_at, facts=facts)


def _flow_names(rows: Iterable[SavedInputs]) -> dict[tuple[int, str], str]:
    """The names of the flows of saved inputs that local rows contain."""
    names: dict[tuple[int, str], str] = {}
    keys = {(row.workspace_id, row.flow_id) for row in rows}
    spaces, flows = {space for space, _flow in keys}, {flow for _space, flow in keys}
    launched = Launch.objects.filter(workspace__in=spaces, flow_id__in=flows).order_by()
    for space, flow, name in launched.values_list("workspace", "flow_id").annotate(name=Max("flow_name")):
        names[space, flow] = name
    forms = LaunchForm.objects.filter(workspace__in=spaces, flow_id__in=flows)
    names |= {(space, flow): name for space, flow, name in forms.values_list("workspace", "flow_id", "flow_name")}
    return {key: name for key, name in names.items() if name and key in keys}


INPUTS = Owned(
    name="inputs",
    model=SavedInputs,
    owner="owner",
    icon="bookmark",
    title=_("Saved inputs"),
    otherwise=_("Private ones can no longer be used by anyone. Shared ones still can."),
    end_label=_("Delete them"),
    moment=_("Saved"),
    items=_inputs,
    give=saved_inputs.hand_over,
    end=saved_inputs.delete,
)
