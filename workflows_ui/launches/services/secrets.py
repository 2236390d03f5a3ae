"""Masking of a launch's payload, answer and failure, and of its run: the workspace's keys, values of secret fields, and values that look
like secrets.

While the payload is stored, the values are read from it and masked in every form (encoded, escaped). After its removal only keyed
digests remain, in the launch's row: then the values are matched exactly as they were typed.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from django.utils.crypto import salted_hmac
from django.utils.functional import cached_property

from workflows_ui.core import json_text, masking, redaction
from workflows_ui.core.crypto import CannotOpen
from workflows_ui.core.json_values import JsonType, json_type
from workflows_ui.core.paths import text_of
from workflows_ui.core.readers import as_items, mapping_of
from workflows_ui.core.secret_names import MASK
from workflows_ui.engine import Mask
from workflows_ui.form_schema import checking
from workflows_ui.launches.models import Launch

#: Shorter values would match unrelated data, so they are masked by the name of their field.
SHORTEST = 6
#: Positions in texts that are compared by digest for one page, a microsecond each. Text beyond that is masked.
MAX_POSITIONS = 400_000
_DEEPEST = 60


def marks(secrets: Iterable[tuple[tuple[str, ...], str]]) -> list[dict[str, object]]:
    """The JSON for `Launch.secret_marks`, from the secret values and their paths in the payload."""
    found = []
    for path, value in secrets:
        mark: dict[str, object] = {"path": list(path)}
        if len(value) >= SHORTEST:
            mark |= {"length": len(value), "digest": _digest(value, _key())}
        found.append(mark)
    return found


def _key() -> bytes:
    return salted_hmac("workflows_ui.launch.secret", "", algorithm="sha256").digest()


def _digest(value: str, key: bytes) -> str:
    return hashlib.blake2b(value.encode("utf-8", "surrogatepass"), key=key, digest_size=16).hexdigest()


@dataclass
class Hider:
    """Masks the secret values of one launch.

    Attributes:
        names: names of all secret fields, which are masked in the launch's own payload.
        short: names of fields with values too short to be searched for; values under these names are masked everywhere.
    """

    names: frozenset[str]
    short: frozenset[str]
    _exact: Mask | None
    _digests: Mapping[int, frozenset[str]]
    _positions_left: int = MAX_POSITIONS
    _known: dict[str, str] = field(default_factory=dict, repr=False)

    def value(self, value: object, depth: int = 0) -> object:
        """A copy of a JSON value with the secrets masked. Levels too deep to be displayed are left unchanged."""
        if not self._exact and not self._digests:
            return value
        match json_type(value):
            case JsonType.TEXT:
                return self.text(text_of(value))
            case JsonType.NUMBER:
                return MASK if self.text(str(value)) != str(value) else value
            case JsonType.OBJECT if depth <= _DEEPEST:
                members = mapping_of(value).items()
                return {self.text(str(key)): self.value(inner, depth + 1) for key, inner in members}
            case JsonType.LIST if depth <= _DEEPEST:
                return [self.value(inner, depth + 1) for inner in as_items(value)]
        return value

    def text(self, text: str) -> str:
        if self._exact is not None:
            return self._exact.text(text)
        if len(text) < min(self._digests, default=len(text) + 1):
            return text
        if text not in self._known:
            self._known[text] = self._mask_by_digest(text)
        return self._known[text]

    def _mask_by_digest(self, text: str) -> str:
        for length in sorted(self._digests, reverse=True):
            positions = len(text) - length + 1
            if positions <= 0:
                continue
            self._positions_left -= positions
            if self._positions_left < 0:
                return MASK
            at, begin, parts = 0, 0, []
            while at + length <= len(text):
                if _digest(text[at : at + length], self._secret_key) in self._digests[length]:
                    parts += [text[begin:at], MASK]
                    at = begin = at + length
                else:
                    at += 1
            text = "".join([*parts, text[begin:]])
        return text

    @cached_property
    def _secret_key(self) -> bytes:
        return _key()


def payload_hider(launch: Launch) -> Hider:
    """The hider of a launch. Masks nothing if the launch has no secret fields."""
    field_marks = [mark for mark in launch.secret_marks if isinstance(mark, dict) and mark.get("path")]
    names = frozenset(str(mark["path"][-1]) for mark in field_marks)
    short = frozenset(str(mark["path"][-1]) for mark in field_marks if "digest" not in mark)
    texts = secret_texts(launch)
    if texts is not None:
        values = {text for text in texts if len(text) >= SHORTEST}
        return Hider(names, short, Mask(values, shortest=SHORTEST, hidden=MASK) if values else None, {})
    digests: dict[int, set[str]] = defaultdict(set)
    for mark in field_marks:
        if "digest" in mark:
            digests[int(mark["length"])].add(str(mark["digest"]))
    return Hider(names, short, None, {length: frozenset(group) for length, group in digests.items()})


def masked(launch: Launch, value: object, field: str = "", *, hider: Hider | None = None) -> object:
    """A masked copy of a value from the launch's column `field`, or of a value of its run or answer, for pages.

    In the payload all of the launch's secret fields are also masked by name. `hider` is the launch's, if the caller has it: to make one
    takes longer than all the rest.
    """
    hider = hider or payload_hider(launch)
    return redaction.step(hider.value(value), secrets=hider.names if field == "payload" else hider.short)


def masked_field(launch: Launch, field: str) -> str:
    """The content of a sealed column, the workspace's keys masked regardless of who typed them. Raises crypto.CannotOpen."""
    return masking.workspace_mask(launch.workspace).text(launch.open(field))


def payload_without_keys(launch: Launch) -> object:
    """The decoded payload with the workspace's keys masked; None once it was removed. Raises crypto.CannotOpen."""
    return json_text.parse(masked_field(launch, "payload") or "null")


def masked_payload(launch: Launch) -> object:
    """The decoded payload, masked for pages; None once it was removed. Raises crypto.CannotOpen."""
    return masked(launch, payload_without_keys(launch), "payload")


def payload_or_none(launch: Launch) -> object:
    """The decoded payload; None if it was removed or cannot be opened."""
    try:
        return json_text.parse(launch.open("payload")) if launch.payload else None
    except (CannotOpen, json_text.BadPayload):
        return None


def secret_texts(launch: Launch) -> set[str] | None:
    """What was entered into the launch's secret fields, also short texts; None if the payload was removed or cannot be opened."""
    field_marks = [mark for mark in launch.secret_marks if isinstance(mark, dict) and mark.get("path")]
    if not field_marks:
        return set()
    payload = payload_or_none(launch)
    if payload is None:
        return None
    return {text for mark in field_marks for text in checking.texts(checking.value_at(payload, mark["path"]))}
