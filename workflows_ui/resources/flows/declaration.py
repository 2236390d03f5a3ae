"""Flows: the list with its filters, and the page of one flow with its outline and launches."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from workflows_ui.core import redaction
from workflows_ui.core.collation import sort_key
from workflows_ui.core.states import Badge
from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.launches import flow_facts
from workflows_ui.launches.models import Launch
from workflows_ui.launches.services import watching
from workflows_ui.members.models import Role
from workflows_ui.notifications.models import Favourite, WatchKind
from workflows_ui.resource_admin.resource import (
    Column,
    Facts,
    Page,
    Panel,
    Query,
    Resource,
    Row,
    Shortcut,
    Subject,
    id_at,
    pick,
    sole_id_at,
)
from workflows_ui.resources.flows import actions as resource_actions
from workflows_ui.resources.flows import form, outline, pages, record, start, step_settings, story, versions, warnings
from workflows_ui.resources.flows import results as resource_results
from workflows_ui.resources.flows import uses as resource_uses
from workflows_ui.resources.flows.filters import FlowFilters, read_filters
from workflows_ui.resources.flows.pages import NO_FOLDER as NO_FOLDER
from workflows_ui.resources.flows.reading import (
    connection_names,
    deleting,
    folder_names,
    has_draft,
    state_note,
    tags_of,
    trigger_of,
)
from workflows_ui.resources.flows.reading import name_of as name_of
from workflows_ui.resources.flows.results import ResultsColumn
from workflows_ui.resources.pieces.apps import Mark
from workflows_ui.resources.places import folder_url, list_url, object_url
from workflows_ui.resources.triggers import tests as trigger_tests
from workflows_ui.web import messages
from workflows_ui.web.paths import list_at, number_at

_LATEST = 5
#: Fields of steps that may hold plain secrets: passwords of triggers (api.md 7.3), and keys entered without a
#: connection.
_SECRETS = frozenset(
    {
        "password",
        "headerValue",
        "apiKey",
        "api_key",
        "apikey",
        "token",
        "accessToken",
        "access_token",
        "secret",
        "clientSecret",
    }
)
_DELETING = Badge(_("Being deleted"), "circle-notch", "orange", moving=True)


@dataclass(frozen=True)
class AppsColumn(Column):
    """A column whose value is a list of Marks: the first ones as initials with their names, and the number of others."""

    @property
    def template(self) -> str:
        return "resources/flows/apps.html"


def _launch_url(slug: str, flow: Row) -> str:
    key = sole_id_at(flow)
    if flow.get("status") != "ENABLED" or not key or flow_facts.start_of(trigger_of(flow)) not in flow_facts.LAUNCHED:
        return ""
    return reverse("flow_launch", kwargs={"slug": slug, "id": key})


def _rights_url(slug: str, flow: Row) -> str:
    key = sole_id_at(flow)
    if not key or not flow.get("publishedVersionId"):
        return ""
    return reverse("flow_launch_rights", kwargs={"slug": slug, "id": key})


def _runs_url(slug: str, flow: Row) -> str:
    key = id_at(flow)
    if not key:
        return ""
    return list_url(slug, "runs", flow=key)


def _folder_url(slug: str, flow: Row) -> str:
    return folder_url(slug, flow.get("folderId"))


def _export_url(slug: str, flow: Row) -> str:
    key = sole_id_at(flow)
    return reverse("flow_export", kwargs={"slug": slug, "id": key}) if key else ""


def _note(flow: Row) -> messages.Text:
    """`state_note`, short enough for a row."""
    return _("Unpublished changes") if has_draft(flow) and not deleting(flow) else state_note(flow)


def _minutes_saved(flow: Row) -> float | None:
    """Minutes saved per run, as entered in the engine (0.83)."""
    return number_at(flow, "timeSavedPerRun")


def _notes(flow: Row) -> int | None:
    """The number of notes beside the steps (0.83); None for none."""
    return len(list_at(flow, "version.notes")) or None


def _apps(flow: Row) -> list[Mark]:
    return list_at(flow, "apps")


def _outline(subject: Subject) -> dict[str, Any]:
    trigger, session = trigger_of(subject.object), subject.session
    uses = pick(subject.object, "version.connectionIds")
    names = step_settings.names_of(trigger, connection_names(session) if uses else {}, subject.slug)
    return {"items": outline.items(trigger, names, step_settings.labels(session, trigger))}


def _story(subject: Subject) -> dict[str, Any]:
    trigger = trigger_of(subject.object)
    return {
        "story": story.build_story(trigger, story.load_names(subject.session, trigger)),
        "record": record.load_record(subject.access, subject.id, subject.session),
    }


def _samples_url(slug: str, flow: Row) -> str:
    key = sole_id_at(flow)
    return trigger_tests.page_url(slug, key) if key else ""


def _launchable(subject: Subject) -> dict[str, Any] | None:
    """Why there is no launch button. For a flow that is being deleted the badge is enough."""
    flow = subject.object
    if deleting(flow) or not subject.access.allows(Role.LAUNCHER) or _launch_url(subject.slug, flow):
        return None
    reason: messages.Text = _("It starts automatically, not by a request: it cannot be launched from here.")
    if not flow.get("publishedVersionId"):
        reason = _("It was never published. Publish it, then it can be launched.")
    elif flow.get("status") != "ENABLED":
        reason = _("It is off. Turn it on, then it can be launched.")
    return {"reason": reason}


def _marks(subject: Subject) -> dict[str, Any] | None:
    """The person's own marks: favourite, notices of failures."""
    user, workspace, key = subject.access.user, subject.workspace, subject.id
    if "/" in key or deleting(subject.object):
        return None
    return {
        "slug": subject.slug,
        "id": key,
        "name": name_of(subject.object),
        "url": object_url(subject.slug, "flows", key),
        "may_star": bool(_launch_url(subject.slug, subject.object)) and subject.access.allows(Role.LAUNCHER),
        "starred": Favourite.objects.filter(user=user, workspace=workspace, flow_id=key).exists(),
        "watched": watching.is_watching(user, workspace, WatchKind.FLOW, key),
    }


