"""Runs by who launched them: a filter and an order of the list, with a run index and without one.

Builders choose among everybody who launched; anybody else finds their own launches only, as in the list of launches.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

from django.db.models import F, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce, Concat, NullIf, Trim
from django.utils.translation import gettext as _

from workflows_ui.accounts.models import User
from workflows_ui.core import formats
from workflows_ui.core.collation import sort_key
from workflows_ui.core.paths import dicts_at
from workflows_ui.core.prepared import Prepared
from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.launches.models import Launch
from workflows_ui.lists.declaration import Page, Query, Row
from workflows_ui.members.models import Role
from workflows_ui.resource_admin.resource import id_at
from workflows_ui.run_index.models import IndexedRun

#: Number of the newest launches whose people the filter offers.
_OFFERED_FROM = 500
#: Launches whose runs are asked for at a time, and how often for one page of a list, as other filters may leave few of them.
_TOGETHER, _CALLS = 100, 5
#: The name by which the list is ordered (`with_launcher`).
LAUNCHER = "launcher"

_newest = Prepared(
    lambda workspace: (
        Launch.objects.filter(workspace=workspace)
        .order_by("-asked_at", "-pk")
        .values_list("user_id", "user__username", "user__first_name", "user__last_name")[:_OFFERED_FROM]
    ),
    int,
)


def choices(session: EngineSession) -> Sequence[tuple[str, str]]:
    """The people whose launches this person may find, as (key, name)."""
    if not session.allows(Role.BUILDER):
        return [(str(session.user_id), _("You"))] if session.user_id else []
    people = {
        str(pk): User(username=username, first_name=first, last_name=last).label[:80]
        for pk, username, first, last in _newest(session.workspace.pk)
    }
    return sorted(people.items(), key=lambda pair: sort_key(pair[1]))


def launches_of(session: EngineSession, person: str) -> QuerySet[Launch]:
    """The launches of a person that `session` may find: the rule of launches.visible_launches."""
    rows = Launch.objects.filter(workspace=session.workspace)
    if not session.allows(Role.BUILDER):
        rows = rows.filter(user=session.user_id)
    return rows.filter(user=int(person)) if person.isascii() and person.isdecimal() else rows.none()


def condition(session: EngineSession, person: str) -> Q:
    """The condition of an indexed run that a launch of a person led to it: by its id or, until it is found, by its marker."""
    rows = launches_of(session, person)
    found, searched = rows.exclude(run_id=""), rows.filter(run_id="")
    return Q(run_id__in=found.values("run_id")) | (~Q(parent_id="") & Q(parent_id__in=searched.values("pk")))


def with_launcher(rows: QuerySet[IndexedRun], *, descending: bool) -> QuerySet[IndexedRun]:
    """The runs with the name of who launched them, as the list shows it; those that nobody launched come last."""
    name = Trim(Concat(F("user__first_name"), Value(" "), F("user__last_name")))
    launch = Launch.objects.filter(workspace_id=OuterRef("workspace_id"), run_id=OuterRef("run_id"))
    names = launch.order_by("asked_at").values(name=Coalesce(NullIf(name, Value("")), F("user__username")))[:1]
    return rows.annotate(**{LAUNCHER: Coalesce(Subquery(names), Value("" if descending else "\uffff"))})


def page(session: EngineSession, query: Query, flows: Sequence[str] | None, read: Callable[[list[str]], Row]) -> Page:
    """A page of a person's runs without an index: their launches, newest first, say which runs the engine is asked for.

    `flows` limits them to these flows, `read` asks the engine for runs by their ids, with its other filters. A position is that of the last
    launch whose run was asked for. Raises EngineError.
    """
    launches = launches_of(session, query.filters["person"]).exclude(run_id="")
    if flows:
        launches = launches.filter(flow_id__in=flows)
    rows: list[Row] = []
    position, more = query.position, True
    for _call in range(_CALLS):
        batch = list(_after(launches, position)[: min(_TOGETHER, query.rows - len(rows))])
        if not batch:
            more = False
            break
        ids = [run_id for _pk, run_id, _at in batch]
        found = {id_at(row): row for row in dicts_at(read(ids), "data")}
        rows += [found[run_id] for run_id in ids if run_id in found]
        last, _run, at = batch[-1]
        position = f"{at.isoformat()}~{last}"
        if len(rows) >= query.rows:
            break
    more = more and _after(launches, position).exists()
    return Page(rows, older=position if more else "", notice=_note())


def _note() -> str:
    return _("Without a run index, these are the runs of the launches that the console keeps, by the time of launch.")


def _after(launches: QuerySet[Launch], position: str) -> QuerySet[Launch, tuple[str, str, datetime]]:
    rows = launches.order_by("-asked_at", "-pk")
    text, _tilde, pk = position.partition("~")
    if at := formats.moment(text):
        rows = rows.filter(Q(asked_at__lt=at) | Q(asked_at=at, pk__lt=pk))
    return rows.values_list("pk", "run_id", "asked_at")
