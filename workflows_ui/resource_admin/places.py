"""URLs of the pages that resources link to; "" without an id, and for pages that are hidden from the reader."""

from collections.abc import Callable, Sequence
from urllib.parse import quote

from django.utils.http import urlencode

from workflows_ui.core.paths import pick, sole_id, usable_id
from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.launches.services import launches
from workflows_ui.members.models import Role
from workflows_ui.members.services.access import Access
from workflows_ui.resource_admin.resource import Row
from workflows_ui.web import links


def flows_url(slug: str, folder: str) -> str:
    return list_url(slug, "flows", folder=folder) if folder else ""


def list_url(slug: str, resource: str, **query: str | Sequence[str]) -> str:
    url = links.reachable(links.view_url("resource_list", slug, resource))
    return f"{url}?{urlencode(query, doseq=True)}" if url and query else url


def object_url(slug: str, resource: str, id: object) -> str:
    key = usable_id(id)
    return links.reachable(links.object_url("resource_detail", key, slug=slug, resource=resource)) if key else ""


def link_to(resource: str, path: str) -> Callable[[str, Row], str]:
    """A function that gets the workspace's slug and a row, and returns the URL of the object whose id is at the path."""
    return lambda slug, row: object_url(slug, resource, pick(row, path))


def _urls_of(resource: str) -> Callable[[str, object], str]:
    """A function that gets the workspace's slug and an object's id."""
    return lambda slug, key: object_url(slug, resource, key)


flow_url = _urls_of("flows")
folder_url = _urls_of("folders")
run_url = _urls_of("runs")
piece_url = _urls_of("pieces")
connection_url = _urls_of("connections")
mcp_url = _urls_of("mcp-servers")
table_url = _urls_of("tables")


def choose_app_url(slug: str, flow_id: str, **query: str) -> str:
    """The page on which the app of a step is chosen: of the `step`, or of a new one at a `place`."""
    url = links.reachable(links.view_url("flow_choose_app", slug, flow_id))
    return f"{url}?{urlencode(query)}" if url and query else url


def connect_url(slug: str, piece: str) -> str:
    address = {"slug": slug, "resource": "pieces", "action": "connect"}
    return links.reachable(links.object_url("resource_action", piece, **address)) if usable_id(piece) else ""


def launch_url(session: EngineSession, launch: launches.Launched) -> str:
    """The launch's page; "" if the person may not open it: launches of others are for builders."""
    opens = launches.may_open(launch, session.user_id, session.role)
    return links.view_url("launch", session.workspace.slug, launch.pk) if opens else ""


def subpage_url(name: str, slug: str, row: Row) -> str:
    """The URL with this name below an object; "" if the URL cannot hold its id."""
    key = sole_id(pick(row, "id"))
    return links.reachable(links.view_url(name, slug, key)) if key else ""


def repair_url(access: Access, run_id: object) -> str:
    """The page on which a builder repairs what a run failed at; "" for others, and who does not see runs and flows."""
    key = usable_id(run_id)
    sees = access.allows(Role.BUILDER) and access.sees("runs") and access.sees("flows")
    return links.view_url("run_repair", access.workspace.slug, key) if key and sees else ""


def step_url(flow: str, step: str) -> str:
    """The page that edits a step, below the address of its flow; "" without one, and if the URL cannot hold the step's name."""
    return f"{flow}steps/{quote(step, safe='')}/" if flow and sole_id(step) else ""
