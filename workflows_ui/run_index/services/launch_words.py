"""Words of the console's own launches: of inputs, answers and failures, as hashes with the key of the run index that keeps values.

Launches are found by them in the search and in their list, by those who may open them. `words_read` of a launch says how much of it was
read: its inputs at once, everything when it has ended. The newest launches come first, earlier ones after them.
"""

import time
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet

from workflows_ui.core import clock, database, redaction
from workflows_ui.core.crypto import CannotOpen
from workflows_ui.launch_forms.schema import json_text
from workflows_ui.launches.models import SETTLED, Launch, LaunchWord
from workflows_ui.launches.services import launches
from workflows_ui.launches.services import secrets as launch_secrets
from workflows_ui.members.models import Workspace
from workflows_ui.run_index.models import IndexedRun, Kept, RunIndex
from workflows_ui.run_index.services import kept_steps, words
from workflows_ui.run_index.services.rows import NOTHING

log = structlog.get_logger(__name__)

__all__ = ["NOTHING", "backlog", "clear", "due", "erase", "found_by", "read", "trim"]

#: How long a reader has the launches of a workspace, and the seconds that it reads.
LEASE, BUDGET = timedelta(seconds=60), 2.0
#: Launches that are read, and deleted from, in one transaction.
BATCH, DELETED = 20, 500
#: Bytes of inputs that are read: larger ones are files in the shape of JSON.
LARGEST = 1024 * 1024
#: So many launches are searched for by their keys.
FEW = 1000
_NONE, _INPUTS, _ALL = 0, 1, 2


def due() -> list[int]:
    """Ids of the workspaces with launches whose words are to be read, and are not being read."""
    now = clock.now()
    rows = RunIndex.objects.filter(RunIndex.words_lease.free(now), _keeping())
    return [
        index.pk for index in rows if not index.words_cleared or any(kind.exists() for kind in _waiting(index, now))
    ]


def _keeping() -> Q:
    return Q(kept=Kept.VALUES, moves=F("workspace__moves"))


def _since(index: RunIndex, now: datetime) -> datetime:
    return now - min(timedelta(days=index.values_days), settings.LAUNCH_RETENTION)


def _waiting(index: RunIndex, now: datetime) -> tuple[QuerySet[Launch], QuerySet[Launch]]:
    """The launches of which nothing was read, and those that have ended since. Apart, since each is found by the index of the table."""
    rows = Launch.objects.filter(workspace_id=index.pk, asked_at__gte=_since(index, now)).order_by("-asked_at")
    return rows.filter(words_read=_NONE), rows.filter(SETTLED, words_read=_INPUTS)


def backlog(index: RunIndex, most: int) -> int:
    """The number of launches whose words are still to be read, at most so many."""
    if index.kept != Kept.VALUES:
        return 0
    return min(most, sum(kind[:most].count() for kind in _waiting(index, clock.now())))


def read(workspace_id: int) -> None:
    """Read the words of a workspace's launches for one turn. Safe to call any number of times."""
    until = time.monotonic() + BUDGET
    with database.turn():
        index = RunIndex.words_lease.claim(RunIndex.objects.filter(_keeping()), workspace_id, LEASE, clock.now())
        if index is None:
            return
        if not index.words_cleared:
            clear(workspace_id)
            RunIndex.objects.filter(pk=index.pk, started_at=index.started_at).update(words_cleared=True)
        try:
            key = index.open("word_key")
        except CannotOpen:
            return  # The lease stays: it is tried again when it ends.
    more = True
    while more and time.monotonic() < until:
        with database.turn():
            more = _read_some(index, key)
    with database.turn():
        RunIndex.words_lease.release(index)


