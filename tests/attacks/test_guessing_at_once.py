"""Guesses that are sent at the same moment: counted one by one, whichever process or thread takes them."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.core.cache import caches
from django.db import connection
from django.test import Client

from tests.accounts.sign_in import sign_in, text
from tests.users import Users, gather, workspace

pytestmark = [pytest.mark.both_databases, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def users() -> Users:
    return gather(workspace("sales"), "secret-secret-secret")


@pytest.mark.slow
def test_guesses_at_the_same_moment_are_no_more_than_one_after_the_other(users: Users) -> None:
    def guess(number: int) -> bool:
        try:
            answer = sign_in(Client(REMOTE_ADDR=f"203.0.113.{number}"), "owner", "wrong")
            return "Too many attempts" not in text(answer)
        finally:
            connection.close()

    with ThreadPoolExecutor(12) as threads:
        looked_at = sum(threads.map(guess, range(24)))
    assert 1 <= looked_at <= 5


def test_of_several_who_add_a_value_at_the_same_moment_one_succeeds() -> None:
    def add(number: int) -> bool:
        try:
            return caches["default"].add("ticket", number, 60)
        finally:
            connection.close()

    with ThreadPoolExecutor(12) as threads:
        assert sum(threads.map(add, range(24))) == 1
