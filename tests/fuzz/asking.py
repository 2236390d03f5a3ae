"""How fuzzing tests ask, how much of it, and for how long."""

import os
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from hypothesis import HealthCheck, settings

from tests import caches

#: What `make test` tries.
SHORT = settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
#: What `make chaos` tries in one round.
LONG = settings(SHORT, max_examples=300, derandomize=False)
#: For tests that take `run`: `make test` tries few examples, `make test-full` many.
few_or_many = pytest.mark.parametrize(
    "run",
    [SHORT, pytest.param(settings(SHORT, max_examples=400), marks=[pytest.mark.slow, pytest.mark.left_out])],
    ids=["few", "many"],
)
FRAGMENT = {"HX-Request": "true", "HX-Target": "live"}


def rounds() -> Iterator[settings]:
    """New examples until half an hour is over (FUZZ_SECONDS): there are two such tests."""
    end = time.monotonic() + float(os.environ.get("FUZZ_SECONDS", "1800"))
    while time.monotonic() < end:
        yield LONG


def answered(browser: Client, ask: Callable[[], Any]) -> Any:
    """What is answered; whatever it wrote is taken back, and the browser stays signed in."""
    caches.forget_answers()
    cookies = {name: one.value for name, one in browser.cookies.items()}
    with transaction.atomic():
        answer = ask()
        for _part in getattr(answer, "streaming_content", ()):
            pass
        content = getattr(answer, "content", b"")
        transaction.set_rollback(True)
    browser.cookies.clear()
    for name, value in cookies.items():
        browser.cookies[name] = value
    assert answer.status_code < 500 or answer.status_code in {502, 503, 504}, content[:2000]
    return answer
