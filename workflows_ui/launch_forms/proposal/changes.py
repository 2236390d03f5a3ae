"""Differences between a form and what its flow now reads, and between two forms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

from workflows_ui.launch_forms.proposal import references, trigger_fields
from workflows_ui.launch_forms.proposal.references import Reference
from workflows_ui.launch_forms.schema import paths as schema_paths
from workflows_ui.launch_forms.schema.document import Field, Form, Kind
from workflows_ui.launch_forms.schema.paths import ITEM

Path = tuple[str, ...]


@dataclass(frozen=True)
class Missing:
    """A path that the flow reads and no field fills. `read_by`: display names of the steps that read it."""

    path: Path
    read_by: tuple[str, ...]


@dataclass(frozen=True)
class Fit:
    """The differences between a form and its flow.

    Attributes:
        missing: paths that the flow reads and the form does not send, in the order of the steps, without those excluded on purpose.
        unread: fields that no step reads any more although one did when they were proposed. A flow that passes on the whole body
            may read anything, so then no field is unread.
        columns: columns that are read and missing in tables: the field's name and the column's key.
    """

    missing: tuple[Missing, ...] = ()
    unread: tuple[Field, ...] = ()
    columns: tuple[tuple[str, str], ...] = ()

    @property
    def good(self) -> bool:
        return not (self.missing or self.unread or self.columns)


def fit(form: Form, trigger: Any) -> Fit:
    """Compare the form with the flow's step tree."""
    # The keys of a flow's own form are known only from earlier payloads: here, from the form's paths.
    trigger_form = trigger_fields.read_trigger_form(
        trigger, [dict.fromkeys(other.path[0] for other in form.fields if other.path)]
    )
    read = references.find_references(trigger, body_is_output=trigger_form.body_is_output)
    requested = [Reference((field.key,), "") for field in trigger_form.fields]
    missing: dict[Path, list[str]] = {}
    columns: dict[tuple[str, str], None] = {}
    for reference in [*read, *requested]:
        path = _before_item(reference.path)
        if not path:
            continue
        field = _field_for(form, path)
        if field is None:
            has_inner_field = any(other.path[: len(path)] == path for other in form.fields)
            if not has_inner_field and not any(path[: len(left)] == left for left in form.left_out):
                missing.setdefault(path, []).append(reference.step)
        elif field.kind is Kind.TABLE and field.path == path:
            key = reference.path[len(path) + 1 : len(path) + 2]
            if key and isinstance(key[0], str) and key[0] not in {column.key for column in field.columns}:
                columns.setdefault((field.name, key[0]))
    return Fit(
        tuple(Missing(path, tuple(dict.fromkeys(filter(None, steps)))) for path, steps in _outermost(missing).items()),
        _unread(form, [*read, *requested]),
        tuple(columns),
    )


def _unread(form: Form, read: Sequence[Reference]) -> tuple[Field, ...]:
    read_paths = [_before_item(reference.path) for reference in read]
    if () in read_paths:
        return ()
    return tuple(
        field
        for field in form.fields
        if (field.why.read_by or field.why.trigger)
        and not any(path[: len(field.path)] == field.path or field.path[: len(path)] == path for path in read_paths)
    )


def _before_item(path: schema_paths.Path) -> Path:
    keys: list[str] = []
    for key in path:
        if key is ITEM or isinstance(key, int):
            break
        keys.append(key)
    return tuple(keys)


def _field_for(form: Form, path: Path) -> Field | None:
    """The field at a path or around it: JSON, or the whole body."""
    return next((field for field in form.fields if path[: len(field.path)] == field.path), None)


def _outermost(missing: dict[Path, list[str]]) -> dict[Path, list[str]]:
    """The missing paths, without those inside of other missing paths."""
    return {
        path: steps for path, steps in missing.items() if not any(path[:end] in missing for end in range(1, len(path)))
    }


@dataclass(frozen=True)
class Changed:
    """A field in both forms, with the names of its attributes that differ (`label`, `required`, ...)."""

    before: Field
    after: Field
    what: tuple[str, ...]


@dataclass(frozen=True)
class Difference:
    """The differences between two forms. `form` has the names of differing attributes of the forms: `note`, `button`."""

    added: tuple[Field, ...] = ()
    removed: tuple[Field, ...] = ()
    changed: tuple[Changed, ...] = ()
    moved: bool = False
    form: tuple[str, ...] = ()

    @property
    def nothing(self) -> bool:
        """Whether launchers see no difference."""
        return not (self.added or self.removed or self.changed or self.moved or self.form)


def difference(before: Form, after: Form) -> Difference:
    """The differences that launchers see. Fields are matched by name; the evidence of proposals (`why`) is ignored."""
    old, new = {field.name: field for field in before.fields}, {field.name: field for field in after.fields}
    both = [(field, new[name]) for name, field in old.items() if name in new]
    changed = [
        Changed(old_field, new_field, what)
        for old_field, new_field in both
        if (what := _attributes(old_field, new_field))
    ]
    kept_before = [name for name in old if name in new]
    kept_after = [name for name in new if name in old]
    return Difference(
        added=tuple(field for name, field in new.items() if name not in old),
        removed=tuple(field for name, field in old.items() if name not in new),
        changed=tuple(changed),
        moved=kept_before != kept_after,
        form=tuple(name for name in ("note", "button") if getattr(before, name) != getattr(after, name)),
    )


def _attributes(first: Field, second: Field) -> tuple[str, ...]:
    names = [attribute.name for attribute in fields(Field) if attribute.name not in ("name", "why")]
    return tuple(name for name in names if not _equal(getattr(first, name), getattr(second, name)))


def _equal(first: Any, second: Any) -> bool:
    return isinstance(first, bool) == isinstance(second, bool) and bool(first == second)
