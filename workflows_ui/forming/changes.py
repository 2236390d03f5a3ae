"""What is different: between a form and what its flow reads by now, and between two forms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

from workflows_ui.forming import paths, references, trigger_fields
from workflows_ui.forming.document import Field, Form, Kind
from workflows_ui.forming.paths import ITEM
from workflows_ui.forming.references import Reference

Path = tuple[str, ...]


@dataclass(frozen=True)
class Missing:
    """A place that the flow reads and no field fills. `read_by`: display names of the steps that read it."""

    path: Path
    read_by: tuple[str, ...]


@dataclass(frozen=True)
class Fit:
    """How a form fits its flow now.

    Attributes:
        missing: what the flow reads and the form does not send, in the order of the steps; without what was left out on purpose.
        unread: the fields that no step reads any more though they did when they were proposed. A flow that hands the body on as
            a whole may read anything, so then nothing is unread.
        columns: tables without a column that is read: the field's name and the column's key.
    """

    missing: tuple[Missing, ...] = ()
    unread: tuple[Field, ...] = ()
    columns: tuple[tuple[str, str], ...] = ()

    @property
    def good(self) -> bool:
        """Whether there is nothing to tell."""
        return not (self.missing or self.unread or self.columns)


def fit(form: Form, trigger: Any) -> Fit:
    """How the form fits the flow with this step tree."""
    # A flow's own form is sent under keys that only what was sent before tells: here, the form's.
    asked = trigger_fields.of_trigger(trigger, [dict.fromkeys(field.path[0] for field in form.fields if field.path)])
    read = references.of_flow(trigger, body_is_output=asked.body_is_output)
    asks = [Reference((one.key,), "") for one in asked.fields]
    missing: dict[Path, list[str]] = {}
    columns: dict[tuple[str, str], None] = {}
    for reference in [*read, *asks]:
        path = _before_item(reference.path)
        if not path:
            continue
        one = _field_for(form, path)
        if one is None:
            asked_inside = any(field.path[: len(path)] == path for field in form.fields)
            if not asked_inside and not any(path[: len(left)] == left for left in form.left_out):
                missing.setdefault(path, []).append(reference.step)
        elif one.kind is Kind.TABLE and one.path == path:
            key = reference.path[len(path) + 1 : len(path) + 2]
            if key and isinstance(key[0], str) and key[0] not in {column.key for column in one.columns}:
                columns.setdefault((one.name, key[0]))
    return Fit(
        tuple(Missing(path, tuple(dict.fromkeys(filter(None, steps)))) for path, steps in _outermost(missing).items()),
        _unread(form, [*read, *asks]),
        tuple(columns),
    )


def _unread(form: Form, read: Sequence[Reference]) -> tuple[Field, ...]:
    paths = [_before_item(reference.path) for reference in read]
    if () in paths:
        return ()
    return tuple(
        field
        for field in form.fields
        if (field.why.read_by or field.why.trigger)
        and not any(path[: len(field.path)] == field.path or field.path[: len(path)] == path for path in paths)
    )


def _before_item(path: paths.Path) -> Path:
    keys: list[str] = []
    for key in path:
        if key is ITEM or isinstance(key, int):
            break
        keys.append(key)
    return tuple(keys)


def _field_for(form: Form, path: Path) -> Field | None:
    """The field at a place, or around it: JSON, or the whole body."""
    return next((field for field in form.fields if path[: len(field.path)] == field.path), None)


def _outermost(missing: dict[Path, list[str]]) -> dict[Path, list[str]]:
    """Without places inside of others that are missing too."""
    return {
        path: steps for path, steps in missing.items() if not any(path[:end] in missing for end in range(1, len(path)))
    }


@dataclass(frozen=True)
class Changed:
    """A field that is in both forms, with the names of its attributes that differ (`label`, `required`, ...)."""

    before: Field
    after: Field
    what: tuple[str, ...]


@dataclass(frozen=True)
class Difference:
    """What is different from one form to the next. `form` names attributes of the forms themselves: `note`, `button`."""

    added: tuple[Field, ...] = ()
    removed: tuple[Field, ...] = ()
    changed: tuple[Changed, ...] = ()
    moved: bool = False
    form: tuple[str, ...] = ()

    @property
    def nothing(self) -> bool:
        """Whether both are the same to a launcher."""
        return not (self.added or self.removed or self.changed or self.moved or self.form)


def difference(before: Form, after: Form) -> Difference:
    """What a launcher will find different. Fields are the same where their names are; why they were proposed does not count."""
    old, new = {field.name: field for field in before.fields}, {field.name: field for field in after.fields}
    both = [(field, new[name]) for name, field in old.items() if name in new]
    changed = [Changed(one, two, what) for one, two in both if (what := _attributes(one, two))]
    kept_before = [name for name in old if name in new]
    kept_after = [name for name in new if name in old]
    return Difference(
        added=tuple(field for name, field in new.items() if name not in old),
        removed=tuple(field for name, field in old.items() if name not in new),
        changed=tuple(changed),
        moved=kept_before != kept_after,
        form=tuple(name for name in ("note", "button") if getattr(before, name) != getattr(after, name)),
    )


def _attributes(one: Field, two: Field) -> tuple[str, ...]:
    names = [attribute.name for attribute in fields(Field) if attribute.name not in ("name", "why")]
    return tuple(name for name in names if not _equal(getattr(one, name), getattr(two, name)))


def _equal(one: Any, two: Any) -> bool:
    return isinstance(one, bool) == isinstance(two, bool) and bool(one == two)
