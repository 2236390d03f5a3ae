"""Proposal of a form for a flow, from what its steps read, its own form trigger, stored samples, and past payloads."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, islice

from workflows_ui.core.json_values import JsonType, json_type
from workflows_ui.core.paths import text_of
from workflows_ui.core.secret_names import mask_text, names_secret
from workflows_ui.form_schema import values
from workflows_ui.form_schema.document import (
    CELLS,
    LONG,
    MOST_COLUMNS,
    MOST_DEPTH,
    MOST_FIELDS,
    NUMBERS,
    SHORT,
    TEXTS,
    Blank,
    Column,
    Field,
    FieldKind,
    Form,
    Why,
    is_number,
    name_for,
)
from workflows_ui.form_schema.labels import label_from
from workflows_ui.launch_forms.proposal import learning, naming, references
from workflows_ui.launch_forms.proposal.code_reading import ITEM
from workflows_ui.launch_forms.proposal.learning import inferred
from workflows_ui.launch_forms.proposal.references import Reference
from workflows_ui.launch_forms.proposal.trigger_fields import read_trigger_form

#: Number of the latest payloads that are used.
MOST_PAYLOADS = 10_000
#: A field is required if at least so many payloads were seen and all of them had it.
_ENOUGH = 3


@dataclass
class _Node:
    """A node of the body: its readers, the field of the flow's own form, its past values, and its inner nodes."""

    path: tuple[str, ...]
    inner: dict[str, _Node] = field(default_factory=dict)
    read_by: list[str] = field(default_factory=list)
    hints: list[FieldKind] = field(default_factory=list)
    #: For a list: the keys that are read of its items.
    item_keys: dict[str, None] = field(default_factory=dict)
    items: bool = False
    requested: Field | None = None
    #: Its objects have keys that cannot become fields: too many, or too long ones.
    closed: bool = False
    past: list[object] = field(default_factory=list)
    samples: list[object] = field(default_factory=list)

    @property
    def seen(self) -> list[object]:
        return [*self.past, *self.samples]

    @property
    def secret(self) -> bool:
        """Whether its name, or that of an outer object, is that of a secret, so that none of its values may be displayed."""
        return any(map(names_secret, self.path))

    def at(self, key: str) -> _Node:
        """The inner node, created if it is missing."""
        return self.inner.setdefault(key, _Node((*self.path, key)))


def propose(
    trigger: object = None, payloads: Sequence[object] = (), samples: Sequence[object] = (), *, accept_all: bool = False
) -> Form:
    """A form that has fields for all that the flow reads, and accepts past payloads as far as these fields allow.

    A form made from one payload reproduces exactly that payload; one made from many reproduces all filled-in values, and empty values
    as most of them were. Nothing is sent or stored: a builder reviews it.

    Args:
        trigger: the root of the flow's step tree (api.md 6.3).
        payloads: past payloads, newest first.
        accept_all: the form must accept all payloads, even if that takes JSON in place of fields.
        samples: bodies of stored sample events, newest first. Their values may become examples; those of payloads never do.
    """
    payloads = list(payloads[:MOST_PAYLOADS])
    read = propose(trigger) if (payloads or samples) and not accept_all else Form()
    if read.fields:
        # The flow reads fields of an object, so other bodies were mistakes.
        payloads = list(filter(_is_object, payloads))
        samples = list(filter(_is_object, samples))
    bodies = [*payloads, *samples]
    exact = len(bodies) == 1
    if bodies and not all(map(_is_object, bodies)):
        # A body that is not an object: a list if it always is a non-empty one, else JSON.
        body = learning.learn(bodies, exact=exact)
        listed = body is not None and body.kind in (FieldKind.LIST, FieldKind.TABLE) and body.blank is Blank.ABSENT
        return Form((_body(body if body is not None and listed else inferred(kind=FieldKind.JSON), len(payloads)),))
    root = _Node((), past=payloads, samples=list(samples))
    requested_fields = read_trigger_form(trigger, bodies)
    for requested in requested_fields or ():
        root.at(requested.path[0]).requested = requested
    for reference in references.find_references(trigger, body_is_output=requested_fields is not None):
        _add_reference(root, reference)
    _distribute_values(root)
    writer = _Writer(len(payloads), len(bodies), exact, accept_all)
    for depth in range(0 if root.closed else MOST_DEPTH, 0, -1):
        nodes = chain.from_iterable(writer.nodes(node, depth) for node in root.inner.values())
        fields = writer.fields(islice(nodes, MOST_FIELDS + 1))
        if len(fields) <= MOST_FIELDS:
            return Form(fields)
    if read.fields and all(field.path for field in read.fields):
        return read
    return Form((_body(inferred(kind=FieldKind.JSON), len(payloads)),))


