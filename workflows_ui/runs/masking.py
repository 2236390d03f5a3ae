"""Masks the parts of runs that a person may not see: secrets, and the inputs of launches that they may not open."""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import TypeGuard

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from workflows_ui.core import redaction
from workflows_ui.core.paths import dict_at
from workflows_ui.core.readers import as_items, is_nested, mapping_of
from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.engine import alternatives, encoded_forms, escaped_forms
from workflows_ui.launch_forms.services import sources
from workflows_ui.launches.models import Launch
from workflows_ui.launches.services import launches, secrets as launch_secrets
from workflows_ui.resource_admin.resource import Row, id_at, pick
from workflows_ui.runs import reading, starters

WITHHELD = gettext_lazy("(not shown: it was sent with a launch that only its launcher and builders may open)")
#: Where a webhook's trigger holds the sent data (recording `run_get_SUCCEEDED`); of another trigger it is the whole output.
_SENT = ("body", "queryParams", "rawBody")
#: Maximum number of distinct values searched for in steps; if more were sent, no values of steps are shown.
_MOST = 500
#: Shorter texts are not searched for inside others, since they would match by chance; of longer ones the beginning is.
_WITHIN, _BEGINNING = 4, 64
#: Characters that are searched for one spelling after the other, such as a message in a list: faster than to compile a pattern of all.
_ONE_BY_ONE = 4_000
_DEEPEST = 60


def masked(session: EngineSession, rows: Sequence[Row]) -> list[Row]:
    """Runs as this person may see them. Two queries, and one more if a launch has masked values.

    Payloads are decrypted only if their values are searched for.
    """
    found = _launches(session, rows)
    retried = starters.retried_launches(session, rows)
    ids_by_row = [(row, {*starters.related_ids(row), retried.get(id_at(row), "")}) for row in rows]
    return [
        _masked(session, row, [launch for launch in found if ids & {launch.run_id, launch.pk}])
        for row, ids in ids_by_row
    ]


def _masked(session: EngineSession, row: Row, related: Sequence[Launch]) -> Row:
    masked_row, short = row, frozenset[str]()
    for launch in related:
        if not launches.may_open(launch, session.user_id, session.role):
            masked_row = _withheld(masked_row, launch)
        if launch.secret_marks:
            hider = launch_secrets.payload_hider(launch)
            masked_row, short = mapping_of(hider.value(masked_row)), short | hider.short
    result: Row = redaction.step(masked_row, secrets=short)
    return result


def _launches(session: EngineSession, rows: Sequence[Row]) -> list[Launch]:
    """The launches of these runs of which this person may not see everything."""
    masked_ones = [
        launch.pk
        for launch in starters.related_launches(session, rows)
        if launch.secret_marks or not launches.may_open(launch, session.user_id, session.role)
    ]
    if not masked_ones:
        return []  # Most lists have none, and Django takes a millisecond to find that nothing is in an empty list.
    # Without the columns that may be many megabytes.
    found = Launch.objects.filter(pk__in=masked_ones, workspace=session.workspace)
    return list(found.defer("payload", "answer", "failure", "technical"))


def body(run: Row) -> object | None:
    """What the trigger of a masked run was given, of a call its body; None if it is not kept, or not shown to this person."""
    return next(iter(sources.body_of(pick(run, "steps.trigger.output"))), None)


# --- Without the sent data ---------------------------------------------------------------------------


def _withheld(row: Row, launch: Launch) -> Row:
    """The run without the launch's inputs, also where its steps repeat them."""
    steps = dict_at(row, "steps")
    output = pick(steps, "trigger.output")
    # Of the trigger, the run index may keep names only, or nothing if it was too large.
    unsaid = not is_call(output) or reading.READ_AT in row
    values = [output[key] for key in _SENT if key in output] if is_call(output) else [output]
    searched = unsaid and (steps or pick(row, "failedStep.message"))
    payload = launch_secrets.payload_or_none(launch) if searched else None
    sent = _Sent([*values, payload], unknown=bool(searched) and payload is None)
    copy = dict(row)
    if steps:
        copy["steps"] = {name: sent.step(name, item) for name, item in steps.items()}
    if failed := dict_at(row, "failedStep"):
        copy["failedStep"] = {**failed, "message": sent.without(failed.get("message"))}
    return copy


def is_call(output: object) -> TypeGuard[Mapping[str, object]]:
    """Whether the output of a trigger is a request to a webhook."""
    return any(key in mapping_of(output) for key in _SENT)


class _Sent:
    """The sent values, to be found in the data of steps; `unknown`: they are not kept any more, so that everything may repeat them."""

    def __init__(self, values: Sequence[object], *, unknown: bool = False) -> None:
        texts: set[str] = set()
        for value in values:
            for text in _texts(value, 0):
                texts.add(text)
                if len(texts) > _MOST:
                    break
        self._all = unknown or len(texts) > _MOST
        # In any case: steps change it.
        self._alone: set[str] = set()
        self._within: set[str] = set()
        self._searched = 0
        for text in texts if not self._all else ():
            spellings = encoded_forms if len(text) >= launch_secrets.SHORTEST else escaped_forms
            found = self._within if len(text) >= _WITHIN else self._alone
            found.update(form.casefold() for form in spellings(text[:_BEGINNING]))

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        return re.compile(alternatives(self._within))

    def _repeats(self, text: str) -> bool:
        """Whether a text is a sent value, or holds one, in any spelling."""
        text = text.casefold()
        if text in self._alone or not self._within:
            return text in self._alone
        self._searched += len(text)
        if self._searched <= _ONE_BY_ONE:
            return any(form in text for form in self._within)
        return self._pattern.search(text) is not None

    def step(self, name: str, step: object) -> object:
        """A step of the run; the trigger's output without the sent data."""
        found = mapping_of(step)
        if not found:
            return self.without(step)
        copy = dict(found)
        for key in ("input", "output", "errorMessage"):
            if key in found:
                sent = name == "trigger" and key == "output"
                copy[key] = _without_sent(found[key]) if sent else self.without(found[key])
        return copy

    def without(self, value: object, depth: int = 0) -> object:
        """A copy of a value with WITHHELD instead of anything that repeats the sent data."""
        if value is True or value is False or value in (None, "", [], {}):
            return value
        if self._all:
            return str(WITHHELD)
        if depth <= _DEEPEST and (members := mapping_of(value)):
            return {key: self.without(inner, depth + 1) for key, inner in members.items()}
        if depth <= _DEEPEST and (items := as_items(value)):
            return [self.without(inner, depth + 1) for inner in items]
        return str(WITHHELD) if self._repeats(str(value)) else value


def _without_sent(output: object) -> object:
    if is_call(output):
        return {key: str(WITHHELD) if key in _SENT and value else value for key, value in output.items()}
    return str(WITHHELD) if output not in (None, "", [], {}) else output


def _texts(value: object, depth: int) -> Iterator[str]:
    if depth <= _DEEPEST and is_nested(value):
        for inner in mapping_of(value).values() or as_items(value):
            yield from _texts(inner, depth + 1)
    elif value not in (None, "") and not isinstance(value, bool | Promise):
        yield str(value)
