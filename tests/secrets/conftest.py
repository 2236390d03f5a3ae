"""What a hunt plays on: the hunt itself, and the log as the console writes it."""

import io
import logging
from collections.abc import Iterator

import pytest
import structlog
from django.conf import settings

from tests.chaos.conftest import scene
from tests.practice_engine.fixtures import practice
from tests.secrets.hunt import Hunt

__all__ = ["practice", "scene"]


@pytest.fixture
def hunt() -> Hunt:
    """Nothing looked at; hidden is what the console's own keys are."""
    made = Hunt()
    made.hide("SECRET_KEY", settings.SECRET_KEY)
    made.hide("CREDENTIAL_KEYS", *settings.CREDENTIAL_KEYS)
    made.hide("AUDIT_KEY", *settings.AUDIT_KEY)
    return made


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """Everything that is logged, at every level, in both of the console's formats."""
    root, text = logging.getLogger(), io.StringIO()
    (plain,) = {
        one.formatter for one in root.handlers if isinstance(one.formatter, structlog.stdlib.ProcessorFormatter)
    }
    handler = logging.StreamHandler(text)
    handler.setFormatter(plain)
    level = root.level
    root.setLevel(logging.DEBUG)
    root.addHandler(handler)
    yield text
    root.removeHandler(handler)
    root.setLevel(level)
