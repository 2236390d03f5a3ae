"""Words of indexed runs: how they are stored, as keyed hashes or as plain text, and the runs that have every word of a text.

A run has words of its message, steps and tags, and, where the index keeps values, those of its inputs and outputs, which are deleted with
them. Rows of the other way of storing, which an index has left that was changed, are deleted when a run's words of that kind are written.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

from django.db.models import F, Q, QuerySet, Value
from django.db.models.functions import Left, StrIndex

from workflows_ui.core import secret_names
from workflows_ui.run_index.models import IndexedRun, RunIndex, RunText, RunWord
from workflows_ui.run_index.services import parts, words
from workflows_ui.run_index.services.parts import NOTHING, Found


def texts(row: IndexedRun, message: str) -> tuple[str, ...]:
    """The texts whose words a run is found by, its message first."""
    return (message, row.failed_step, row.failed_step_title, *(tag for tag in row.tags.split("\n") if tag))


def words_of(said: Sequence[str]) -> list[str]:
    """The words of such texts, without the values of secret names in them."""
    return words.split("\n".join(map(secret_names.mask_text, said)))[: words.MOST]


def write(index: RunIndex, key: str, found: Mapping[int, Sequence[str]], *, of_values: bool = False) -> None:
    """Replace the words of the messages of these runs, by their keys, or those of their values; the others stay.

    `key` is that of the words. In a transaction, with the runs locked.
    """
    hashed = RunWord.objects.filter(run__in=found)
    if index.finds_parts:
        # Words of messages that are stored the other way stay until they are written again (rewriting.py).
        (hashed.filter(of_value=True) if of_values else hashed).delete()
        _write_texts(index, found, of_values=of_values)
        return
    if of_values:
        _cut_values(found)
    else:
        RunText.objects.filter(run__in=found).delete()
    hashed.filter(of_value=of_values).delete()
    rows = [
        RunWord(run_id=pk, word=word, of_value=of_values)
        for pk, new in found.items()
        for word in words.hashes(key, new)
    ]
    # A word of both is one of the message: it stays when the values are deleted.
    if of_values:
        RunWord.objects.bulk_create(rows, batch_size=1000, ignore_conflicts=True)
    else:
        RunWord.objects.bulk_create(
            rows, batch_size=1000, update_conflicts=True, unique_fields=["run", "word"], update_fields=["of_value"]
        )


def _write_texts(index: RunIndex, found: Mapping[int, Sequence[str]], *, of_values: bool) -> None:
    known = dict(RunText.objects.filter(run__in=found).values_list("run_id", "text"))
    rows, empty = list[RunText](), list[int]()
    for pk, new in found.items():
        message, _break, value = known.get(pk, "").partition("\n")
        kinds = (message.split(), new) if of_values else (new, value.split())
        if any(kinds):
            rows.append(RunText(run_id=pk, workspace_id=index.pk, text=parts.stored(*kinds)))
        else:
            empty.append(pk)
    RunText.objects.filter(run__in=empty).delete()
    RunText.objects.bulk_create(
        rows, batch_size=200, update_conflicts=True, unique_fields=["run"], update_fields=["text"]
    )


def stored(key: str, found: Mapping[int, Collection[str]]) -> set[int]:
    """The keys of those of these runs that have all of these words, stored in either way, not counting the words of values."""
    texts = dict(RunText.objects.filter(run__in=found).values_list("run_id", "text"))
    hashed = defaultdict[int, set[int]](set)
    for pk, word in RunWord.objects.filter(run__in=found, of_value=False).values_list("run_id", "word"):
        hashed[pk].add(word)
    return {
        pk
        for pk, said in found.items()
        if set(said) <= set(texts.get(pk, "").partition("\n")[0].split()) or set(words.hashes(key, said)) <= hashed[pk]
    }


def forget(keys: Collection[int]) -> None:
    """Delete all words of these runs."""
    RunWord.objects.filter(run__in=keys).delete()
    RunText.objects.filter(run__in=keys).delete()


def forget_values(keys: Collection[int]) -> None:
    RunWord.objects.filter(run__in=keys, of_value=True).delete()
    _cut_values(keys)


def _cut_values(keys: Collection[int]) -> None:
    """Leave only the words of messages in the plain texts of these runs."""
    RunText.objects.filter(run__in=keys).update(text=Left(F("text"), StrIndex("text", Value("\n"))))


def found_by(index: RunIndex, rows: QuerySet[IndexedRun], text: str) -> Found:
    """Those of these runs of the index that have every word of the text; none if it has no words. Raises CannotOpen."""
    if index.finds_parts:
        return parts.find_rows(RunText, index.pk, rows, "created", text)
    searched = words.searched(text)
    condition = Q() if searched else NOTHING
    for word in words.hashes(index.open("word_key"), searched):
        condition &= Q(pk__in=RunWord.objects.filter(word=word).values("run"))
    return Found(condition)
