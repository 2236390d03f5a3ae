"""The panels of a flow's page that need more than its facts."""

import logging
from collections.abc import Mapping, Sequence
from functools import partial

from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _

from workflows_ui.alarms import marks, messages as alarm_messages
from workflows_ui.alarms.models import AlarmKind
from workflows_ui.core import clock, days as plot_days
from workflows_ui.core.crypto import CannotOpen
from workflows_ui.core.paths import dict_at
from workflows_ui.core.prepared import Prepared
from workflows_ui.core.states import Badge
from workflows_ui.core.text import Message, Text
from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.engine import EngineError, flow_tree
from workflows_ui.engine_objects.flows import ENABLED, Flow, Step
from workflows_ui.engine_objects.runs import Run
from workflows_ui.failure_rules.panels import of_flow as on_failure
from workflows_ui.flow_editing import actions as editing, page as steps_page, services as flow_edits, validity
from workflows_ui.flow_editing.testing.actions import DRAFT_TEST
from workflows_ui.flow_editing.trigger_testing import actions as trigger_tests
from workflows_ui.flows import drawing, notes, outline, reading, secret_inputs, story as flow_story
from workflows_ui.launch_forms import form_fit
from workflows_ui.launch_forms.models import LaunchForm
from workflows_ui.launch_forms.services import launch_forms
from workflows_ui.launches import flow_facts
from workflows_ui.launches.services import launches as launch_rows, watching
from workflows_ui.members.models import Role
from workflows_ui.notifications import page as follow_page
from workflows_ui.notifications.models import Favourite, WatchKind
from workflows_ui.pieces import missing_apps
from workflows_ui.resource_admin import whole_lists
from workflows_ui.resource_admin.places import (
    choose_app_url,
    flow_url,
    list_url,
    object_url,
    piece_url,
    run_url,
    subpage_url,
)
from workflows_ui.resource_admin.resource import Row, Subject, id_at
from workflows_ui.resources.flows import actions as resource_actions, results
from workflows_ui.run_index.services import indexes, statistics as run_statistics, uses as index_uses
from workflows_ui.run_index.services.object_rows import uses_of_flow
from workflows_ui.runs import reading as run_reading, starters
from workflows_ui.web import messages

__all__ = ["on_failure"]
_LATEST, _MOST_USES = 5, 50
#: Steps of a flow whose outline for builders has no settings.
_LONG = 100
#: Actions of the page's head that are operations on the flow, too.
_WHOLE_FLOW = ("rename", "move", "tag", "import-here", "turn-on", "turn-off")
_log = logging.getLogger(__name__)
_UNPROTECTED = Message(
    _("Waiting calls are not protected by this trigger's password"),
    _(
        "The trigger asks for a password or a header. Engines of version 0.83 check it only for calls that do not wait for an answer: a "
        "waiting call runs the flow without it."
    ),
    _("Do not rely on it. Keep the flow's address secret, or check the header in the flow's first step."),
)


def launch_url(slug: str, flow: Row) -> str:
    """The page that launches a flow; "" if it cannot be launched."""
    launched = Flow(flow).status == ENABLED and flow_facts.start_of(reading.trigger_of(flow)) in flow_facts.LAUNCHED
    return subpage_url("flow_launch", slug, flow) if launched else ""


def form_url(slug: str, flow: Row) -> str:
    """The builder of a flow's form; "" if a URL cannot hold the id, and if the flow is being deleted."""
    return "" if Flow(flow).deleting else subpage_url("form_builder", slug, flow)


def warnings(subject: Subject) -> dict[str, object] | None:
    """Problems that the engine accepts: the newest version will not run, or is not protected as it seems. None without any."""
    flow = subject.object
    if Flow(flow).deleting:
        return None
    missing = missing_apps.of_trees(subject.session, reading.trigger_of(flow))
    found = [missing_apps.no_run_words(missing)] if missing else []
    facts = flow_facts.read(dict(flow), dict_at(flow, "version"))
    if facts.guarded and facts.start == "call":
        found.append(_UNPROTECTED)
    return {"warnings": found} if found else None


def alarms(subject: Subject) -> dict[str, object] | None:
    """The open alarms about the flow, where the person may see the run index."""
    index = indexes.for_session(subject.session)
    found = marks.of_flows(index, [subject.id]).get(subject.id) if index else None
    return {"alarms": [(row, alarm_messages.sentence(row.kind, row.facts)) for row in found]} if found else None


def alarm_marks(session: EngineSession, flow_ids: Sequence[str]) -> dict[str, tuple[Badge, str]]:
    """A badge for each of these flows that has an open alarm, the latest one, and the address of the alarm."""
    index = indexes.for_session(session)
    if index is None or not flow_ids:
        return {}
    slug = session.workspace.slug
    return {
        flow_id: (
            Badge(AlarmKind(alarms[0].kind).label, "bell-ring", "red"),
            reverse("alarm", args=[slug, alarms[0].pk]),
        )
        for flow_id, alarms in marks.of_flows(index, flow_ids).items()
    }


