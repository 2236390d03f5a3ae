"""Words of the console's own launches: of inputs, answers and failures, stored as the run index that keeps values stores its own.

People find the launches that they may open by them, in the search and in their list. `words_read` of a launch records the part that was
read: its inputs immediately, everything when it has ended. The newest launches come first, earlier ones after them.
"""

import time
from collections.abc import Collection
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from workflows_ui.core import clock, database, json_text, redaction
from workflows_ui.core.crypto import CannotOpen
from workflows_ui.launches.models import SETTLED, Launch, LaunchText, LaunchWord
from workflows_ui.launches.services import secrets as launch_secrets
from workflows_ui.members.models import Workspace
from workflows_ui.run_index.models import IndexedRun, Kept, RunIndex
from workflows_ui.run_index.services import kept_steps, parts, rewriting, words
from workflows_ui.run_index.services.parts import Found

log = structlog.get_logger(__name__)

#: The lease of a reader of a workspace's launches, and the seconds of its turn.
LEASE, BUDGET = timedelta(seconds=60), 2.0
#: Launches that are read, and deleted from, in one transaction.
BATCH, DELETED = 20, 500
#: Bytes of inputs that are read: larger ones are files in the shape of JSON.
LARGEST = 1024 * 1024
#: Up to so many launches are found by their keys.
FEW = 1000
_NONE, _INPUTS, _ALL = 0, 1, 2


def due() -> list[int]:
    """Ids of the workspaces with launches whose words are to be read, or runs whose words are written again, and are not being read."""
    now = clock.now()
    rows = RunIndex.objects.filter(RunIndex.words_lease.free(now), _working())
    return [
        index.pk
        for index in rows
        if index.words_left or not index.words_cleared or any(kind.exists() for kind in _waiting(index, now))
    ]


def _working() -> Q:
    return Q(Q(kept=Kept.VALUES) | Q(words_left__gt=0), moves=F("workspace__moves"))


def _keeping() -> Q:
    return Q(kept=Kept.VALUES, moves=F("workspace__moves"))


def _since(index: RunIndex, now: datetime) -> datetime:
    return now - min(timedelta(days=index.values_days), settings.LAUNCH_RETENTION)


def _waiting(index: RunIndex, now: datetime) -> tuple[QuerySet[Launch], QuerySet[Launch]]:
    """The launches of which nothing was read, and those that have ended since. Separately, since each is found by an index of the table."""
    rows = Launch.objects.filter(workspace_id=index.pk, asked_at__gte=_since(index, now)).order_by("-asked_at")
    return rows.filter(words_read=_NONE), rows.filter(SETTLED, words_read=_INPUTS)


def backlog(index: RunIndex, most: int) -> int:
    """The number of launches whose words are still to be read, at most so many."""
    if index.kept != Kept.VALUES:
        return 0
    return min(most, sum(kind[:most].count() for kind in _waiting(index, clock.now())))


def read(workspace_id: int) -> None:
    """Read the words of a workspace's launches, and write those of its runs again, for one turn. Safe to call any number of times."""
    until = time.monotonic() + BUDGET
    with database.turn():
        index = RunIndex.words_lease.claim(RunIndex.objects.filter(_working()), workspace_id, LEASE, clock.now())
        if index is None:
            return
        if not index.words_cleared:
            clear(workspace_id)
            same = RunIndex.objects.filter(pk=index.pk, started_at=index.started_at, search=index.search)
            same.update(words_cleared=True)
        try:
            key = index.open("word_key")
        except CannotOpen:
            return  # The lease stays: it is tried again when it ends.
    more = True
    while more and time.monotonic() < until:
        with database.turn():
            reads = index.kept == Kept.VALUES and _read_some(index, key)
            writes = bool(index.words_left) and _renew(index, _working()) and rewriting.write_some(index, key)
            more = reads or writes
    with database.turn():
        RunIndex.words_lease.release(index)


def _read_some(index: RunIndex, key: str) -> bool:
    """Read the words of some launches; whether there may be more."""
    found = list[Launch]()
    for kind in _waiting(index, clock.now()):
        found += kind.select_related("workspace").defer("payload", "technical")[: BATCH - len(found)]
    new = {launch.pk: _computed(launch) for launch in found}
    with transaction.atomic():
        if not _renew(index, _keeping()):
            return False
        # Now that the index is locked, no run is being erased.
        for pk in _erased(index.pk, new):
            del new[pk]
        for launch in found:
            same = Launch.objects.filter(pk=launch.pk, words_read=launch.words_read)
            same.update(words_read=_ALL if launch.settled else _INPUTS)
        _forget([launch.pk for launch in found])
        if index.finds_parts:
            texts = {pk: parts.stored(said) for pk, said in new.items() if said}
            rows = [LaunchText(launch_id=pk, workspace_id=index.pk, text=text) for pk, text in texts.items()]
            LaunchText.objects.bulk_create(rows, ignore_conflicts=True)
        else:
            hashed = [LaunchWord(launch_id=pk, word=word) for pk in new for word in words.hashes(key, new[pk])]
            LaunchWord.objects.bulk_create(hashed, batch_size=1000, ignore_conflicts=True)
    return len(found) == BATCH


