"""What deleting a flow takes along, and the copy from which it can be restored."""

from collections.abc import Iterator
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from workflows_ui.core import clock
from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.deleted_objects.services import Content
from workflows_ui.launch_forms.models import LaunchForm, LaunchFormVersion, SavedInputs
from workflows_ui.launches.models import OPEN, Launch
from workflows_ui.members.models import LaunchRight, Role
from workflows_ui.notifications.models import Favourite, Watch, WatchKind
from workflows_ui.resource_admin.resource import Affected, Row, id_at
from workflows_ui.resources import usage
from workflows_ui.resources.flows.reading import (
    connection_names,
    folder_names,
    has_draft,
    name_of,
    table_names,
    tags_of,
    trigger_of,
)
from workflows_ui.resources.places import object_url, subpage_url
from workflows_ui.web.paths import dict_at, dicts_at, text_at

_KEPT_OF_VERSION = ("displayName", "trigger", "schemaVersion", "notes")
Line = tuple[str, str]


def impact(session: EngineSession, flow: Row) -> Affected:
    """Launches that have not ended, and everything that goes with the flow or loses its purpose."""
    number = Launch.objects.filter(OPEN, workspace=session.workspace, flow_id=id_at(flow)).count()
    summary = _("No launch is running. Its runs are deleted along with it.")
    if number:
        text = ngettext(
            "%(count)d launch has not ended yet. Its runs are deleted along with it.",
            "%(count)d launches have not ended yet. Its runs are deleted along with it.",
            number,
        )
        summary = text % {"count": number}
    callers = usage.affected(session, "flows", flow, _("No flow calls it."), among_others=True)
    return Affected(
        f"{callers.summary} {summary}",
        [*callers.lines, *_state(flow), *_own_rows(session, flow), *_only_here(session, flow)],
    )


def _state(flow: Row) -> Iterator[Line]:
    if flow.get("status") == "ENABLED" and flow.get("publishedVersionId"):
        yield _("It is on: its webhook address, schedule or trigger starts nothing any more."), ""
    if flow.get("publishedVersionId") and has_draft(flow):
        yield _("The draft is newer than what is live. A copy has the draft only."), ""


def _own_rows(session: EngineSession, flow: Row) -> Iterator[Line]:
    """What the console itself has about the flow."""
    key, slug = id_at(flow), session.workspace.slug
    here = {"workspace": session.workspace, "flow_id": key}
    if form := LaunchForm.objects.filter(**here).values_list("published").first():
        text = _("Its launch form, which is published") if form[0] else _("Its launch form, a draft")
        yield text, reverse("form_builder", args=[slug, key])
    rights = LaunchRight.objects.filter(**here).usable(clock.now()).count()
    rights_url = subpage_url("flow_launch_rights", slug, flow) if session.allows(Role.MANAGER) else ""
    watches = Watch.objects.filter(workspace=session.workspace, kind=WatchKind.FLOW, object_id=key).count()
    saved = SavedInputs.objects.filter(**here).count()
    stars = Favourite.objects.filter(**here).count()
    for number, text, url in (
        (rights, ngettext("%(n)d launch right ends", "%(n)d launch rights end", rights), rights_url),
        (watches, ngettext("%(n)d person watches it", "%(n)d people watch it", watches), ""),
        (saved, ngettext("%(n)d set of saved inputs", "%(n)d sets of saved inputs", saved), ""),
        (stars, ngettext("%(n)d person has it as a favourite", "%(n)d people have it as a favourite", stars), ""),
    ):
        if number:
            yield text % {"n": number}, url


def _only_here(session: EngineSession, flow: Row) -> Iterator[Line]:
    """The connections and tables that no other flow uses; they stay."""
    key, slug = id_at(flow), session.workspace.slug
    known = usage.cached_usage(session, now=True)
    own = next((use for use in known.flows if use.id == key), None)
    if own is None or not known.complete:
        yield _("Not checked: whether other flows use its connections and tables."), ""
        return
    others = [use for use in known.flows if use.id != key]
    for kind, names, text in (
        ("connections", connection_names(session), _("No other flow uses the connection “%(name)s”. It stays.")),
        ("tables", table_names(session), _("No other flow uses the table “%(name)s”. It stays.")),
    ):
        for used in sorted(own.keys(kind).difference(*(use.keys(kind) for use in others))):
            place, name = names.get(used, ("", used))
            yield text % {"name": name}, object_url(slug, kind, place)


def read_copy(session: EngineSession, id: str) -> Content:
    """The flow's newest version, tags and folder, and what is said about it until it is restored. Raises EngineError."""
    flow = session.workflows.get_flow(id)
    version = dict_at(flow, "version")
    folder = folder_names(session).get(text_at(flow, "folderId"), "")
    data: dict[str, Any] = {
        "version": {key: version[key] for key in _KEPT_OF_VERSION if key in version},
        "tags": tags_of(flow),
        "folder": folder,
    }
    forms = LaunchFormVersion.objects.filter(form__workspace=session.workspace, form__flow_id=id)
    facts = {
        "folder": folder[:200],
        "tags": len(data["tags"]),
        "on": flow.get("status") == "ENABLED",
        "published": bool(flow.get("publishedVersionId")),
        "versions": forms.count(),
        "notes": len(dicts_at(version, "notes")),
        "empty": text_at(trigger_of(flow), "type") == "EMPTY",
    }
    return Content(name_of(flow) or id, data, facts)