def _is_object(body: object) -> bool:
    return json_type(body) is JsonType.OBJECT


def _body(field: Field, payload_count: int) -> Field:
    """The only field of a form, for the whole body."""
    return replace(field, name="body", required=True, why=Why(seen=payload_count, payloads=payload_count))


def _add_reference(root: _Node, reference: Reference) -> None:
    """Add a step's reference. A reference to the whole body adds no node."""
    node = root
    for number, key in enumerate(reference.path):
        if key is ITEM or isinstance(key, int):
            node.items = True
            rest = reference.path[number + 1 :]
            if rest and isinstance(rest[0], str):
                node.item_keys.setdefault(rest[0])
            break
        if number >= MOST_DEPTH or len(key) > SHORT:
            break
        node = node.at(key)
    if node is root:
        return
    if reference.step and reference.step not in node.read_by:
        node.read_by.append(reference.step)
    if reference.hint is not None and not (node.items and reference.hint is not FieldKind.LIST):
        node.hints.append(reference.hint)


def _distribute_values(root: _Node) -> None:
    """Distribute past values to the inner nodes, down to the depth of the objects."""
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if len(node.path) >= MOST_DEPTH + 1:
            continue
        past = learning.by_key(value for value in node.past if type(value) is dict)
        samples = learning.by_key(value for value in node.samples if type(value) is dict)
        keys = dict.fromkeys([*past, *samples])
        if not _takes_fields(node, keys):
            node.closed = bool(keys)
            continue
        for key in keys:
            inner = node.at(key)
            inner.past, inner.samples = past.get(key, []), samples.get(key, [])
        waiting.extend(node.inner.values())


def _takes_fields(node: _Node, keys: Collection[str]) -> bool:
    """Whether all past values are objects (or null) whose keys can become fields."""
    return (
        0 < len(keys) <= MOST_FIELDS
        and set(map(type, node.seen)) <= {dict, type(None)}
        and all(sum(map(len, node.path)) + len(key) <= LONG for key in keys)
    )


@dataclass
class _Writer:
    """Creates the fields of the nodes."""

    payload_count: int
    body_count: int
    exact: bool
    accept_all: bool

    def nodes(self, node: _Node, depth: int) -> Iterator[_Node]:
        """The nodes that become fields: the node or those inside it; the ones at this depth become JSON."""
        if len(node.path) >= depth or not self._is_object(node):
            yield node
        else:
            for inner in node.inner.values():
                yield from self.nodes(inner, depth)

    def fields(self, nodes: Iterable[_Node]) -> tuple[Field, ...]:
        fields: list[Field] = []
        for node in nodes:
            fields.append(self._field(node, {field.name for field in fields}))
        return tuple(fields)

    def _mostly_missing(self, seen: Sequence[object]) -> bool:
        """Whether the value was missing at least as often as it was empty."""
        missing = self.body_count - len(seen)
        return missing > 0 and missing >= sum(value in (None, "", []) for value in seen if not value)

    def _is_object(self, node: _Node) -> bool:
        if not node.inner or node.items or node.closed:
            return False
        seen = node.seen
        if not set(map(type, seen)) <= ({dict} if self.exact else {dict, type(None)}):
            return False
        # Only JSON reproduces an empty object; with many payloads it counts as empty.
        return all(seen) if self.exact else any(seen) or not seen

    def _field(self, node: _Node, names: set[str]) -> Field:
        seen = node.seen
        learned = learning.learn(seen, exact=self.exact)
        if learned is None:
            learned = _infer_unseen(node)
        elif (
            learned.kind is FieldKind.LIST
            and learned.why.values
            and not any(seen)
            and node.item_keys
            and not self.exact
        ):
            learned = replace(_infer_unseen(node), blank=learned.blank)
        elif learned.kind is not FieldKind.TABLE and node.item_keys and not (self.exact or self.accept_all):
            # The flow reads a list of objects: other values were mistakes.
            lists = [value for value in seen if type(value) is list]
            found = learning.learn(lists, exact=False)
            learned = found if found is not None and found.kind is FieldKind.TABLE else _infer_unseen(node)
        elif learned.kind is FieldKind.TEXT:
            name_kind = _kind_by_name(node, learned.kind, seen)
            choices = () if name_kind is not FieldKind.TEXT or naming.one_of_a_kind(node.path[-1]) else learned.choices
            learned = replace(learned, kind=name_kind, choices=choices)
        if learned.kind is FieldKind.TABLE:
            learned = replace(learned, columns=_with_read_columns(learned.columns, node.item_keys))
        secret = node.secret and learned.kind in TEXTS and set(map(type, seen)) <= {str, type(None)}
        if secret:
            learned = replace(learned, kind=FieldKind.SECRET, choices=())
        required = self._required(node, learned.kind)
        form_field = replace(
            learned,
            name=name_for(node.path, names),
            path=node.path,
            label=label_from(node.path[-1]),
            kind=FieldKind.CHOICE if learned.choices else learned.kind,
            required=required,
            other=bool(learned.choices),
            blank=Blank.ABSENT if required or self._mostly_missing(seen) else learned.blank,
            example=_example(node, learned.kind),
            why=Why(
                read_by=tuple(node.read_by[:20]),
                seen=len(node.past),
                payloads=self.payload_count,
                values=learned.why.values if self.payload_count else 0,
                sample=bool(node.samples),
                trigger=node.requested is not None,
            ),
        )
        if node.requested is None:
            return form_field
        completed = _apply_requested(form_field, node.requested, seen, always=len(node.past) == self.payload_count)
        return replace(completed, kind=FieldKind.SECRET) if secret and completed.kind in TEXTS else completed

    def _required(self, node: _Node, kind: FieldKind) -> bool:
        """Whether the field is required: enough payloads all had it filled in, or there is no history and a step reads it."""
        plain = kind in NUMBERS or kind is FieldKind.YES_NO
        filled = len(node.past) - (node.past.count(None) if plain else sum(map(_empty, node.past)))
        if self.payload_count >= _ENOUGH:
            return filled == self.payload_count
        empty_before = filled < self.payload_count or any(map(_empty, node.samples))
        return bool(node.read_by) and not empty_before


