"""Differences between a form and what its flow now reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile

from workflows_ui.form_schema.document import Field, FieldKind, Form, overlap
from workflows_ui.launch_forms.proposal import code_reading, references, trigger_fields
from workflows_ui.launch_forms.proposal.references import Reference

Path = tuple[str, ...]


@dataclass(frozen=True)
class Fit:
    """The differences between a form and its flow.

    Attributes:
        missing: paths that the flow reads and the form does not send, in the order of the steps, without those excluded on purpose,
            with the display names of the steps that read them.
        unread: fields that no step reads any more although one did when they were proposed. A flow that passes on the whole body
            may read anything, so then no field is unread.
        columns: columns that are read and missing in tables, as (table, key).
    """

    missing: Mapping[Path, Sequence[str]]
    unread: Sequence[Field]
    columns: Sequence[tuple[Field, str]]

    @property
    def good(self) -> bool:
        return not (self.missing or self.unread or self.columns)


def fit(form: Form, trigger: object) -> Fit:
    """Compare the form with the flow's step tree."""
    # The keys of a flow's own form are known only from earlier payloads: here, from the form's paths.
    bodies = [dict.fromkeys(field.path[0] for field in form.fields if field.path)]
    requested = trigger_fields.read_trigger_form(trigger, bodies)
    read = references.find_references(trigger, body_is_output=requested is not None)
    read += [Reference(field.path, "") for field in requested or ()]
    missing: dict[Path, list[str]] = {}
    columns: list[tuple[Field, str]] = []
    for reference in read:
        path = _before_item(reference.path)
        if not path:
            continue
        # The field at the path or around it: JSON, or the whole body.
        field = next((field for field in form.fields if path[: len(field.path)] == field.path), None)
        if field is None:
            has_inner_field = any(overlap(path, other.path) for other in form.fields)
            if not has_inner_field and not any(path[: len(left)] == left for left in form.left_out):
                missing.setdefault(path, []).append(reference.step)
        elif field.kind is FieldKind.TABLE and field.path == path:
            key = next(iter(reference.path[len(path) + 1 :]), None)
            known = {column.key for column in field.columns}
            if isinstance(key, str) and key not in known and (field, key) not in columns:
                columns.append((field, key))
    outermost = {
        path: [*dict.fromkeys(filter(None, steps))]
        for path, steps in missing.items()
        if not any(path[:end] in missing for end in range(1, len(path)))
    }
    # The whole body overlaps with every path.
    paths = [_before_item(reference.path) for reference in read]
    unread = tuple(
        field
        for field in form.fields
        if (field.why.read_by or field.why.trigger) and not any(overlap(field.path, path) for path in paths)
    )
    return Fit(outermost, unread, columns)


def _before_item(path: code_reading.Path) -> Path:
    return tuple(takewhile(lambda key: isinstance(key, str), path))  # type: ignore[arg-type]
