"""Live choices of a launch form: the records of a table, or an app's options for a field of a step (api.md 11.5).

They are loaded with the credential of the person who fills in the form. Choices that cannot be loaded are left out: the form then
accepts a typed value.
"""

import logging
from collections.abc import Callable, Iterable

from workflows_ui.core import paths
from workflows_ui.core.crypto import CannotOpen
from workflows_ui.credentials.services import clients, engine_session
from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.engine import EngineError, Unavailable, Unreachable, flow_tree
from workflows_ui.engine_objects.flows import Flow, Step
from workflows_ui.form_schema.document import Choice, Field, Form, PieceChoices, TableChoices, key_of
from workflows_ui.members.services.access import Access

#: Seconds for which choices are not loaded again; and for which offered labels can still be resolved to values.
FRESH, KNOWN = 60, 86_400
#: Most choices of a page. Records never page (README of the engine), so one call returns them all.
MOST = 500
_LONGEST = 200
_log = logging.getLogger(__name__)

Choices = dict[str, tuple[Choice, ...]]
Load = Callable[[EngineSession, str, Form], Choices]


def load_choices(session: EngineSession, flow_id: str, form: Form) -> Choices:
    """The choices by field name, at most a minute old; if they cannot be loaded now, those offered in the last day.

    An engine that does not answer is called once, not for each field.
    """
    choices: Choices = {}
    for field in form.live_fields:
        name = _name(flow_id, field)
        try:
            choices[field.name] = session.remember(name, FRESH, lambda field=field: _load(session, flow_id, field))  # type: ignore[misc]
        except EngineError as problem:
            _log.warning("form without fresh choices of %s: %r", field.name, problem)
            if isinstance(problem, Unreachable | Unavailable):
                break
    return offered(session, flow_id, form) | choices


def offered(session: EngineSession, flow_id: str, form: Form) -> Choices:
    """The choices offered in the last day, without calls to the engine."""
    default: tuple[Choice, ...] | None = None
    cached = {field.name: session.known(f"{_name(flow_id, field)}:offered", default) for field in form.live_fields}
    return {name: choices for name, choices in cached.items() if choices is not None}


def known(session: EngineSession, flow_id: str, form: Form) -> Choices:
    """As `load_choices`, for a posted form: choices offered in the last day are valid, and only unknown ones are loaded."""
    choices = offered(session, flow_id, form)
    missing = tuple(field for field in form.live_fields if field.name not in choices)
    return choices | load_choices(session, flow_id, Form(missing)) if missing else choices


def available(access: Access, flow_id: str, form: Form, *, load: Load = known) -> Choices:
    """The choices of a form's live fields that `load` returns; none if the engine cannot be called for this person."""
    if not form.live_fields:
        return {}
    try:
        return load(engine_session.open_session(access), flow_id, form)
    except (EngineError, clients.NoCredential, CannotOpen) as problem:
        _log.info("launch form without choices: %r", problem)
        return {}


def _name(flow_id: str, field: Field) -> str:
    return f"choices:{flow_id}:{field.choices_from!r}"


def _load(session: EngineSession, flow_id: str, field: Field) -> tuple[Choice, ...]:
    source = field.choices_from
    loaded: Iterable[Choice] = ()
    if source is not None:
        loaded = _records(session, source) if isinstance(source, TableChoices) else _options(session, flow_id, source)
    seen: dict[str, Choice] = {}
    for choice in loaded:
        seen.setdefault(key_of(choice.value), choice)
    choices = tuple(seen.values())[:MOST]
    offered_name = f"{_name(flow_id, field)}:offered"
    session.forget(offered_name)
    session.remember(offered_name, KNOWN, lambda: choices)
    return choices


def _records(session: EngineSession, source: TableChoices) -> Iterable[Choice]:
    """The records of a table (recording `records_list`), without empty values."""
    for row in paths.dicts_at(session.workflows.list_records(source.table_id, limit=MOST), "data"):
        cells = paths.dict_at(row, "cells")
        value = paths.text_at(cells.get(source.value_field), "value")
        if value:
            label = paths.text_at(cells.get(source.label_field), "value")
            yield Choice((label or value)[:_LONGEST], value)


def _options(session: EngineSession, flow_id: str, source: PieceChoices) -> Iterable[Choice]:
    """The piece's options for a property of a step, given the step's other values."""
    version = Flow(session.workflows.get_flow(flow_id)).version
    settings = Step(flow_tree.steps_by_name(version.trigger.raw).get(source.step)).settings
    if not settings.piece_name or not settings.operation:
        return
    answer = session.workflows.piece_options(
        piece_name=settings.piece_name,
        piece_version=settings.piece_version.lstrip("~^"),
        action_or_trigger_name=settings.operation,
        property_name=source.property,
        flow_id=flow_id,
        flow_version_id=version.id,
        input={key: value for key, value in settings.input.items() if key != source.property},
    )
    for option in paths.dicts_at(answer, "options.options"):
        if "value" in option:
            yield Choice(paths.text_at(option, "label")[:_LONGEST], option["value"])