def _empty(value: object) -> bool:
    return value in (None, "", []) if not value else type(value) is str and value.isspace()


def _with_read_columns(columns: Sequence[Column], keys: Iterable[str]) -> tuple[Column, ...]:
    """The columns, and those of the keys that the flow reads of the items, as far as there is room."""
    found = list(columns)
    known = {column.key for column in columns}
    for key in [key for key in keys if key not in known][: MOST_COLUMNS - len(found)]:
        kind, taken = naming.kind_of(key), {column.name for column in found}
        found.append(Column(name_for((key,), taken), key, label_from(key), kind if kind in CELLS else FieldKind.TEXT))
    return tuple(found)


def _infer_unseen(node: _Node) -> Field:
    """The field of a node without past values: by its readers, else by its name."""
    if node.item_keys:
        return inferred(kind=FieldKind.TABLE, columns=_with_read_columns((), node.item_keys))
    if node.items or FieldKind.LIST in node.hints:
        return inferred(kind=FieldKind.LIST)
    if node.inner:
        return inferred(kind=FieldKind.JSON)
    return inferred(kind=node.hints[0] if node.hints else naming.kind_of(node.path[-1]))


def _kind_by_name(node: _Node, kind: FieldKind, seen: Sequence[object]) -> FieldKind:
    """The kind of a text by its name, for phone numbers without a country code and for long texts; else `kind`."""
    name_kind = naming.kind_of(node.path[-1])
    texts = list(filter(None, map(text_of, seen)))
    if name_kind is FieldKind.PHONE and all(values.is_phone(text) and text == text.strip() for text in texts):
        return name_kind
    return name_kind if name_kind is FieldKind.LONG_TEXT else kind


def _example(node: _Node, kind: FieldKind) -> str:
    """The value of the latest sample with a short one. Never a value of a payload, and never a secret."""
    for value in node.samples if not node.secret else ():
        text = text_of(value)
        if 0 < len(text) <= 60 and kind in TEXTS:
            if values.plain_text(text) and mask_text(text) == text:
                return text
        elif is_number(value) and kind in NUMBERS:
            return str(value)[:60]
    return ""


def _apply_requested(form_field: Field, requested: Field, seen: Sequence[object], *, always: bool) -> Field:
    """The field with the properties of the flow's own form, as far as past values allow; `always` if no payload lacked it.

    A toggle is always sent: without its value the engine accepts the call and makes no run (recording `form_submit_missing_toggle`).
    """
    fits = (
        requested.kind in (FieldKind.TEXT, FieldKind.FILE)
        or form_field.kind in (requested.kind, FieldKind.TEXT)
        or not seen
    )
    # A text may be a phone number; a file that was sent as text before is no longer a file.
    as_before = requested.kind is FieldKind.TEXT or not fits or (requested.kind is FieldKind.FILE and bool(seen))
    kind = form_field.kind if as_before else requested.kind
    toggle = kind is FieldKind.YES_NO and requested.kind is FieldKind.YES_NO
    required = (requested.required or (toggle and always)) and not any(map(_empty, seen))
    return replace(
        replace(form_field, default=False) if toggle else form_field,
        label=requested.label[:SHORT],
        help=requested.help[:LONG],
        kind=kind,
        required=required,
        blank=Blank.ABSENT if required else form_field.blank,
    )
