"""Choices of a launch form that come from elsewhere: the records of a table, or what an app gives for a field of a step (api.md 11.5).

They are asked for as the person who fills in the form. What could not be had is left out: the form then takes a typed value.
"""

import logging
from collections.abc import Iterable, Mapping
from typing import Any

from workflows_ui.engine import EngineError, Unavailable, Unreachable, flow_tree
from workflows_ui.forming.document import Choice, Field, Form, PieceChoices, TableChoices, key_of
from workflows_ui.kit.caller import Caller

#: Seconds for which choices are not asked for again; and for which they still say which value a label stood for.
FRESH, KNOWN = 60, 86_400
#: More choices make no sense in a page. Records never page (README of the engine), so one call has them all.
MOST = 500
_LETTERS = 200
_log = logging.getLogger(__name__)

Choices = dict[str, tuple[Choice, ...]]


def of(asker: Caller, flow_id: str, form: Form) -> Choices:
    """The choices by field name, at most a minute old; what was offered in the last day where they cannot be had now. An engine that
    does not answer is asked once, not for each field."""
    found: Choices = {}
    for one in _live(form):
        name = _name(flow_id, one)
        try:
            found[one.name] = asker.remember(name, FRESH, lambda one=one: _ask(asker, flow_id, one))  # type: ignore[misc]
        except EngineError as problem:
            _log.warning("form without fresh choices of %s: %r", one.name, problem)
            if isinstance(problem, Unreachable | Unavailable):
                break
    return offered(asker, flow_id, form) | found


def offered(asker: Caller, flow_id: str, form: Form) -> Choices:
    """The choices that were offered in the last day, without asking the engine."""
    nothing: tuple[Choice, ...] | None = None
    lately = {one.name: asker.known(f"{_name(flow_id, one)}:offered", nothing) for one in _live(form)}
    return {name: choices for name, choices in lately.items() if choices is not None}


def known(asker: Caller, flow_id: str, form: Form) -> Choices:
    """As `of`, for a form that was sent: what was offered in the last day counts, and the engine is asked only where nothing is known."""
    found = offered(asker, flow_id, form)
    missing = tuple(one for one in form.fields if one.choices_from is not None and one.name not in found)
    return found | of(asker, flow_id, Form(missing)) if missing else found


def _live(form: Form) -> Iterable[Field]:
    return (one for one in form.fields if one.choices_from is not None and not one.hidden)


def _name(flow_id: str, one: Field) -> str:
    return f"choices:{flow_id}:{one.choices_from!r}"


def _ask(asker: Caller, flow_id: str, one: Field) -> tuple[Choice, ...]:
    source = one.choices_from
    found = _records(asker, source) if isinstance(source, TableChoices) else _options(asker, flow_id, source)
    seen: dict[str, Choice] = {}
    for choice in found:
        seen.setdefault(key_of(choice.value), choice)
    choices = tuple(seen.values())[:MOST]
    lately = f"{_name(flow_id, one)}:offered"
    asker.forget(lately)
    asker.remember(lately, KNOWN, lambda: choices)
    return choices


def _records(asker: Caller, source: TableChoices) -> Iterable[Choice]:
    """A table's records (recording `records_list`). Empty values are no choices."""
    rows = asker.workflows.list_records(source.table_id, limit=MOST).get("data")
    for row in rows if isinstance(rows, list) else []:
        value = _cell(row, source.value_field)
        if value:
            yield Choice((_cell(row, source.label_field) or value)[:_LETTERS], value)


def _cell(row: Any, field: str) -> str:
    cells = row.get("cells") if isinstance(row, Mapping) else None
    cell = cells.get(field) if isinstance(cells, Mapping) else None
    value = cell.get("value") if isinstance(cell, Mapping) else None
    return value if isinstance(value, str) else ""


def _options(asker: Caller, flow_id: str, source: PieceChoices | TableChoices | None) -> Iterable[Choice]:
    """What the piece of a step gives for one of the step's properties, with the step's other values as they are set."""
    if not isinstance(source, PieceChoices):
        return
    flow = asker.workflows.get_flow(flow_id)
    version = flow.get("version")
    version = version if isinstance(version, dict) else {}
    step = flow_tree.steps_by_name(version.get("trigger")).get(source.step) or {}
    settings = step.get("settings")
    settings = settings if isinstance(settings, dict) else {}
    operation = settings.get("actionName") or settings.get("triggerName")
    if not settings.get("pieceName") or not operation:
        return
    given = settings.get("input")
    answer = asker.workflows.piece_options(
        piece_name=str(settings["pieceName"]),
        piece_version=str(settings.get("pieceVersion") or "").lstrip("~^"),
        action_or_trigger_name=str(operation),
        property_name=source.property,
        flow_id=flow_id,
        flow_version_id=str(version.get("id") or ""),
        input={key: value for key, value in given.items() if key != source.property} if isinstance(given, dict) else {},
    )
    options = answer.get("options")
    listed = options.get("options") if isinstance(options, dict) else None
    for option in listed if isinstance(listed, list) else []:
        if isinstance(option, dict) and "value" in option:
            label = option.get("label")
            yield Choice(label[:_LETTERS] if isinstance(label, str) else "", option["value"])
