"""Whose address the audit log names."""

import pytest
from django.contrib.auth.models import AnonymousUser
from django.test import RequestFactory
from pytest_django import Settings

from workflows_ui.audit import requests


@pytest.mark.parametrize(
    ("proxies", "forwarded", "found"),
    [
        (0, "9.9.9.9", "127.0.0.1"),
        (1, "6.6.6.6, 203.0.113.7", "203.0.113.7"),
        (2, "6.6.6.6, 203.0.113.7, 10.0.0.1", "203.0.113.7"),
        (2, "203.0.113.7", "203.0.113.7"),
        (1, "", "127.0.0.1"),
        (1, "not an address", None),
    ],
)
def test_only_as_many_proxies_are_believed_as_are_ours(
    settings: Settings, proxies: int, forwarded: str, found: str | None
) -> None:
    settings.TRUSTED_PROXIES = proxies
    request = RequestFactory().get("/", headers={"X-Forwarded-For": forwarded} if forwarded else {})
    assert requests.address(request) == found


def test_nobody_signed_in_is_nobody() -> None:
    request = RequestFactory().get("/")
    request.user = AnonymousUser()
    assert requests.actor(request).user is None
