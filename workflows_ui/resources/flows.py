"""Flows: the list with its filters, and the page of one flow with its outline and launches."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from workflows_ui.kit import flow_facts, redact, words
from workflows_ui.kit.caller import Caller
from workflows_ui.kit.resource import (
    Column,
    Facts,
    Live,
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
from workflows_ui.models import Favourite, Launch, Role, WatchKind
from workflows_ui.resources import (
    flow_actions,
    flow_form,
    flow_pages,
    flow_record,
    flow_results,
    flow_start,
    flow_story,
    flow_uses,
    flow_versions,
    outline,
    step_settings,
    trigger_tests,
)
from workflows_ui.resources.apps import Mark
from workflows_ui.resources.flow_filters import FlowFilters, asked
from workflows_ui.resources.flow_pages import NO_FOLDER as NO_FOLDER
from workflows_ui.resources.flow_reading import (
    connection_names,
    deleting,
    folder_names,
    has_draft,
    state_note,
    tags_of,
    trigger_of,
)
from workflows_ui.resources.flow_reading import name_of as name_of
from workflows_ui.resources.flow_results import ResultsColumn
from workflows_ui.resources.places import folder_url
from workflows_ui.services import watching

_LATEST = 5
#: What a step's fields may hold in the open: passwords of triggers (api.md 7.3), and keys that were typed in instead of a connection.
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
_DELETING = words.StateWord(_("Being deleted"), "circle-notch", "orange", moving=True)


@dataclass(frozen=True)
class AppsColumn(Column):
    """A column whose value is a list of Marks: the first ones as initials, each with its name, and how many more there are."""

    @property
    def template(self) -> str:
        """Initials in a row."""
        return "flows/apps.html"


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
    return reverse("resource_list", kwargs={"slug": slug, "resource": "runs"}, query={"flow": key})


def _folder_url(slug: str, flow: Row) -> str:
    return folder_url(slug, flow.get("folderId"))


def _export_url(slug: str, flow: Row) -> str:
    key = sole_id_at(flow)
    return reverse("flow_export", kwargs={"slug": slug, "id": key}) if key else ""


def _note(flow: Row) -> words.Text:
    """As `state_note`, short enough for a row."""
    return _("Unpublished changes") if has_draft(flow) and not deleting(flow) else state_note(flow)


def _apps(flow: Row) -> list[Mark]:
    found = flow.get("apps")
    return found if isinstance(found, list) else []


def _outline(subject: Subject) -> dict[str, Any]:
    trigger, caller = trigger_of(subject.object), subject.caller
    uses = pick(subject.object, "version.connectionIds")
    names = step_settings.names_of(trigger, connection_names(caller) if uses else {}, subject.slug)
    return {"items": outline.items(trigger, names, step_settings.labels(caller, trigger))}


def _story(subject: Subject) -> dict[str, Any]:
    trigger = trigger_of(subject.object)
    return {
        "story": flow_story.of(trigger, flow_story.known(subject.caller, trigger)),
        "record": flow_record.of(subject.access, subject.id),
    }


def _samples_url(slug: str, flow: Row) -> str:
    key = sole_id_at(flow)
    return trigger_tests.page_url(slug, key) if key else ""


def _launchable(subject: Subject) -> dict[str, Any] | None:
    """Why there is no launch button, for those who might look for it. Of a flow on its way out its badge says enough."""
    flow = subject.object
    if deleting(flow) or not subject.access.allows(Role.LAUNCHER) or _launch_url(subject.slug, flow):
        return None
    reason: words.Text = _("It starts by itself, not by a request: it cannot be launched from here.")
    if not flow.get("publishedVersionId"):
        reason = _("It was never published. Publish it, then it can be launched.")
    elif flow.get("status") != "ENABLED":
        reason = _("It is off. Turn it on, then it can be launched.")
    return {"reason": reason}


def _yours(subject: Subject) -> dict[str, Any] | None:
    """What the person marked: a favourite, news of failures."""
    user, place, key = subject.access.user, subject.workspace, subject.id
    if "/" in key or deleting(subject.object):
        return None
    return {
        "slug": subject.slug,
        "id": key,
        "name": name_of(subject.object),
        "url": reverse("resource_detail", kwargs={"slug": subject.slug, "resource": "flows", "id": key}),
        "may_star": bool(_launch_url(subject.slug, subject.object)) and subject.access.allows(Role.LAUNCHER),
        "starred": Favourite.objects.filter(user=user, workspace=place, flow_id=key).exists(),
        "watched": watching.asked(user, place, WatchKind.FLOW, key),
    }


def _launches(subject: Subject) -> dict[str, Any] | None:
    latest = Launch.objects.filter(workspace=subject.workspace, flow_id=subject.id).select_related("user")
    found = list(latest.order_by("-asked_at")[:_LATEST])
    return {"launches": found, "slug": subject.slug, "flow_id": subject.id} if found else None


def _raw(subject: Subject) -> dict[str, Any]:
    return {
        "value": subject.object,
        "id": "raw",
        "title": _("The flow as the engine has it (JSON)"),
        "hidden": reverse("flow_hidden", args=[subject.slug, subject.id]) if redact.masks(subject.object) else "",
    }


class Flows(Resource):
    """What runs when it is launched."""

    name = "flows"
    label, label_plural = _("Flow"), _("Flows")
    icon, group = "diagram-project", "build"
    empty = _("There are no flows in this workspace yet")
    empty_hint = _(
        "Flows are made in the engine's builder, or imported from a file. Once one is there, it is listed here."
    )
    secrets = _SECRETS
    filters = FlowFilters
    spans = _(
        "The name is looked for in the newest version's name only, in any case; steps and their values are not searched."
    )
    list_display = (
        Column(name_of, _("Name"), link=True),
        Column(flow_start.words, _("Trigger"), wide=True),
        Column(lambda row: row.get("folder"), _("Folder"), link=_folder_url, wide=True),
        Column(lambda row: words.flow_state(row.get("status")), _("State"), kind="badge", below=_note),
        ResultsColumn("results", _("Last results"), kind="badge"),
        AppsColumn(_apps, _("Apps"), kind="list", phone=False),
        Column("updated", _("Changed"), kind="when"),
    )
    shortcuts = (
        Shortcut(_("Launch"), "rocket", _launch_url, role=Role.LAUNCHER, primary=True, in_rows=True),
        Shortcut(_("Runs"), "clock-rotate-left", _runs_url),
        Shortcut(_("Launch form"), "rectangle-list", flow_form.url, role=Role.BUILDER),
        Shortcut(_("Samples of the trigger"), "vials", _samples_url),
        Shortcut(_("Launch rights"), "user-clock", _rights_url, role=Role.MANAGER),
        Shortcut(_("Export as a file"), "file-export", _export_url),
    )
    actions = (*flow_actions.ACTIONS, trigger_tests.TEST)
    panels = (
        Panel("", "flows/not_launchable.html", _launchable),
        Panel("", "flows/yours.html", _yours),
        Facts(
            _("Facts"),
            (
                Column(state_note, _("Note")),
                Column("folder", _("Folder"), link=_folder_url),
                Column(flow_start.words, _("Starts with")),
                Column(tags_of, _("Tags"), kind="list"),
                Column("updated", _("Changed"), kind="when"),
                Column("created", _("Made"), kind="when"),
                Column("id", _("Id in the engine"), kind="code"),
            ),
        ),
        Panel(_("What this will do"), "flows/story.html", _story),
        Panel(_("Launch form"), "flows/form.html", flow_form.panel),
        Panel(_("Steps"), "flows/outline.html", _outline),
        Panel(_("What it uses"), "flows/uses.html", flow_uses.panel),
        Panel(_("Versions"), "flows/versions.html", flow_versions.panel),
        Panel(_("Latest launches"), "flows/launches.html", _launches),
        Panel("", "kit/panels/raw.html", _raw),
    )

    def list(self, caller: Caller, query: Query) -> Page:
        """A page, last changed first, as `flow_pages.brief` has the flows. One call for flows as long as the first hundred hold
        it, and one for the names of folders, remembered; the newest runs for the last results decorate it."""
        page = flow_pages.page(caller, asked(query.filters), query.position, query.rows)
        folders = folder_names(caller)
        results = flow_results.latest(caller, [id_at(row) for row in page.rows if id_at(row)])
        shown = [
            dict(row)
            | {
                "folder": folders.get(str(row.get("folderId"))),
                "results": results.get(id_at(row)),
                "apps": flow_uses.marks(caller, row.get("pieces")),
            }
            for row in page.rows
        ]
        return replace(page, rows=shown)

    def get(self, caller: Caller, id: str) -> Row:
        """The flow with its latest version, and its folder's name as `folder`."""
        flow = caller.workflows.get_flow(id)
        folder = folder_names(caller).get(str(flow.get("folderId"))) if flow.get("folderId") else None
        return flow | {"folder": folder} if folder else flow

    def count(self, caller: Caller, filters: Mapping[str, Any]) -> int | None:
        """By folder and state, which is what the engine counts by."""
        return flow_pages.count(caller, asked(filters))

    def choices(self, caller: Caller) -> Mapping[str, Sequence[tuple[str, str | Promise]]]:
        """The folders, and the connections by the names that flows use them under."""
        folders = sorted(folder_names(caller).items(), key=lambda pair: pair[1].lower())
        listed = [(external, name) for external, (_id, name) in connection_names(caller).items()]
        connections = sorted(listed, key=lambda pair: pair[1].lower())
        return {"folder": [(NO_FOLDER, _("In no folder")), *folders], "connection": connections}

    def title(self, row: Row) -> str:
        """The flow's name."""
        return name_of(row)

    def badge(self, row: Row) -> words.StateWord:
        """On or off, or on its way out."""
        return _DELETING if deleting(row) else words.flow_state(row.get("status"))

    def live(self, row: Row) -> Live:
        """Until it is deleted, where that is under way."""
        return Live(2 if deleting(row) else 0)

    def call(self, id: str) -> tuple[str, str, str]:
        """`GET /v1/flows/{id}`."""
        return "GET", f"/v1/flows/{quote(id, safe='')}", f"workflows.get_flow({id!r})"
