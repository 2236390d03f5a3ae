"""Encryption at rest: MultiFernet over CREDENTIAL_KEYS. Each ciphertext is bound to its context.

The plaintext is prefixed with its context, so that a ciphertext that was copied to another row or column does not open. A context is
`model:row:field`. In rows that hold the destination of a secret and its owner, U+001E and the canonical JSON of these values follow
(`bind`): if one of them is changed in the database, the row no longer opens. Contexts are data: the meaning of one never changes, a new
meaning needs a new format. The first key encrypts, all keys decrypt.
"""

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, ClassVar

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings

_SEPARATOR = "\x1f"
_VALUES = "\x1e"
#: The plaintext of a mark. It is not secret: the ciphertext only proves that the console wrote the row.
_MARK = "mark"


class CannotOpen(Exception):
    """The ciphertext is damaged, was copied from another row or column, or its key is gone."""


class Changed(CannotOpen):
    """A key opens it, but its context is different: it was copied, or a value that it is bound to was changed."""


class PlaceChanged(Changed):
    """The secret's workspace was changed outside of the console; nothing is sent to its new address."""


class NotEntered(CannotOpen):
    """There is no secret: the workspace moved to another engine, for which none has been entered yet."""


def bind(context: str, values: Mapping[str, str | int | None]) -> str:
    """A context extended by the values that its ciphertext is bound to."""
    return context + _VALUES + json.dumps(values, sort_keys=True, separators=(",", ":"))


@lru_cache(maxsize=8)
def _fernet(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])


def seal(value: str, context: str) -> str:
    """The ciphertext (ASCII) of a text, bound to a context such as `credential:<uuid>:secret`."""
    message = f"{context}{_SEPARATOR}{value}".encode()
    return _fernet(tuple(settings.CREDENTIAL_KEYS)).encrypt(message).decode()


def unseal(ciphertext: str, context: str) -> str:
    """The text sealed by `seal` for the same context. Raises CannotOpen."""
    sealed_context, value = _decrypt(ciphertext, context)
    if sealed_context != context:
        raise Changed(context)
    return value


def _decrypt(ciphertext: str, context: str) -> tuple[str, str]:
    """The context that a text was sealed for, and the text."""
    try:
        message = _fernet(tuple(settings.CREDENTIAL_KEYS)).decrypt(ciphertext.encode()).decode()
    except (InvalidToken, UnicodeDecodeError) as problem:
        raise CannotOpen(context) from problem
    sealed_context, _, value = message.partition(_SEPARATOR)
    return sealed_context, value


def seal_bytes(value: bytes, context: str) -> str:
    """As `seal`, for bytes."""
    return _fernet(tuple(settings.CREDENTIAL_KEYS)).encrypt(f"{context}{_SEPARATOR}".encode() + value).decode()


def unseal_bytes(ciphertext: str, context: str) -> bytes:
    """The bytes sealed by `seal_bytes` for the same context. Raises CannotOpen."""
    try:
        message = _fernet(tuple(settings.CREDENTIAL_KEYS)).decrypt(ciphertext.encode())
    except InvalidToken as problem:
        raise CannotOpen(context) from problem
    sealed_context, _, value = message.partition(_SEPARATOR.encode())
    if sealed_context != context.encode():
        raise Changed(context)
    return value


def mark(context: str) -> str:
    """A ciphertext that proves that the console wrote a row; the context contains the values that must not change."""
    return seal(_MARK, context)


def is_mark(ciphertext: str, context: str) -> bool:
    try:
        return unseal(ciphertext, context) == _MARK
    except CannotOpen:
        return False


class SealsFields:
    """For models with ciphertexts in text columns: seals and opens them with the row's context.

    The primary key must be set before sealing. Reading a row opens nothing; only `open` does.
    """

    pk: Any
    _meta: Any
    #: The columns that hold ciphertexts. credentials/services/key_rotation.py re-seals them with another key; a test finds missing ones.
    sealed_fields: ClassVar[tuple[str, ...]] = ()

    def bound_values(self) -> Mapping[str, str | int | None] | None:
        """The values that the row's ciphertexts are bound to in addition to row and column, or None."""
        return None

    def _context(self, field: str) -> str:
        context, values = self._column_context(field), self.bound_values()
        return context if values is None else bind(context, values)

    def _column_context(self, field: str) -> str:
        return f"{self._meta.label_lower}:{self.pk}:{field}"

    def seal(self, field: str, value: str) -> str:
        """The ciphertext of `value` for this row's column `field`; empty stays empty. It is returned, not stored."""
        return seal(value, self._context(field)) if value else ""

    def open(self, field: str) -> str:
        """The text in this row's column `field`. Raises CannotOpen."""
        ciphertext = getattr(self, field)
        return unseal(ciphertext, self._context(field)) if ciphertext else ""

    def open_to_mask(self, field: str) -> str:
        """As `open`, even if a bound value was changed: such a text is never sent or shown, but must still be masked. Raises CannotOpen."""
        ciphertext, context = getattr(self, field), self._column_context(field)
        if not ciphertext:
            return ""
        sealed_context, value = _decrypt(ciphertext, context)
        if sealed_context.partition(_VALUES)[0] != context:
            raise Changed(context)
        return value

    def open_encoded(self, field: str) -> bytes:
        """The text in this row's column `field` as UTF-8, which saves a copy of large texts. Raises CannotOpen."""
        ciphertext = getattr(self, field)
        return unseal_bytes(ciphertext, self._context(field)) if ciphertext else b""

    def seal_bytes(self, field: str, value: bytes) -> str:
        """As `seal`, for bytes; an empty value has a ciphertext too, to distinguish it from a removed one."""
        return seal_bytes(value, self._context(field))

    def open_bytes(self, field: str) -> bytes:
        """The bytes in this row's column `field`. Raises CannotOpen, also if they were removed."""
        return unseal_bytes(getattr(self, field), self._context(field))


def is_current(ciphertext: str) -> bool:
    """Whether the first key opens a ciphertext, so that it needs no other."""
    try:
        _fernet(tuple(settings.CREDENTIAL_KEYS[:1])).decrypt(ciphertext.encode())
    except InvalidToken:
        return False
    return True


def reseal(ciphertext: str) -> str:
    """The same text sealed with the first key, for the same context. Raises CannotOpen."""
    try:
        return _fernet(tuple(settings.CREDENTIAL_KEYS)).rotate(ciphertext.encode()).decode()
    except InvalidToken as problem:
        raise CannotOpen from problem
