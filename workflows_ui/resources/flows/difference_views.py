"""The difference between two versions of a flow: a plain page on which both can be chosen."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpResponse
from django.views.decorators.http import require_safe

from workflows_ui.core import redaction
from workflows_ui.credentials.services import engine_session
from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.members.models import Role
from workflows_ui.resource_admin.resource import Row, id_at, pick
from workflows_ui.resources.flows import difference as resource_difference
from workflows_ui.resources.flows import step_settings
from workflows_ui.resources.flows import versions as resource_versions
from workflows_ui.resources.flows.declaration import Flows
from workflows_ui.resources.flows.reading import connection_names, name_of
from workflows_ui.web import responses
from workflows_ui.web.access import member
from workflows_ui.web.paths import dict_at
from workflows_ui.web.requests import ConsoleRequest


@require_safe
@member(Role.VIEWER)
def difference(request: ConsoleRequest, slug: str, id: str) -> HttpResponse:
    """Compare `?old=` and `?new=` (ids of versions); by default the published and the newest version, or the newest
    two.
    """
    session = engine_session.open_session(request.access)
    flow = session.workflows.get_flow(id)
    versions = _versions(session, flow, id)
    chosen = _version_pair(flow, list(versions), request.GET.get("old", ""), request.GET.get("new", ""))
    compared = _difference(session, slug, flow, *chosen) if chosen else None
    context = {
        "flow_id": id,
        "name": name_of(redaction.step(flow)) or id,
        "versions": [(key, resource_versions.title(flow, row)) for key, row in versions.items()],
        "old": chosen[0] if chosen else "",
        "new": chosen[1] if chosen else "",
        "difference": compared,
    }
    return responses.page(request, "resources/flows/difference.html", context)


def _versions(session: EngineSession, flow: Row, id: str) -> dict[str, Row]:
    """Heads of the versions by id, newest first; if the engine does not list them, the newest and the published one."""
    rows = [*resource_versions.list_versions(session, id)]
    newest = pick(flow, "version")
    heads = {id_at(row): row for row in rows if id_at(row)}
    if isinstance(newest, Mapping) and id_at(newest):
        heads = {id_at(newest): heads.get(id_at(newest), newest)} | heads
    published = id_at(flow, "publishedVersionId")
    if published and published not in heads:
        heads[published] = {"id": published, "state": "LOCKED"}
    return heads


def _version_pair(flow: Row, known: list[str], old: str, new: str) -> tuple[str, str] | None:
    """The two versions to compare; None if there is only one."""
    if len(known) < 2:
        return None
    new = new if new in known else known[0]
    published = id_at(flow, "publishedVersionId")
    if old not in known:
        others = [key for key in known if key != new]
        old = published if published in others else others[0]
    return old, new


def _difference(session: EngineSession, slug: str, flow: Row, old: str, new: str) -> resource_difference.Difference:
    versions = [_version(session, flow, key) for key in (old, new)]
    masked = [redaction.step(version, secrets=Flows.secrets) for version in versions]
    trigger = pick(masked[1], "trigger")
    names = step_settings.names_of(trigger, connection_names(session), slug, older=pick(masked[0], "trigger"))
    return resource_difference.between(
        versions[0],
        versions[1],
        masked=(masked[0], masked[1]),
        names=names,
        known=step_settings.labels(session, trigger),
    )


def _version(session: EngineSession, flow: Row, key: str) -> dict[str, Any]:
    whole = flow if pick(flow, "version.id") == key else session.workflows.get_flow(str(flow.get("id")), version_id=key)
    return dict_at(whole, "version")
