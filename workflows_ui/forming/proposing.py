"""A form proposed for a flow: from what its steps read, its own form trigger, the stored sample, and what was sent before."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from workflows_ui.forming import learning, naming, references, values
from workflows_ui.forming.document import (
    CELLS,
    LONG,
    MOST_DEPTH,
    MOST_FIELDS,
    NUMBERS,
    SHORT,
    TEXTS,
    Blank,
    Column,
    Field,
    Form,
    Kind,
    Why,
    label_from,
    name_for,
)
from workflows_ui.forming.learning import Learnt
from workflows_ui.forming.paths import ITEM
from workflows_ui.forming.references import Reference
from workflows_ui.forming.trigger_fields import Asked, of_trigger

#: The newest payloads that are learnt from.
MOST_PAYLOADS = 10_000
#: A field is required where so many payloads were seen and all of them had it.
_ENOUGH = 3


@dataclass(frozen=True)
class Sources:
    """What a form is proposed from.

    Attributes:
        trigger: the root of the flow's step tree (api.md 6.3).
        payloads: what was sent before, newest first.
        samples: bodies of stored sample events, newest first. Their values may be shown as examples; those of payloads never are.
    """

    trigger: Any = None
    payloads: Sequence[Any] = ()
    samples: Sequence[Any] = ()


@dataclass
class _Place:
    """One place in the body: what reads it, what it asks for, what was seen there, and the places inside it."""

    path: tuple[str, ...]
    inner: dict[str, _Place] = field(default_factory=dict)
    read_by: list[str] = field(default_factory=list)
    hints: list[Kind] = field(default_factory=list)
    #: For the items of a list: what is read of each.
    item_keys: dict[str, None] = field(default_factory=dict)
    items: bool = False
    asked: Asked | None = None
    #: Its objects have keys that fields cannot stand for: too many, or too long ones.
    closed: bool = False
    found: list[Any] = field(default_factory=list)
    samples: list[Any] = field(default_factory=list)

    def at(self, key: str) -> _Place:
        """The place below, made where there is none."""
        return self.inner.setdefault(key, _Place((*self.path, key)))


def propose(sources: Sources) -> Form:
    """A form that accepts everything that was sent before, and asks for what the flow reads.

    From one payload it gives exactly that payload back; from many, all that is filled in, with empty ones as most of them were.
    Nothing of it is sent or stored: a builder reviews it.
    """
    payloads = list(sources.payloads[:MOST_PAYLOADS])
    bodies = [*payloads, *sources.samples]
    exact = len(bodies) == 1
    if bodies and not all(isinstance(body, dict) for body in bodies):
        return Form((_whole(bodies, payloads, exact=exact),))
    root = _Place((), found=payloads, samples=list(sources.samples))
    asked = of_trigger(sources.trigger, bodies)
    for one in asked.fields:
        root.at(one.key).asked = one
    for reference in references.of_flow(sources.trigger, body_is_output=asked.body_is_output):
        _read(root, reference)
    _spread(root)
    for depth in range(MOST_DEPTH, -1, -1):
        form = _Writer(len(payloads), len(bodies), depth, exact=exact).form(root)
        if len(form.fields) <= MOST_FIELDS:
            return form
    raise AssertionError("a form of one field is not too long")  # depth 0


def _whole(bodies: Sequence[Any], payloads: Sequence[Any], *, exact: bool) -> Field:
    """The one field of a body that is no object: a list where it always is a filled one, else JSON."""
    learnt = learning.learn(bodies, exact=exact)
    why = Why(seen=len(payloads), of=len(payloads))
    if learnt is None or learnt.kind not in (Kind.LIST, Kind.TABLE) or learnt.blank is not Blank.ABSENT:
        return Field("body", (), kind=Kind.JSON, required=True, why=why)
    return Field("body", (), kind=learnt.kind, required=True, item=learnt.item, columns=learnt.columns, why=why)


def _read(root: _Place, reference: Reference) -> None:
    """Notes what a step reads. What is read of the body as a whole says nothing about its fields."""
    place = root
    for number, key in enumerate(reference.path):
        if key is ITEM or isinstance(key, int):
            place.items = True
            rest = reference.path[number + 1 :]
            if rest and isinstance(rest[0], str):
                place.item_keys.setdefault(rest[0])
            break
        if number >= MOST_DEPTH or len(key) > SHORT:
            break
        place = place.at(key)
    if place is root:
        return
    if reference.step and reference.step not in place.read_by:
        place.read_by.append(reference.step)
    if reference.hint is not None and not (place.items and reference.hint is not Kind.LIST):
        place.hints.append(reference.hint)


def _spread(root: _Place) -> None:
    """Hands what was seen down to the places inside, as deep as objects go."""
    waiting = [root]
    while waiting:
        place = waiting.pop()
        if len(place.path) >= MOST_DEPTH + 1:
            continue
        found = learning.by_key(value for value in place.found if type(value) is dict)
        samples = learning.by_key(value for value in place.samples if type(value) is dict)
        keys = dict.fromkeys([*found, *samples])
        if not _takes_fields(place, keys):
            place.closed = bool(keys)
            continue
        for key in keys:
            inner = place.at(key)
            inner.found, inner.samples = found.get(key, []), samples.get(key, [])
        waiting.extend(place.inner.values())


def _takes_fields(place: _Place, keys: Iterable[str]) -> bool:
    """Whether all that was seen there are objects (or nulls) whose keys can be places of fields."""
    seen = [*place.found, *place.samples]
    keys = list(keys)
    return (
        bool(keys)
        and len(keys) <= MOST_FIELDS
        and set(map(type, seen)) <= {dict, type(None)}
        and all(sum(map(len, place.path)) + len(key) <= LONG for key in keys)
    )


class _Writer:
    """Writes the fields of the places; those deeper than `depth` are JSON."""

    def __init__(self, of: int, bodies: int, depth: int, *, exact: bool) -> None:
        self.of, self.bodies, self.depth, self.exact = of, bodies, depth, exact
        self.names: set[str] = set()
        self.fields: list[Field] = []

    def form(self, root: _Place) -> Form:
        if root.closed or (self.depth == 0 and root.inner):
            return Form((Field("body", (), kind=Kind.JSON, required=True, why=Why(seen=self.of, of=self.of)),))
        for place in root.inner.values():
            self._place(place)
            if len(self.fields) > MOST_FIELDS:
                break
        return Form(tuple(self.fields))

    def _mostly_missing(self, seen: Sequence[Any]) -> bool:
        """Whether it was more often not there than there and empty."""
        missing = self.bodies - len(seen)
        return missing > 0 and missing >= sum(value in (None, "", []) for value in seen if not value)

    def _place(self, place: _Place) -> None:
        if self._is_object(place):
            for inner in place.inner.values():
                self._place(inner)
        else:
            one = self._field(place)
            self.names.add(one.name)
            self.fields.append(one)

    def _is_object(self, place: _Place) -> bool:
        if not place.inner or place.items or place.closed or len(place.path) >= self.depth:
            return False
        seen = [*place.found, *place.samples]
        if not set(map(type, seen)) <= ({dict} if self.exact else {dict, type(None)}):
            return False
        # An empty object comes back only as JSON; with many payloads it counts as one that was left empty.
        return all(seen) if self.exact else any(seen) or not seen

    def _field(self, place: _Place) -> Field:
        seen = [*place.found, *place.samples]
        learnt = learning.learn(seen, exact=self.exact)
        if learnt is None:
            learnt = _unseen(place)
        elif learnt.kind is Kind.LIST and learnt.distinct and not any(seen) and place.item_keys and not self.exact:
            learnt = replace(_unseen(place), blank=learnt.blank)
        elif learnt.kind is Kind.TEXT:
            named = _by_name(place, learnt.kind, seen)
            choices = () if named is not Kind.TEXT or naming.one_of_a_kind(place.path[-1]) else learnt.choices
            learnt = replace(learnt, kind=named, choices=choices)
        plain = learnt.kind in NUMBERS or learnt.kind is Kind.YES_NO
        empty = place.found.count(None) if plain else sum(map(_empty, place.found))
        filled = len(place.found) - empty
        required = self._required(place, filled)
        one = Field(
            name=name_for(place.path, self.names),
            path=place.path,
            label=label_from(place.path[-1]),
            kind=Kind.CHOICE if learnt.choices else learnt.kind,
            required=required,
            choices=learnt.choices,
            other=bool(learnt.choices),
            blank=Blank.ABSENT if required or self._mostly_missing(seen) else learnt.blank,
            moment=learnt.moment,
            item=learnt.item,
            columns=learnt.columns,
            example=_example(place, learnt),
            why=Why(
                read_by=tuple(place.read_by[:20]),
                seen=len(place.found),
                of=self.of,
                values=learnt.distinct if self.of else 0,
                sample=bool(place.samples),
                trigger=place.asked is not None,
            ),
        )
        return _as_asked(one, place.asked, seen) if place.asked else one

    def _required(self, place: _Place, filled: int) -> bool:
        """Whether to insist on it: all of enough payloads had it filled in, or there is no history and a step reads it."""
        if self.of >= _ENOUGH:
            return filled == self.of
        empty_before = filled < self.of or any(map(_empty, place.samples))
        return bool(place.read_by) and not empty_before


def _empty(value: Any) -> bool:
    return value in (None, "", []) if not value else type(value) is str and value.isspace()


def _unseen(place: _Place) -> Learnt:
    """The kind of what was never seen: by what reads it, else by its name."""
    if place.item_keys:
        taken: set[str] = set()
        columns = []
        for key in place.item_keys:
            name = name_for((key,), taken)
            taken.add(name)
            columns.append(
                Column(name, key, label_from(key), naming.kind_of(key) if naming.kind_of(key) in CELLS else Kind.TEXT)
            )
        return Learnt(Kind.TABLE, columns=tuple(columns[:30]))
    if place.items or Kind.LIST in place.hints:
        return Learnt(Kind.LIST)
    if place.inner:
        return Learnt(Kind.JSON)
    return Learnt(place.hints[0] if place.hints else naming.kind_of(place.path[-1]))


def _by_name(place: _Place, kind: Kind, seen: Sequence[Any]) -> Kind:
    """A text whose name says more than its values do: a phone number written without its country, a text that will be long."""
    named = naming.kind_of(place.path[-1])
    some = [value for value in seen if isinstance(value, str) and value]
    if named is Kind.PHONE and all(values.is_phone(text) and text == text.strip() for text in some):
        return named
    return named if named is Kind.LONG_TEXT else kind


def _example(place: _Place, learnt: Learnt) -> str:
    """The newest sample's value, where it is short. Never from what people sent: that is theirs."""
    for value in place.samples:
        if isinstance(value, str) and 0 < len(value) <= 60 and learnt.kind in TEXTS and values.plain_text(value):
            return value
        if isinstance(value, int | float) and not isinstance(value, bool) and learnt.kind in NUMBERS:
            return str(value)[:60]
    return ""


def _as_asked(one: Field, asked: Asked, seen: Sequence[Any]) -> Field:
    """The field as the flow's own form asks for it, as far as what was sent before fits."""
    fits = asked.kind in (Kind.TEXT, Kind.FILE) or one.kind in (asked.kind, Kind.TEXT) or not seen
    # A text may well be a phone number; a file that was sent as text before is one no longer.
    as_before = asked.kind is Kind.TEXT or not fits or (asked.kind is Kind.FILE and bool(seen))
    kind = one.kind if as_before else asked.kind
    required = asked.required and not any(map(_empty, seen))
    return replace(
        one,
        label=asked.label[:SHORT],
        help=asked.help[:LONG],
        kind=kind,
        required=required,
        blank=Blank.ABSENT if required else one.blank,
    )
