"""Where apps, connections, tables and flows are used: by the run index, and without one by all flows that the engine gives."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TypedDict

from django.utils.translation import gettext as _, gettext_lazy, ngettext, ngettext_lazy

from workflows_ui.core import formats
from workflows_ui.core.collation import sort_key
from workflows_ui.core.paths import text_at, texts_at
from workflows_ui.core.text import deferred, filled
from workflows_ui.credentials.services.engine_session import EngineSession, cached
from workflows_ui.engine_objects.flows import Flow
from workflows_ui.flows import pages as flow_pages
from workflows_ui.members.models import Role
from workflows_ui.resource_admin.places import list_url, object_url, step_url
from workflows_ui.resource_admin.resource import RESOURCES, Affected, Panel, Row, Subject, Tab, Text
from workflows_ui.run_index.services import indexes, object_rows, uses
from workflows_ui.run_index.services.object_rows import FLOWS, uses_of_flow
from workflows_ui.run_index.services.uses import User
from workflows_ui.web import links

#: Cache names.
_CACHED, _NOW = "usage", "usage-now"
#: Users in a panel, in a confirmation, and on a page of their own; steps of each.
_IN_PANEL, _IN_QUESTION, MOST, _STEPS = 20, 10, 1000, 10


@dataclass(frozen=True)
class Use:
    """A flow, with what its latest version and the version that runs use by step.

    `starts_with` is the piece of its trigger, `published` whether any version was ever published.
    """

    id: str
    name: str
    starts_with: str
    published: bool
    uses: Sequence[object_rows.Use]

    def keys(self, kind: str) -> frozenset[str]:
        """What it uses of a kind: the whole names of pieces, the external ids of connections, the ids by which its steps name tables."""
        return frozenset(use.key for use in self.uses if use.kind == kind)


@dataclass(frozen=True)
class Usage:
    """All flows that are known; `complete` is False if the engine refused, or counts more than it gives."""

    flows: tuple[Use, ...]
    complete: bool


NOTHING = Usage((), complete=False)


def _indexed(session: EngineSession) -> Usage:
    flows = tuple(
        Use(row.object_id, row.name, row.piece, bool(row.data.get("publishedVersionId")), used)
        for row, used in uses.all_users(session)
    )
    return Usage(flows, uses.known_kinds(session)[FLOWS].complete)


def _load(session: EngineSession) -> Usage:
    rows, complete = flow_pages.all_flows(session, _with_uses)
    return Usage(tuple(row["used"] for row in rows if row["id"]), complete)


class _Used(TypedDict):
    id: str
    used: Use


def _with_uses(row: Row) -> _Used:
    """A flow of the engine's list as a Use."""
    flow = Flow(row)
    version = flow.version
    piece = version.trigger.settings.piece_name
    return {
        "id": flow.id,
        "used": Use(flow.id, version.display_name, piece, flow.is_published, uses_of_flow(row)),
    }


_of_last_minute = cached(_CACHED, 60, NOTHING)(_load)
_of_last_seconds = cached(_NOW, 10, NOTHING)(_load)


def cached_usage(session: EngineSession, *, now: bool = False) -> Usage:
    """By the run index; without one by the engine, at most a minute old, and NOTHING if it does not give its flows.

    Args:
        now: at most ten seconds old, for actions that change something: many objects checked one after the other share one walk
            through the flows.
    """
    if uses.as_of(session):
        # Not cached for all who use the same credential: the index may be for others only.
        return session.once("usage of the index", lambda: _indexed(session))
    return (_of_last_seconds if now else _of_last_minute)(session)


def forget(session: EngineSession) -> None:
    """Clear the cache after a change to what flows use."""
    session.forget(_CACHED, _NOW)


@dataclass(frozen=True)
class Line:
    """A flow or MCP server that uses an object: its name and URL, and of each step the title, the URL and a note, "" for none."""

    name: str
    url: str
    icon: str
    kind: str
    steps: Sequence[tuple[str, str, Text]] = ()


@dataclass(frozen=True)
class Users:
    """Who uses an object, by name; `complete` is False if there may be more. `as_of` is how old the index is, None without it."""

    lines: Sequence[Line]
    complete: bool
    as_of: datetime | None = None


def find_users(session: EngineSession, kind: str, id: str, row: Row, *, now: bool = False) -> Users:
    """Who uses an object, which steps name by its id (an app by its whole name) or its external id; of a connection the engine itself
    names flows, too.

    Args:
        now: for an action that changes something: without an index, the flows are read again.
    """
    wanted, flow_ids = [key for key in (id, text_at(row, "externalId")) if key], texts_at(row, "flowIds")
    if as_of := uses.as_of(session):
        found, complete = uses.users_of(session, kind, wanted), uses.known_kinds(session)[FLOWS].complete
        names = dict(uses.names(session, FLOWS).values()) if flow_ids else {}
    else:
        known = cached_usage(session, now=now)
        found, complete = [], known.complete
        names = {flow.id: flow.name for flow in known.flows}
        for flow in known.flows:
            user = User(FLOWS, flow.id, flow.name)
            for use in flow.uses:
                if use.kind == kind and use.key in wanted:
                    user.add(use)
            if user.steps:
                found.append(user)
    listed = {user.id for user in found}
    others = [User(FLOWS, key, names.get(key, "")) for key in dict.fromkeys(flow_ids) if key and key not in listed]
    return Users(_lines(session, [*found, *others]), complete, as_of)


