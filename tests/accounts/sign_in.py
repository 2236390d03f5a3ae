"""Signing in as a person at a browser does, with password and codes; what tests of people share."""

import re
import time
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth as totp
from django.test import Client

from workflows_ui.accounts.models import User
from workflows_ui.accounts.services import people, second_step

PASSWORD = "correct horse battery"
LOGIN = "/accounts/login/"
STEP = "/accounts/second-step/"


@pytest.fixture
def ada(db: None) -> User:
    """An account with the password."""
    made, _ = people.create("ada", email="ada@example.com", full_name="Ada Nguyen")
    made.set_password(PASSWORD)
    made.save()
    return made


def text(response: Any) -> str:
    """The answer's text, without entities for apostrophes and with single spaces."""
    return re.sub(r"\s+", " ", response.content.decode().replace("&#x27;", "'"))


def sign_in(client: Client, name: str, password: str = PASSWORD, **more: str) -> Any:
    """The first step."""
    return client.post(LOGIN, {"login": name, "password": password, **more})


def confirm(client: Client, password: str = PASSWORD) -> Any:
    """Says once more who one is."""
    return client.post("/accounts/again/", {"password": password})


def code(secret: str, *, steps: int = 0) -> str:
    """What an app with this secret shows now, or so many half minutes later."""
    return str(totp.format_hotp_value(totp.hotp_value(secret, int(time.time()) // 30 + steps)))


def set_up_app(client: Client) -> str:
    """Sets up an app for the signed-in user; returns its secret."""
    confirm(client)
    page = client.get(f"{STEP}app/add/")
    secret = str(page.context["form"].secret)
    answer = client.post(f"{STEP}app/add/", {"code": code(secret)})
    assert answer.status_code == 302, text(answer)
    return secret


def with_app(person: User) -> str:
    """Gives somebody an app without a browser; its secret."""
    secret = str(totp.generate_totp_secret())
    Authenticator.objects.create(user=person, type="totp", data={"secret": second_step.seal(secret)})
    return secret
