"""A flow's versions: the panel on its page, and the choice among them. An engine may not list them (api.md 6.4)."""

from django.utils.translation import gettext_lazy as _

from workflows_ui.core import formats
from workflows_ui.core.paths import dicts_at, text_at
from workflows_ui.core.states import Badge
from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.engine import EngineError, NotFound
from workflows_ui.engine_objects.flows import Flow, FlowVersion
from workflows_ui.members.models import Role
from workflows_ui.resource_admin.resource import Row, Subject

_MOST = 50
_LIVE = Badge(_("Live"), "circle-check", "green", own="LOCKED")
_LOCKED = Badge(_("Locked"), "lock", "secondary", own="LOCKED")
_DRAFT = Badge(_("Draft"), "pencil", "azure", own="DRAFT")


def list_versions(session: EngineSession, flow_id: str) -> list[Row]:
    """Heads of the versions, newest first; none if the engine does not list them. Raises EngineError."""
    try:
        rows = dicts_at(session.workflows.list_flow_versions(flow_id, limit=_MOST), "data")
    except NotFound:
        return []
    once = {row["id"]: row for row in rows if text_at(row, "id")}
    return sorted(once.values(), key=lambda row: str(row.get("created")), reverse=True)


def state(flow: Row, row: Row) -> Badge:
    """Live, draft, or locked: the engine does not say whether a locked version was ever published."""
    version = FlowVersion(row)
    if version.id == Flow(flow).published_version_id:
        return _LIVE
    return _LOCKED if version.state == "LOCKED" else _DRAFT


def title(flow: Row, row: Row) -> str:
    """One line for the choice."""
    version = FlowVersion(row)
    date = formats.exact(version.updated, seconds=False) if version.updated else ""
    parts = (version.display_name[:80], str(state(flow, row).word), date)
    return " · ".join(filter(None, parts))


def panel(subject: Subject) -> dict[str, object] | None:
    """The versions with their state; left out if the engine does not give them."""
    try:
        rows = list_versions(subject.session, subject.id)
    except EngineError:
        return None
    if not rows:
        return None
    usable = subject.access.allows(Role.BUILDER) and not Flow(subject.object).deleting
    newest = rows[0].get("id")
    return {
        "versions": [(row, state(subject.object, row), row.get("id") != newest) for row in rows],
        "usable": usable,
        "newest": newest,
        "cut": len(rows) >= _MOST,
    }
