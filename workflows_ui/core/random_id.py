"""Primary keys in the shape of the engine's ids."""

import secrets
import string
from typing import TYPE_CHECKING, Any

from django.db import models

if TYPE_CHECKING:
    _CharField = models.CharField[str, str]
else:
    _CharField = models.CharField

_ALPHABET = string.digits + string.ascii_letters


def new_id() -> str:
    """A random id: 21 characters of [0-9A-Za-z], in the shape of the engine's ids, since a launch's id is sent as the marker
    `ap-parent-run-id` and returned as `parentRunId` (recording `webhook_headers_parent_run`)."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(21))


class RandomIdField(_CharField):
    """A primary key with the default `new_id`. In migrations a plain CharField, so that they do not import this module."""

    def __init__(self, **options: Any) -> None:
        defaults: dict[str, Any] = {"primary_key": True, "max_length": 21, "default": new_id, "editable": False}
        super().__init__(**defaults | options)

    def deconstruct(self) -> tuple[str, str, Any, Any]:
        """As a CharField without its default."""
        name, _, args, kwargs = super().deconstruct()
        kwargs.pop("default", None)
        return name, "django.db.models.CharField", args, kwargs