def not_launchable(subject: Subject) -> dict[str, object] | None:
    """Why there is no launch button. For a flow that is being deleted the badge is enough."""
    flow = subject.object
    if Flow(flow).deleting or not subject.access.allows(Role.LAUNCHER) or launch_url(subject.slug, flow):
        return None
    reason: Text = _("It starts automatically, not by a request: it cannot be launched from here.")
    if not Flow(flow).is_published:
        reason = _("It was never published. Publish it, then it can be launched.")
    elif Flow(flow).status != ENABLED:
        reason = _("It is off. Turn it on, then it can be launched.")
    return {"reason": reason}


_starred = Prepared(
    lambda user, workspace, flow: Favourite.objects.filter(user=user, workspace=workspace, flow_id=flow).values_list(
        "pk"
    ),
    int,
    int,
    str,
)


def own_marks(subject: Subject) -> dict[str, object] | None:
    """The person's own marks: favourite, notices of failures."""
    user, workspace, key = subject.access.user, subject.workspace, subject.id
    if "/" in key or Flow(subject.object).deleting:
        return None
    return {
        "name": reading.name_of(subject.object),
        "url": object_url(subject.slug, "flows", key),
        "may_star": bool(launch_url(subject.slug, subject.object)) and subject.access.allows(Role.LAUNCHER),
        "starred": bool(_starred(user.pk, workspace.pk, key)),
        "watched": watching.is_watching(user, workspace, WatchKind.FLOW, key),
        "muted": follow_page.flow_mute(user, workspace, key),
    }


def story(subject: Subject) -> dict[str, object]:
    """What the flow does, and how its runs ended."""
    trigger = reading.trigger_of(subject.object)
    return {
        "story": flow_story.build_story(trigger, flow_story.load_names(subject.session, trigger)),
        "record": results.load_record(subject.access, subject.id, subject.session),
    }


def form(subject: Subject) -> dict[str, object] | None:
    """The state of the launch form, for builders: whether there is one, and who published it when."""
    url = form_url(subject.slug, subject.object)
    if not subject.access.allows(Role.BUILDER) or not url:
        return None
    row = launch_forms.find_form(subject.workspace, subject.id)
    return {"row": row, "drafted": bool(row and row.draft), "url": url, "fits": _mismatches(subject, row)}


def _mismatches(subject: Subject, row: LaunchForm | None) -> list[str]:
    """What of the published form no longer fits the flow. The page's own flow is masked, so the flow is read again."""
    if row is None or row.published is None:
        return []
    try:
        published = row.published.open_form()
        return form_fit.lines(subject.session, subject.session.workflows.get_flow(subject.id), published)
    except (EngineError, CannotOpen) as problem:
        _log.info("a flow's page without a look at its form: %r", problem)
        return []


def steps(subject: Subject) -> dict[str, object]:
    """The diagram, whether it is live, the outline and the notes; for builders with the ways to edit it."""
    trigger, session, slug = reading.trigger_of(subject.object), subject.session, subject.slug
    uses = Flow(subject.object).version.connection_ids
    names = outline.names_of(trigger, reading.connection_names(session) if uses else {}, slug)
    is_shown = "/" not in subject.id and not Flow(subject.object).deleting
    edits = is_shown and subject.access.allows(Role.BUILDER)
    # The settings of a step are next to the diagram, too.
    brief = is_shown and sum(1 for _node in flow_tree.walk(trigger)) > _LONG
    known = {} if brief else outline.labels(session, trigger)
    shown = trigger if brief else secret_inputs.masked(session, trigger)
    items = outline.items(shown, names, known, **({"most": 0} if brief else {}))
    page_url = flow_url(slug, subject.id) if is_shown else ""
    context: dict[str, object] = {
        "rows": list(outline.rows(items, step_url=f"{page_url}steps/" if is_shown else "", edits=edits)),
        "brief": brief,
        "notes": notes.panel(session, subject.object),
        "standing": steps_page.standing(subject.object) if is_shown else None,
        "drawing": drawing.editor_panel(session, subject.object, edits=edits) if is_shown else None,
        "edits": edits,
    }
    if not edits:
        return context
    report = validity.check_steps(session, trigger)
    return (
        context
        | _edits(subject)
        | {
            "missing": validity.lines(report, slug, subject.id),
            "note_actions": [(action, editing.url_of(action, slug, subject.id)) for action in editing.NOTES],
        }
    )


