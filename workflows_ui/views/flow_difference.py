"""What differs between two versions of a flow: a plain page on which both can be chosen."""

from collections.abc import Mapping
from typing import Any

from django.http import Http404, HttpResponse
from django.urls import path
from django.views.decorators.http import require_safe

from workflows_ui.kit import caller, redact, respond
from workflows_ui.kit.access import member
from workflows_ui.kit.caller import Caller
from workflows_ui.kit.request import ConsoleRequest
from workflows_ui.kit.resource import Row, id_at, pick
from workflows_ui.models import Role
from workflows_ui.resources import flow_difference, flow_versions, step_settings
from workflows_ui.resources.flow_reading import connection_names, name_of
from workflows_ui.resources.flows import Flows


@require_safe
@member(Role.VIEWER)
def difference(request: ConsoleRequest, slug: str, id: str) -> HttpResponse:
    """Of `?old=` and `?new=` (ids of versions); without them of what is live and the newest, or of the newest two."""
    if not id.strip(" ."):
        raise Http404
    asker = caller.of(request.access)
    flow = asker.workflows.get_flow(id)
    versions = _versions(asker, flow, id)
    chosen = _chosen(flow, list(versions), request.GET.get("old", ""), request.GET.get("new", ""))
    found = _found(asker, slug, flow, *chosen) if chosen else None
    context = {
        "flow_id": id,
        "name": name_of(redact.step(flow)) or id,
        "versions": [(key, flow_versions.title(flow, row)) for key, row in versions.items()],
        "old": chosen[0] if chosen else "",
        "new": chosen[1] if chosen else "",
        "difference": found,
    }
    return respond.page(request, "flows/difference.html", context)


def _versions(asker: Caller, flow: Row, id: str) -> dict[str, Row]:
    """Heads of the versions by id, newest first; where the engine does not list them, the newest and the published one."""
    rows = [*flow_versions.of(asker, id)]
    newest = pick(flow, "version")
    found = {id_at(row): row for row in rows if id_at(row)}
    if isinstance(newest, Mapping) and id_at(newest):
        found = {id_at(newest): found.get(id_at(newest), newest)} | found
    published = id_at(flow, "publishedVersionId")
    if published and published not in found:
        found[published] = {"id": published, "state": "LOCKED"}
    return found


def _chosen(flow: Row, known: list[str], old: str, new: str) -> tuple[str, str] | None:
    """The two to compare; None where there is only one version."""
    if len(known) < 2:
        return None
    new = new if new in known else known[0]
    published = id_at(flow, "publishedVersionId")
    if old not in known:
        others = [key for key in known if key != new]
        old = published if published in others else others[0]
    return old, new


def _found(asker: Caller, slug: str, flow: Row, old: str, new: str) -> flow_difference.Difference:
    versions = [_version(asker, flow, key) for key in (old, new)]
    masked = [redact.step(version, secrets=Flows.secrets) for version in versions]
    trigger = pick(masked[1], "trigger")
    names = step_settings.names_of(trigger, connection_names(asker), slug, older=pick(masked[0], "trigger"))
    return flow_difference.between(
        versions[0], versions[1], masked=(masked[0], masked[1]), names=names, known=step_settings.labels(asker, trigger)
    )


def _version(asker: Caller, flow: Row, key: str) -> dict[str, Any]:
    whole = flow if pick(flow, "version.id") == key else asker.workflows.get_flow(str(flow.get("id")), version_id=key)
    found = whole.get("version")
    return found if isinstance(found, dict) else {}


urlpatterns = [path("w/<slug:slug>/flows/<str:id>/difference/", difference, name="flow_difference")]
