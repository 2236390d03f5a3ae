"""Flows: the list with its filters, and the page of one flow with its outline and launches."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from django import forms
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from workflows_ui.kit import words
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
)
from workflows_ui.models import Launch, Role
from workflows_ui.resources import flow_actions, flow_versions, outline
from workflows_ui.resources.flow_reading import deleting, folder_names, state_note, trigger_of
from workflows_ui.resources.flow_reading import name_of as name_of
from workflows_ui.resources.flow_reading import starts_by_request as starts_by_request

#: What the engine calls "in no folder" (api.md 6.4).
NO_FOLDER = "NULL"
_LATEST = 5
_DELETING = words.StateWord(_("Being deleted"), "circle-notch", "orange", moving=True)


class FlowFilters(forms.Form):
    """Filters of the list. Folders are filled in from the engine."""

    name = forms.CharField(label=_("Name contains"), required=False, max_length=200)
    status = forms.ChoiceField(
        label=_("State"),
        required=False,
        choices=[("", _("Any")), *((state, found.word) for state, found in words.FLOW_STATES.items())],
    )
    folder = forms.CharField(label=_("Folder"), required=False, max_length=100, widget=forms.Select())

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].widget.attrs["class"] = "form-control"
        self.fields["status"].widget.attrs["class"] = "form-select"
        self.fields["folder"].widget.attrs["class"] = "form-select"


def _launch_url(slug: str, flow: Row) -> str:
    key = id_at(flow)
    if flow.get("status") != "ENABLED" or not key or "/" in key or not starts_by_request(flow):
        return ""
    return reverse("flow_launch", kwargs={"slug": slug, "id": key})


def _runs_url(slug: str, flow: Row) -> str:
    key = id_at(flow)
    if not key:
        return ""
    return reverse("resource_list", kwargs={"slug": slug, "resource": "runs"}, query={"flow": key})


def _export_url(slug: str, flow: Row) -> str:
    key = id_at(flow)
    return reverse("flow_export", kwargs={"slug": slug, "id": key}) if key and "/" not in key else ""


def _schedule(flow: Row) -> str:
    cron = pick(flow, "triggerSource.schedule.cronExpression")
    zone = pick(flow, "triggerSource.schedule.timezone")
    return f"{cron} ({zone})" if cron else ""


def _outline(subject: Subject) -> dict[str, Any]:
    return {"items": outline.items(trigger_of(subject.object))}


def _launchable(subject: Subject) -> dict[str, Any] | None:
    """Why there is no launch button, for those who might look for it."""
    flow = subject.object
    if not subject.access.allows(Role.LAUNCHER) or _launch_url(subject.slug, flow):
        return None
    reason: words.Text = _("It starts by itself, not by a request: it cannot be launched from here.")
    if not flow.get("publishedVersionId"):
        reason = _("It was never published. Publish it, then it can be launched.")
    elif flow.get("status") != "ENABLED":
        reason = _("It is off. Turn it on, then it can be launched.")
    return {"reason": reason}


def _launches(subject: Subject) -> dict[str, Any] | None:
    latest = Launch.objects.filter(workspace=subject.workspace, flow_id=subject.id).select_related("user")
    found = list(latest.order_by("-asked_at")[:_LATEST])
    return {"launches": found, "slug": subject.slug, "flow_id": subject.id} if found else None


def _raw(subject: Subject) -> dict[str, Any]:
    return {"value": subject.object, "id": "raw", "title": _("The flow as the engine has it (JSON)")}


class Flows(Resource):
    """What runs when it is launched."""

    name = "flows"
    label, label_plural = _("Flow"), _("Flows")
    icon, group = "diagram-project", "build"
    empty = _("There are no flows in this workspace yet")
    empty_hint = _(
        "Flows are made in the engine's builder, or imported from a file. Once one is there, it is listed here."
    )
    filters = FlowFilters
    list_display = (
        Column(name_of, _("Name"), link=True, below=lambda row: outline.title_of(trigger_of(row))),
        Column(lambda row: words.flow_state(row.get("status")), _("State"), kind="badge", below=state_note),
        Column(lambda row: row.get("folder"), _("Folder"), phone=False),
        Column("updated", _("Changed"), kind="when"),
    )
    shortcuts = (
        Shortcut(_("Launch"), "rocket", _launch_url, role=Role.LAUNCHER, primary=True, in_rows=True),
        Shortcut(_("Runs"), "clock-rotate-left", _runs_url),
        Shortcut(_("Export as a file"), "file-export", _export_url),
    )
    actions = flow_actions.ACTIONS
    panels = (
        Panel("", "flows/not_launchable.html", _launchable),
        Facts(
            _("Facts"),
            (
                Column(state_note, _("Note")),
                Column("folder", _("Folder")),
                Column(lambda row: outline.title_of(trigger_of(row)), _("Starts with")),
                Column(_schedule, _("Schedule"), kind="code"),
                Column("version.connectionIds", _("Connections"), kind="list"),
                Column("metadata.tags", _("Tags"), kind="list"),
                Column("updated", _("Changed"), kind="when"),
                Column("created", _("Made"), kind="when"),
                Column("id", _("Id in the engine"), kind="code"),
            ),
        ),
        Panel(_("Steps"), "flows/outline.html", _outline),
        Panel(_("Versions"), "flows/versions.html", flow_versions.panel),
        Panel(_("Latest launches"), "flows/launches.html", _launches),
        Panel("", "kit/panels/raw.html", _raw),
    )

    def list(self, caller: Caller, query: Query) -> Page:
        """A page by the engine's own cursor, newest change first. Two calls at most: flows, and the names of folders."""
        page = caller.workflows.list_flows(
            limit=query.rows,
            cursor=query.position or None,
            folder_id=query.filters.get("folder"),
            status=query.filters.get("status"),
            name=query.filters.get("name"),
        )
        rows = {str(row.get("id")): row for row in page.get("data") or [] if isinstance(row, dict)}
        folders = folder_names(caller)
        shown = [row | {"folder": folders.get(str(row.get("folderId")))} for row in rows.values()]
        older = page.get("next")
        note = _("The engine may leave out flows that were changed in the same second as the last one shown here.")
        return Page(shown, older if isinstance(older, str) else "", note)

    def get(self, caller: Caller, id: str) -> Row:
        """The flow with its latest version, and its folder's name as `folder`."""
        flow = caller.workflows.get_flow(id)
        folder = folder_names(caller).get(str(flow.get("folderId"))) if flow.get("folderId") else None
        return flow | {"folder": folder} if folder else flow

    def choices(self, caller: Caller) -> Mapping[str, Sequence[tuple[str, str | Promise]]]:
        """The folders."""
        folders = sorted(folder_names(caller).items(), key=lambda pair: pair[1].lower())
        return {"folder": [(NO_FOLDER, _("In no folder")), *folders]}

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