def _computed(launch: Launch) -> list[str]:
    """The words of a launch; none if its values are so odd that they cannot be computed: the launch is not tried again until
    it has ended, since it would otherwise be among the first of every turn, and no other launch would be read.
    """
    try:
        return _words(launch)
    except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError) as problem:
        log.error("launch_words.not_computed", launch=launch.pk, error=type(problem).__name__)
        return []


def _erased(workspace_id: int, keys: Collection[str]) -> list[str]:
    """Those of these launches whose runs were erased."""
    run_ids = dict(Launch.objects.filter(pk__in=keys).exclude(run_id="").values_list("pk", "run_id"))
    runs = IndexedRun.objects.filter(workspace_id=workspace_id, run_id__in=run_ids.values(), erased_at__isnull=False)
    erased = set(runs.values_list("run_id", flat=True))
    return [pk for pk, run_id in run_ids.items() if run_id in erased]


def _renew(index: RunIndex, working: Q) -> bool:
    now = clock.now()
    if not RunIndex.words_lease.renew(RunIndex.objects.filter(working), index, LEASE, now):
        return False
    index.words_until = now + LEASE
    return True


def _forget(keys: Collection[str]) -> None:
    """Delete the words of these launches."""
    LaunchWord.objects.filter(launch__in=keys).delete()
    LaunchText.objects.filter(launch__in=keys).delete()


def _words(launch: Launch) -> list[str]:
    """The words of a launch, without those of its secret inputs; none if these are not known any more."""
    hidden = launch_secrets.secret_texts(launch)
    if hidden is None:
        return []
    hider = launch_secrets.payload_hider(launch)
    texts = [launch.flow_name]
    try:
        if launch.size <= LARGEST:
            payload = hider.value(launch_secrets.payload_without_keys(launch))
            texts += kept_steps.values(redaction.step(payload, secrets=hider.names))
        for field in ("answer", "failure"):
            value = hider.value(_parsed(launch_secrets.masked_field(launch, field)))
            texts += kept_steps.values(redaction.step(value, secrets=hider.short))
    except (CannotOpen, json_text.BadPayload):
        return []
    return words.of_values(texts, {word for text in hidden for word in words.split(text)})


def _parsed(text: str) -> object:
    try:
        return json_text.parse(text or "null")
    except json_text.BadPayload:
        return text


def found_by(workspace: Workspace, text: str, rows: QuerySet[Launch]) -> Found:
    """Those of these launches that have every word of a text; none without a run index that keeps values.

    `rows` are launches of the workspace with all other conditions.
    """
    index = RunIndex.objects.filter(_keeping(), pk=workspace.pk).first()
    searched = words.searched(text)
    if index is None or not searched:
        return Found()
    if index.finds_parts:
        return parts.find_rows(LaunchText, workspace.pk, rows, "asked_at", text)
    try:
        key = index.open("word_key")
    except CannotOpen:
        return Found()
    first, *others = (LaunchWord.objects.filter(word=word) for word in words.hashes(key, searched))
    condition, having = Q(pk__in=first.values("launch")), first
    for other in others:
        condition &= Q(pk__in=other.values("launch"))
        having = having.filter(launch__in=other.values("launch"))
    # Without their keys, a database may look through all launches for a rare word.
    found = list(having.values_list("launch_id", flat=True)[: FEW + 1])
    return Found(Q(pk__in=found) if len(found) <= FEW else condition)


def trim(index: RunIndex) -> None:
    """Delete the words that the index's setting does not keep any more."""
    if index.kept == Kept.VALUES:
        _clear(Launch.objects.filter(workspace_id=index.pk, asked_at__lt=_since(index, clock.now())))
    else:
        clear(index.pk)


def clear(workspace_id: int) -> None:
    """Delete all words of a workspace's launches: without an index, or of an earlier one, whose key is gone."""
    _clear(Launch.objects.filter(workspace_id=workspace_id))


def _clear(rows: QuerySet[Launch]) -> None:
    """In short transactions: a killed process leaves the rest to the next."""
    kinds = (LaunchText.objects.filter(launch=OuterRef("pk")), LaunchWord.objects.filter(launch=OuterRef("pk")))
    # A launch that has changed counts as not read, and keeps its words until it is read again: these are few.
    for left in (rows.filter(words_read__gt=_NONE), *(rows.filter(Exists(kind)) for kind in kinds)):
        while keys := list(left.values_list("pk", flat=True)[:DELETED]):
            with transaction.atomic():
                Launch.objects.filter(pk__in=keys).update(words_read=_NONE)
                _forget(keys)


def erase(workspace_id: int, run_id: str) -> None:
    """Delete the words of the launches that led to a run, which is erased: they are not read again."""
    _forget(list(Launch.objects.filter(workspace_id=workspace_id, run_id=run_id).values_list("pk", flat=True)))