def _launches(subject: Subject) -> dict[str, Any] | None:
    latest = Launch.objects.filter(workspace=subject.workspace, flow_id=subject.id).select_related("user")
    rows = list(latest.order_by("-asked_at")[:_LATEST])
    return {"launches": rows, "slug": subject.slug, "flow_id": subject.id} if rows else None


class Flows(Resource):
    """The flows of the workspace."""

    name = "flows"
    label, label_plural = _("Flow"), _("Flows")
    icon, group, menu_order = "diagram-project", "build", 10
    empty = _("There are no flows in this workspace yet")
    empty_hint = _(
        "Flows are made in the engine's builder, or imported from a file. Once one is there, it is listed here."
    )
    secrets = _SECRETS
    filters = FlowFilters
    filter_help = _(
        "The name is looked for in the newest version's name only, in any case; steps and their values are not searched."
    )
    title_path = "version.displayName"
    recipe = ("/v1/flows/{id}", "workflows.get_flow({id!r})")
    list_display = (
        Column(name_of, _("Name"), link=True),
        Column(start.start_label, _("Trigger"), wide=True),
        Column(lambda row: row.get("folder"), _("Folder"), link=_folder_url, wide=True),
        Column(lambda row: messages.flow_state(row.get("status")), _("State"), kind="badge", below=_note),
        ResultsColumn("results", _("Last results"), kind="badge"),
        AppsColumn(_apps, _("Apps"), kind="list", phone=False),
        Column("updated", _("Changed"), kind="when"),
    )
    shortcuts = (
        Shortcut(_("Launch"), "rocket", _launch_url, role=Role.LAUNCHER, primary=True, in_rows=True),
        Shortcut(_("Runs"), "clock-rotate-left", _runs_url),
        Shortcut(_("Launch form"), "rectangle-list", form.url, role=Role.BUILDER),
        Shortcut(_("Samples of the trigger"), "vials", _samples_url),
        Shortcut(_("Launch rights"), "user-clock", _rights_url, role=Role.MANAGER),
        Shortcut(_("Export as a file"), "file-export", _export_url),
    )
    actions = (*resource_actions.ACTIONS, trigger_tests.TEST)
    panels = (
        Panel("", "resources/flows/warnings.html", warnings.panel),
        Panel("", "resources/flows/not_launchable.html", _launchable),
        Panel("", "resources/flows/own_launches.html", _marks),
        Facts(
            _("Details"),
            (
                Column(state_note, _("Note")),
                Column("folder", _("Folder"), link=_folder_url),
                Column(start.start_label, _("Starts with")),
                Column(tags_of, _("Tags"), kind="list"),
                Column(_minutes_saved, _("Minutes saved with each run"), kind="count"),
                Column(_notes, _("Notes on its canvas"), kind="count"),
                Column("updated", _("Changed"), kind="when"),
                Column("created", _("Created"), kind="when"),
                Column("id", _("Engine ID"), kind="code"),
            ),
        ),
        Panel(_("What this will do"), "resources/flows/story.html", _story),
        Panel(_("Launch form"), "resources/flows/form.html", form.panel),
        Panel(_("Steps"), "resources/flows/outline.html", _outline),
        Panel(_("What it uses"), "resources/flows/uses.html", resource_uses.panel),
        Panel(_("Versions"), "resources/flows/versions.html", versions.panel),
        Panel(_("Latest launches"), "resources/flows/launches.html", _launches),
    )

    def list(self, session: EngineSession, query: Query) -> Page:
        """A page, last changed first, with flows in the shape of `flow_pages.brief`. One call for flows as long as the
        first hundred hold the page, and a cached one for the names of folders; the newest runs for the last results are
        optional.
        """
        page = pages.page(session, read_filters(query.filters), query.position, query.rows)
        folders = folder_names(session)
        results = resource_results.latest(session, [id_at(row) for row in page.rows if id_at(row)])
        rows = [
            dict(row)
            | {
                "folder": folders.get(str(row.get("folderId"))),
                "results": results.get(id_at(row)),
                "apps": resource_uses.marks(session, row.get("pieces")),
            }
            for row in page.rows
        ]
        return replace(page, rows=rows)

    def get(self, session: EngineSession, id: str) -> Row:
        """The flow with its latest version, and its folder's name as `folder`."""
        flow = session.workflows.get_flow(id)
        folder = folder_names(session).get(str(flow.get("folderId"))) if flow.get("folderId") else None
        return flow | {"folder": folder} if folder else flow

    def count(self, session: EngineSession, filters: Mapping[str, Any]) -> int | None:
        """The count by folder and state, the only filters that the engine counts by."""
        return pages.count(session, read_filters(filters))

    def choices(self, session: EngineSession) -> Mapping[str, Sequence[tuple[str, str | Promise]]]:
        """The folders, and the connections by the external ids that flows use."""
        folders = sorted(folder_names(session).items(), key=lambda pair: sort_key(pair[1]))
        listed = [(external, name) for external, (_id, name) in connection_names(session).items()]
        connections = sorted(listed, key=lambda pair: sort_key(pair[1]))
        return {"folder": [(NO_FOLDER, _("In no folder")), *folders], "connection": connections}

    def badge(self, row: Row) -> Badge:
        """On, off, or being deleted."""
        return _DELETING if deleting(row) else messages.flow_state(row.get("status"))

    def raw(self, subject: Subject) -> dict[str, Any]:
        """With the link to masked values."""
        masked = redaction.masks(subject.object)
        return {
            "value": subject.object,
            "hidden": reverse("flow_hidden", args=[subject.slug, subject.id]) if masked else "",
        }

    def refresh_seconds(self, row: Row) -> int:
        """Until the flow is deleted, while that is in progress."""
        return 2 if deleting(row) else 0