def starting_with(session: EngineSession, piece: str) -> Users:
    """The flows of this workspace whose trigger is of a piece."""
    known = cached_usage(session)
    found = [User(FLOWS, flow.id, flow.name) for flow in known.flows if flow.starts_with == piece]
    return Users(_lines(session, found), known.complete, uses.as_of(session))


def _lines(session: EngineSession, found: Iterable[User]) -> list[Line]:
    """Without those whose pages the person does not see."""
    slug = session.workspace.slug
    visible = [user for user in found if list_url(slug, user.kind)]
    lines = [
        Line(
            user.name or user.id,
            object_url(slug, user.kind, user.id),
            RESOURCES[user.kind].icon,
            user.kind,
            _steps(session, user),
        )
        for user in visible
    ]
    return sorted(lines, key=lambda line: (line.kind != FLOWS, sort_key(line.name)))


def _steps(session: EngineSession, user: User) -> list[tuple[str, str, Text]]:
    url = object_url(session.workspace.slug, user.kind, user.id)
    edits = user.kind == FLOWS and session.allows(Role.BUILDER)
    steps = []
    for step in user.steps.values():
        if not step.title:
            continue
        runs_only = user.draft and step.versions == {True}
        note: Text = _RUNS_ONLY if runs_only else _DRAFT_ONLY if user.draft and step.versions == {False} else ""
        place = step_url(url, step.name) if edits and not runs_only else ""
        steps.append((step.title, place or (f"{url}?tab=steps" if url and user.kind == FLOWS else url), note))
    return steps


_RUNS_ONLY, _DRAFT_ONLY = gettext_lazy("only in the version that runs"), gettext_lazy("only in the draft")


def page_url(slug: str, resource: str, id: str) -> str:
    """The page with everything that uses an object."""
    return links.reachable(links.object_url("used_by", id, slug=slug, subject=resource)) if id else ""


def panel(kind: str, none: Text, select: Callable[[Subject], Users] | None = None) -> Panel:
    """The panel with what uses an object of a kind, or what `select` finds; `none` is shown without any."""

    def build(subject: Subject) -> dict[str, object]:
        found = select(subject) if select else find_users(subject.session, kind, subject.id, subject.object)
        url = page_url(subject.slug, kind, subject.id) if found.as_of and not select else ""
        return context(subject.session, found, none, _IN_PANEL if url else MOST) | {"more_url": url}

    return Panel(gettext_lazy("Where it is used"), "usage/used_by.html", build, without_engine=True)


def tab(kind: str, none: Text) -> Tab:
    """The panel on a tab of its own."""
    return Tab("used", gettext_lazy("Used by"), (panel(kind, none),))


def context(session: EngineSession, found: Users, none: Text, most: int) -> dict[str, object]:
    """What the template of users needs, of at most so many."""
    return {
        "lines": found.lines[:most],
        "more": max(0, len(found.lines) - most),
        "none": none,
        "complete": found.complete,
        "as_of": formats.short_time(found.as_of) if found.as_of else "",
        "hint": "" if found.complete else hint(session),
    }


def hint(session: EngineSession) -> str:
    """What makes all users known, if the workspace has no index that this person may see."""
    if indexes.for_session(session) is not None:
        return ""
    return _("A run index knows all of them. Managers start one in the settings of the workspace.")


def affected(session: EngineSession, kind: str, row: Row, none: Text, *, among_others: bool = False) -> Affected:
    """What is said about the users of an object before it is changed or deleted; `among_others`: each line says what it names."""
    key = text_at(row, "id")
    found = find_users(session, kind, key, row, now=True)
    lines: list[tuple[Text, str]] = [
        (deferred(partial(_line_text, line, among_others=among_others)), line.url)
        for line in found.lines[:_IN_QUESTION]
    ]
    if (more := len(found.lines) - _IN_QUESTION) > 0:
        text = filled(ngettext_lazy("and %(count)d more", "and %(count)d more", more), count=more)
        lines.append((text, page_url(session.workspace.slug, kind, key) if found.as_of else ""))
    return Affected(deferred(lambda: summary(found, session, none)), lines)


def summary(found: Users, session: EngineSession, none: Text) -> str:
    """How many use an object, in a sentence; `none` if nothing does."""
    flows = sum(1 for line in found.lines if line.kind == FLOWS)
    servers = len(found.lines) - flows
    if not found.complete:
        text = _("%(count)d flows are known to use it; the engine did not list all its flows, so there may be more.")
        return f"{text % {'count': flows}} {hint(session)}".strip()
    said = [str(none)] if not found.lines else []
    if flows:
        said.append(ngettext("%(count)d flow uses it.", "%(count)d flows use it.", flows) % {"count": flows})
    if servers:
        text = ngettext("%(count)d MCP server uses it.", "%(count)d MCP servers use it.", servers)
        said.append(text % {"count": servers})
    if found.as_of:
        said.append(_("As of %(time)s.") % {"time": formats.short_time(found.as_of)})
    return " ".join(said)


def _line_text(line: Line, *, among_others: bool) -> str:
    titles = ", ".join(title for title, _url, _note in line.steps[:_STEPS])
    text = f"{formats.cut(line.name)} ({titles})" if titles else line.name
    return f"{RESOURCES[line.kind].label}: {text}" if among_others else text