def _read_some(index: RunIndex, key: str) -> bool:
    """Read the words of some launches; whether there may be more."""
    found = list[Launch]()
    for kind in _waiting(index, clock.now()):
        found += kind.select_related("workspace").defer("payload", "technical")[: BATCH - len(found)]
    runs = IndexedRun.objects.filter(workspace_id=index.pk, run_id__in=[launch.run_id for launch in found])
    erased = set(runs.filter(erased_at__isnull=False).values_list("run_id", flat=True))
    readable = (launch for launch in found if launch.run_id not in erased)
    new = {launch.pk: _hashes(key, launch) for launch in readable}
    with transaction.atomic():
        now = clock.now()
        if not RunIndex.words_lease.renew(RunIndex.objects.filter(_keeping()), index, LEASE, now):
            return False
        index.words_until = now + LEASE
        for launch in found:
            same = Launch.objects.filter(pk=launch.pk, words_read=launch.words_read)
            same.update(words_read=_ALL if launch.settled else _INPUTS)
        LaunchWord.objects.filter(launch__in=[launch.pk for launch in found]).delete()
        LaunchWord.objects.bulk_create(
            [LaunchWord(launch_id=pk, word=word) for pk, hashes in new.items() for word in hashes],
            batch_size=1000,
            ignore_conflicts=True,
        )
    return len(found) == BATCH


def _hashes(key: str, launch: Launch) -> list[int]:
    """The words of a launch as hashes; none if its values are so odd that they cannot be computed: the launch is not tried again until
    it has ended, since it would otherwise be among the first of every turn, and no other launch would be read.
    """
    try:
        return words.hashes(key, _words(launch))
    except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError) as problem:
        log.error("launch_words.not_computed", launch=launch.pk, error=type(problem).__name__)
        return []


def _words(launch: Launch) -> list[str]:
    """The words of a launch, without those of its secret inputs; none if these are not known any more."""
    hidden = launch_secrets.secret_texts(launch)
    if hidden is None:
        return []
    hider = launch_secrets.payload_hider(launch)
    texts = [launch.flow_name]
    try:
        if launch.size <= LARGEST:
            payload = hider.value(launches.payload_without_keys(launch))
            texts += kept_steps.values(redaction.step(payload, secrets=hider.names))
        for field in ("answer", "failure"):
            value = hider.value(_parsed(launches.masked_field(launch, field)))
            texts += kept_steps.values(redaction.step(value, secrets=hider.short))
    except (CannotOpen, json_text.BadPayload):
        return []
    return words.of_values(texts, {word for text in hidden for word in words.split(text)})


def _parsed(text: str) -> object:
    try:
        return json_text.parse(text or "null")
    except json_text.BadPayload:
        return text


def found_by(workspace: Workspace, text: str) -> Q:
    """The condition that a launch of the workspace has every word of a text; NOTHING without a run index that keeps values."""
    index = RunIndex.objects.filter(_keeping(), pk=workspace.pk).first()
    searched = words.searched(text)
    if index is None or not searched:
        return NOTHING
    try:
        key = index.open("word_key")
    except CannotOpen:
        return NOTHING
    first, *others = (LaunchWord.objects.filter(word=word) for word in words.hashes(key, searched))
    condition, rows = Q(pk__in=first.values("launch")), first
    for having in others:
        condition &= Q(pk__in=having.values("launch"))
        rows = rows.filter(launch__in=having.values("launch"))
    # Without their keys, a database may look through all launches for a rare word.
    found = list(rows.values_list("launch_id", flat=True)[: FEW + 1])
    return Q(pk__in=found) if len(found) <= FEW else condition


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
    read = rows.filter(words_read__gt=_NONE)
    while keys := list(read.values_list("pk", flat=True)[:DELETED]):
        with transaction.atomic():
            Launch.objects.filter(pk__in=keys).update(words_read=_NONE)
            LaunchWord.objects.filter(launch__in=keys).delete()


def erase(workspace_id: int, run_id: str) -> None:
    """Delete the words of the launches that led to a run, which is erased: they are not read again."""
    rows = Launch.objects.filter(workspace_id=workspace_id, run_id=run_id)
    LaunchWord.objects.filter(launch__in=rows.values("pk")).delete()