def _edits(subject: Subject) -> dict[str, object]:
    """What can be done to the draft as a whole: the `buttons` that one most likely looks for, and the `menu` of everything else."""
    slug, flow = subject.slug, subject.object
    links, page_url = partial(editing.links, flow, slug, subject.id), f"{flow_url(slug, subject.id)}?tab=steps"
    trigger = reading.trigger_of(flow)
    buttons: list[editing.Link] = []
    if editing.ADD.visible(flow):
        buttons.append((editing.ADD.label, editing.ADD, choose_app_url(slug, subject.id)))
        if Step(trigger).type == "EMPTY":
            url = choose_app_url(slug, subject.id, step=flow_tree.step_name(trigger))
            buttons.insert(0, (_("Choose the trigger"), editing.SETTINGS, url))
    buttons += links((DRAFT_TEST,))
    if flow_edits.latest(subject.workspace, subject.id) is not None:
        buttons += links((editing.UNDO,))
    edits = links((*(action for action in editing.FLOW if action is not editing.UNDO), trigger_tests.TEST))
    named = {action.name: action for action in resource_actions.ACTIONS}
    whole = links((named[name] for name in _WHOLE_FLOW), next=page_url)
    buttons += links((named["publish"],), next=page_url)
    return {"buttons": buttons, "menu": [*edits, *whole]}


def uses(subject: Subject) -> dict[str, object] | None:
    """What the flow needs to work, each with its page: `apps`, `connections`, `tables`, called `flows`; left out if it uses none."""
    slug, session = subject.slug, subject.session
    # Of a flow from the index what that knows.
    found = index_uses.uses_of(session, subject.id) if subject.kept else uses_of_flow(subject.object)
    pieces, connections, tables, called = (
        list(dict.fromkeys(use.key for use in found if use.kind == kind))[:_MOST_USES]
        for kind in ("pieces", "connections", "tables", "flows")
    )
    if subject.kept:
        known_connections, known_tables = (index_uses.names(session, kind) for kind in ("connections", "tables"))
    else:
        known_connections = reading.connection_names(session) if connections else {}
        known_tables = reading.table_names(session) if tables else {}
    known_flows = index_uses.names(session, "flows") if called else {}
    marks = zip(pieces, reading.app_marks(reading.known_apps(session), pieces), strict=True)
    context: dict[str, object] = {
        "apps": [{"text": mark.text, "url": piece_url(slug, name), "mark": mark} for name, mark in marks],
        "connections": [_use(slug, "connections", key, known_connections) for key in connections],
        "tables": [_use(slug, "tables", key, known_tables) for key in tables],
        "flows": [_use(slug, "flows", key, known_flows) for key in called],
    }
    return context if any(context.values()) else None


def _use(slug: str, resource: str, used: str, known: Mapping[str, tuple[str, str]]) -> dict[str, object]:
    """A connection or table; `missing` if the workspace does not list it, and lists all that it has."""
    key, name = known.get(used, ("", used))
    missing = 0 < len(known) < whole_lists.AT_ONCE and used not in known
    return {"text": name, "url": object_url(slug, resource, key), "missing": missing}


def launches(subject: Subject) -> dict[str, object] | None:
    """The latest launches that the person may open."""
    rows = list(launch_rows.visible_launches(subject.access).filter(flow_id=subject.id)[:_LATEST])
    return {"launches": rows} if rows else None


def run_plots(subject: Subject) -> dict[str, object] | None:
    """Where the plots of the flow's runs are loaded from; left out without a run index, and if the index has no run of the flow."""
    index = indexes.for_session(subject.session)
    ran = index is not None and run_statistics.listed(index).filter(flow_id=subject.id).exists()
    return {"query": urlencode({"flow": subject.id})} if ran else None


def plots(subject: Subject) -> dict[str, object] | None:
    """Where the plots of the flow's launches are loaded from; left out if nobody launched it lately, as far as the person may see, and if
    its runs are plotted.
    """
    if indexes.for_session(subject.session) is not None:
        return None
    days = plot_days.days_until(timezone.localdate())
    rows = launch_rows.visible_launches(subject.access).filter(
        flow_id=subject.id, asked_at__gte=clock.midnight(days[0])
    )
    return {"query": urlencode({"flow": subject.id})} if rows.exists() else None


def latest_runs(subject: Subject, number: int = _LATEST) -> dict[str, object] | None:
    """The newest runs with what started them; left out without runs, or if a quick session has not cached them."""
    rows = results.latest_runs(subject.session, subject.id)[:number]
    if not rows:
        return None
    start = flow_facts.start_of(reading.trigger_of(subject.object))
    lines = [
        {
            "state": messages.run_state(row.get("status")),
            "url": run_url(subject.slug, id_at(row)),
            "created": row.get("created"),
            "took": run_reading.length(Run(row)),
            "failed_at": run_reading.failed_at(Run(row)),
            "by": starters.name_of(row),
            "by_url": starters.url_of(subject.slug, row),
        }
        for row in starters.with_starters(subject.session, rows, {subject.id: start})
    ]
    return {
        "lines": lines,
        "failed": any(line["failed_at"] for line in lines),
        "started": any(line["by"] for line in lines),
        "url": list_url(subject.slug, "runs", flow=subject.id),
    }
