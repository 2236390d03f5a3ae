"""Look-ups of indexed objects and their uses, for pages, the search and confirmations.

A kind is looked up only once it was read completely with the index's present credential.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Case, IntegerField, QuerySet, When

from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.run_index.models import IndexedKind, IndexedObject, ObjectUse
from workflows_ui.run_index.services import indexes, objects
from workflows_ui.run_index.services.object_rows import FLOWS, SERVERS, Use


@dataclass
class User:
    """A flow or MCP server that uses an object, and with which steps or tools.

    Attributes:
        kind, id, name: of the flow or server.
        draft: whether the flow has a newer version than the one that runs.
        steps: the uses, each step once.
    """

    kind: str
    id: str
    name: str
    draft: bool = False
    steps: dict[str, "Step"] = field(default_factory=dict)

    def add(self, use: Use) -> None:
        self.steps.setdefault(use.step or use.title, Step(use.step, use.title)).versions.add(use.live)


@dataclass
class Step:
    """A step's own name and title, and in which versions it is: True for the one that runs, False for a newer draft."""

    name: str
    title: str
    versions: set[bool] = field(default_factory=set)


def known_kinds(session: EngineSession) -> Mapping[str, IndexedKind]:
    """The kinds that were read completely, by their names; empty without an index that this person may see."""
    index = indexes.for_session(session)
    if index is None:
        return {}
    read = IndexedKind.objects.filter(index=index, credential=index.credential_id, read_at__isnull=False)
    return session.once("indexed kinds", lambda: {row.kind: row for row in read})


def current(index_id: int, kind: str = "") -> QuerySet[IndexedObject]:
    """The objects that the engine has, of a kind or of all."""
    rows = IndexedObject.objects.filter(index=index_id, gone_at__isnull=True)
    return rows.filter(kind=kind) if kind else rows


def _known(session: EngineSession, kind: str) -> QuerySet[IndexedObject]:
    """The objects of a kind that the engine has; none if the index does not know the kind."""
    rows = current(session.workspace.pk, kind)
    return rows if kind in known_kinds(session) else rows.none()


def as_of(session: EngineSession) -> datetime | None:
    """As of when uses are known; None if the engine has to be read: without an index, and after a change by the console."""
    kinds = known_kinds(session)
    if FLOWS not in kinds or any(kinds[kind].changed_at for kind in (FLOWS, SERVERS) if kind in kinds):
        return None
    return min(row.read_at for kind, row in kinds.items() if kind in (FLOWS, SERVERS) and row.read_at)


def users_of(session: EngineSession, kind: str, keys: Collection[str]) -> list[User]:
    """The flows and MCP servers that use an object, by one of its keys."""
    kinds = known_kinds(session)
    rows = ObjectUse.objects.filter(
        kind=kind,
        key__in=[key[:200] for key in keys if key],
        user__index=session.workspace.pk,
        user__kind__in=[name for name in (FLOWS, SERVERS) if name in kinds],
        user__gone_at__isnull=True,
    )
    found: dict[tuple[str, str], User] = {}
    user_values = ("user__kind", "user__object_id", "user__name", "user__data")
    for user_kind, key, name, data, step, title, live in rows.order_by("pk").values_list(
        *user_values, "step", "title", "live"
    ):
        user = found.get((user_kind, key))
        if user is None:
            published = data.get("publishedVersionId")
            draft = bool(published) and published != data.get("version", {}).get("id")
            user = found[user_kind, key] = User(user_kind, key, name, draft)
        user.add(Use(kind, "", step, title, live))
    return list(found.values())


def all_users(session: EngineSession) -> list[tuple[IndexedObject, Sequence[Use]]]:
    """Every flow of the index with its uses."""
    rows = current(session.workspace.pk, FLOWS).order_by("pk")
    used = objects.stored_uses(rows.order_by())
    return [(row, used.get(row.pk, ())) for row in rows]


def uses_of(session: EngineSession, flow_id: str) -> list[Use]:
    """The uses of a flow, of its draft and of the version that runs."""
    rows = ObjectUse.objects.filter(user__in=_known(session, FLOWS).filter(object_id=flow_id[:64]))
    return [Use(*use) for use in rows.order_by("pk").values_list(*Use._fields)]


def search(
    session: EngineSession, kinds: Collection[str], words: Sequence[str], most: int
) -> list[tuple[str, str, dict[str, object]]]:
    """(kind, id, data) of the objects whose names have all of these words, which are without case and accents; at most so many of a kind.

    Those whose names begin with the first word come first.
    """
    found: list[tuple[str, str, dict[str, object]]] = []
    for kind in kinds if words else ():
        rows = _known(session, kind)
        for word in words:
            rows = rows.filter(plain_name__contains=word)
        first = Case(When(plain_name__startswith=words[0], then=0), default=1, output_field=IntegerField())
        found += rows.order_by(first, "plain_name", "pk").values_list("kind", "object_id", "data")[:most]
    return found


def names(session: EngineSession, kind: str) -> dict[str, tuple[str, str]]:
    """(id, name) of the objects of a kind, by their ids and external ids; empty if the index does not know the kind."""
    result: dict[str, tuple[str, str]] = {}
    for key, external, name in _known(session, kind).values_list("object_id", "external_id", "name"):
        result |= dict.fromkeys(filter(None, (key, external)), (key, name or key))
    return result


def starting_apps(session: EngineSession) -> dict[str, str]:
    """The apps that start flows, as whole names of pieces by the flows' ids; empty if the index does not know flows."""
    return dict(_known(session, FLOWS).exclude(piece="").values_list("object_id", "piece"))


def in_folder(session: EngineSession, folder_id: str, most: int) -> list[dict[str, object]]:
    """The flows in a folder, as they are kept, by name."""
    rows = _known(session, FLOWS).filter(folder_id=folder_id[:64])
    return list(rows.order_by("plain_name", "pk").values_list("data", flat=True)[:most])


def flows_using(session: EngineSession, kind: str) -> dict[str, list[str]]:
    """The ids of the flows that use objects of a kind, by the keys of these."""
    found: dict[str, list[str]] = {}
    rows = ObjectUse.objects.filter(kind=kind, user__in=_known(session, FLOWS))
    for key, flow in rows.order_by("key").values_list("key", "user__object_id").distinct():
        found.setdefault(key, []).append(flow)
    return found


def row_of(session: EngineSession, kind: str, id: str) -> dict[str, object] | None:
    """The kept values of an object, in the engine's format; None if the index lacks it."""
    return _known(session, kind).filter(object_id=id[:64]).values_list("data", flat=True).first()
