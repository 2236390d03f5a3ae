"""Answers of an app about a field of a step: its choices, or the fields that it consists of (api.md 11.5)."""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from workflows_ui.core.paths import dicts_at, text_at
from workflows_ui.core.readers import mapping_of, objects_by_name, plain_text
from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.engine import EngineError, Timeouts, TooLarge, Unavailable
from workflows_ui.engine_objects import pieces
from workflows_ui.pieces import options
from workflows_ui.pieces.fields import words
from workflows_ui.resource_admin.resource import Row, Text, id_at, pick
from workflows_ui.web import messages
from workflows_ui.web.schema_forms import Option

#: Seconds for which an answer is cached: a form is shown several times until it is saved.
_REMEMBERED = 300
#: Seconds for all answers of one request: as long as one may take.
SECONDS = Timeouts().total
#: The most characters of the value of a choice, and of the schema of a field that the app gives.
_LONGEST_KEY, _LARGEST_SCHEMA = 20_000, 1_000_000


@dataclass(frozen=True)
class Answer:
    """Choices (the first ones, unless `is_complete`), or the `schema` of a dynamic field; `refused` says why there is neither."""

    choices: Sequence[Option] = ()
    schema: Mapping[str, object] = field(default_factory=dict)
    refused: Text = ""
    is_complete: bool = True


@dataclass
class App:
    """One action or trigger of a piece, asked on behalf of a flow."""

    session: EngineSession
    piece: str
    version: str
    operation: str
    flow: Row
    clock: Callable[[], float] = time.monotonic
    #: When the first answer was requested.
    _begun: float | None = None
    #: What is said once the engine has not answered: it is not asked again for this page, since each call may take its whole time limit.
    _away: Answer | None = None

    def known(self, name: str, values: Mapping[str, object], search: str = "") -> Answer | None:
        """The cached answer, without a call."""
        found: dict[str, object] = self.session.known(self._key(name, values, search), {})
        return read(found) if found else None

    def ask(self, name: str, values: Mapping[str, object], search: str = "") -> Answer | None:
        """Request an answer, which takes seconds and changes nothing. What the app or the engine refuses is not cached.

        None if the answers before it took the time: it is left for another request.
        """
        if self._away:
            return self._away
        left = self._left()
        if left <= 0:
            return None
        key = self._key(name, values, search)
        self.session.forget(key)
        try:
            found = self.session.remember(key, _REMEMBERED, lambda: self._request(name, values, search, left))
        except EngineError as error:
            if left < SECONDS and self._left() <= 0:
                return None
            refused = _refused(error)
            if isinstance(error, Unavailable):
                self._away = refused
            return refused
        answer = read(found)
        if answer.refused:
            self.session.forget(key)
        return answer

    def _left(self) -> float:
        """The seconds that are left for answers."""
        now = self.clock()
        if self._begun is None:
            self._begun = now
        return SECONDS - (now - self._begun)

    def _request(self, name: str, values: Mapping[str, object], search: str, seconds: float) -> dict[str, object]:
        return self.session.workflows.piece_options(
            piece_name=self.piece,
            piece_version=self.version,
            action_or_trigger_name=self.operation,
            property_name=name,
            flow_id=id_at(self.flow),
            flow_version_id=text_at(self.flow, "version.id"),
            input=values,
            search_value=search or None,
            seconds=seconds,
        )

    def _key(self, name: str, values: Mapping[str, object], search: str) -> str:
        asked = [self.piece, self.version, self.operation, name, id_at(self.flow), values, search]
        return f"app-answer:{json.dumps(asked, sort_keys=True)}"


def key_of(value: object) -> str:
    """The posted value of a choice, from which its JSON value is read again."""
    return json.dumps(value, ensure_ascii=False)


def label_of(value: object) -> str:
    """The label of a choice that has none: its value."""
    return ("null" if value is None else plain_text(value))[:300]


def _refused(error: EngineError) -> Answer:
    message = messages.error_message(error)
    return Answer(refused=f"{message.title}. {message.text}")


def read(found: Mapping[str, object]) -> Answer:
    """Parse an answer, which may be malformed, or far larger than a form that is submitted with all of it."""
    listed = found.get("options")
    if found.get("type") == "DYNAMIC":
        schema = {key: prop.raw for key, prop in objects_by_name(listed, pieces.Property).items()}
        if len(json.dumps(schema)) > _LARGEST_SCHEMA:
            return _refused(TooLarge("The fields that the app gives are too many for a form."))
        return Answer(schema=schema)
    pairs = [option for option in map(pieces.Option, dicts_at(listed, "options")) if option.has_value]
    keyed = [(key_of(option.value), option) for option in pairs[: options.MOST]]
    choices = [
        Option(key, words(option.label)[:300] or label_of(option.value), option.value)
        for key, option in keyed
        if len(key) <= _LONGEST_KEY
    ]
    if choices or (pick(listed, "disabled") is not True and "options" in mapping_of(listed)):
        return Answer(choices, is_complete=len(pairs) == len(choices))
    return Answer(refused=options.refusal(text_at(listed, "placeholder")))
