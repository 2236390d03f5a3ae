"""The hunt itself: it finds what is hidden in any place and any form, and no secret that the code knows is left out of it."""

import base64
import json
import logging
import pickle
import secrets
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest
from django.conf import settings
from django.contrib import messages
from django.contrib.messages.storage.cookie import CookieStorage
from django.contrib.sessions.backends.db import SessionStore
from django.core import signing
from django.core.cache import caches
from django.core.mail import EmailMessage
from django.http import HttpResponse, StreamingHttpResponse
from django.test import RequestFactory
from django.urls import URLPattern, get_resolver
from django.utils import timezone

from console import logs
from tests.secrets import catalogue, places
from tests.secrets.catalogue import HUNTED, LOOKED_FOR, NO_SECRET, OWN
from tests.secrets.hunt import Hunt
from tests.users import person, workspace
from tests.web.matrix import _patterns
from workflows_ui.audit.services import audit_log
from workflows_ui.audit.services.audit_log import CONSOLE
from workflows_ui.jobs.models import Job, JobKind, JobPart, JobState
from workflows_ui.launches import tasks as launch_tasks
from workflows_ui.notifications.models import Notice

SECRET = 'planted-7f"<&\\/+é-secret'
NAME = "typed into a form"


def hidden(value: str = SECRET) -> Hunt:
    """A hunt for one secret."""
    made = Hunt()
    made.hide(NAME, value)
    return made


@pytest.mark.parametrize(
    "form",
    [
        SECRET,
        quote(SECRET),
        quote(SECRET, safe=""),
        json.dumps(SECRET),
        json.dumps(json.dumps({"a": SECRET})),
        repr(SECRET),
        repr({"a": [SECRET]}),
        SECRET.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;"),
        SECRET.encode().hex(),
        *(base64.b64encode(b"?" * shift + SECRET.encode() + b"?").decode() for shift in range(6)),
        *(base64.urlsafe_b64encode(b"?" * shift + SECRET.encode()).decode() for shift in range(3)),
        signing.dumps({"a": SECRET}),
        signing.dumps({"a": SECRET * 20}, compress=True),
    ],
    # The same in all processes: what is signed has the second in it.
    ids=lambda _form: "form",
)
def test_every_form_of_a_secret_is_found(form: str) -> None:
    hunt = hidden()
    places.answer(hunt, "page", HttpResponse(f"<p>before {form} after</p>"))
    assert hunt.leaks() == [f"{NAME} in page"]


def test_headers_cookies_streams_and_messages_are_looked_at() -> None:
    hunt = hidden()
    answer = HttpResponse("")
    answer["X-Odd"] = quote(SECRET)
    answer.set_cookie("odd", SECRET.encode().hex())
    places.answer(hunt, "plain", answer)
    places.answer(hunt, "stream", StreamingHttpResponse([b"before ", SECRET.encode()]))
    response, request = HttpResponse(""), RequestFactory().get("/")
    storage = CookieStorage(request)
    storage.add(messages.INFO, SECRET * 30)
    storage.update(response)
    places.answer(hunt, "told", response)
    assert hunt.leaks() == [
        f"{NAME} in {place}" for place in ("plain (cookies)", "plain (headers)", "stream", "told (cookies)")
    ]


def _in_a_row(secret: str) -> None:
    Notice.objects.create(
        user=person("ada"), kind="launch_ended", key="x", about={"a": secret}, created_at=timezone.now()
    )


def _in_the_audit_log(secret: str) -> None:
    audit_log.record(CONSOLE, "flow.look", reason=secret)


def _in_a_session(secret: str) -> None:
    store = SessionStore()
    store["a"] = secret * 20
    store.save()


def _in_a_job_file(secret: str) -> None:
    who, space, now = person("ada"), workspace("sales"), timezone.now()
    job = Job.objects.create(workspace=space, user=who, kind=JobKind.EXPORT, state=JobState.ENDED, asked_at=now)
    JobPart.objects.create(job=job, number=0, data=b"a,b\n" + secret.encode())


def _in_a_message(secret: str) -> None:
    launch_tasks.send.delay(secret)


def _in_a_task_of_a_task(secret: str) -> None:
    launch_tasks.send.apply_async((), {"launch_id": secret}, headers={"odd": "x"})


def _in_a_file(secret: str) -> None:
    (Path(settings.VAR_DIR) / "dump.txt").write_text(secret, encoding="utf-8")


def _in_a_mail(secret: str) -> None:
    EmailMessage("Subject", f"Böse: {secret}", to=["a@example.com"]).send()


def _in_the_subject_of_a_mail(secret: str) -> None:
    EmailMessage(f"Böse: {secret} {'x' * 90}", "", to=["a@example.com"]).send()


def _in_the_cache(secret: str) -> None:
    caches["answers"].set("a", {"b": [secret * 3]}, 60)


def _in_the_cache_for_ever(secret: str) -> None:
    caches["answers"].set("a", pickle.dumps(secret), None)


_PLANTED = [
    _in_a_row,
    _in_a_job_file,
    _in_the_audit_log,
    _in_a_session,
    _in_a_message,
    _in_a_task_of_a_task,
    _in_a_file,
    _in_a_mail,
]
_PLANTED += [_in_the_subject_of_a_mail, _in_the_cache, _in_the_cache_for_ever]


@pytest.mark.slow
@pytest.mark.django_db
@pytest.mark.parametrize("plant", _PLANTED, ids=lambda plant: str(plant.__name__.strip("_")))
def test_what_is_planted_in_any_place_that_lasts_is_found(plant: Callable[[str], None]) -> None:
    secret = f"{SECRET} {plant.__name__}"
    clean = hidden(secret)
    places.everything(clean)
    assert clean.leaks() == []
    plant(secret)
    hunt = hidden(secret)
    places.everything(hunt)
    (Path(settings.VAR_DIR) / "dump.txt").unlink(missing_ok=True)
    assert hunt.leaks() != []


def test_every_secret_that_the_code_knows_takes_part() -> None:
    assert get_resolver().url_patterns
    known = set(LOOKED_FOR) | set(NO_SECRET) | OWN.union(*HUNTED.values())
    found = catalogue.kinds() | catalogue.columns() | catalogue.password_fields() | catalogue.settings()
    assert found - known == set(), "new: hide one in the walk (catalogue.py), or say there why it is no secret"
    assert (set(LOOKED_FOR) | set(NO_SECRET)) - found == set(), "gone from the code"
    assert set(LOOKED_FOR.values()) <= OWN.union(*HUNTED.values())
    assert all(NO_SECRET.values())


def _keyed(pattern: URLPattern) -> bool:
    names = set(pattern.pattern.converters or getattr(pattern.pattern, "regex").groupindex)  # noqa: B009
    return bool(names & {"token", "key", "uidb36"})


def test_the_log_has_no_address_with_a_key_in_it() -> None:
    """An address with a key is one of a list: a new one fails here until the log knows it."""
    keyed = {str(one.name): f"/{one.pattern}" for one in _patterns(get_resolver()) if _keyed(one)}
    assert set(keyed) == {"join", "account_confirm_email", "account_reset_password_from_key", "unsubscribe"}
    key = secrets.token_urlsafe(20)
    for url in (
        f"/join/{key}/",
        f"/unsubscribe/{key}:1a:{key}/",
        f"/accounts/address/confirm/{key}/",
        f"/accounts/password/reset/key/1a-{key}/",
        f"/oauth/callback/?state=x&code={key}",
        f"/accounts/single-sign-on/back/?code={key}",
    ):
        event = logs.remove_url_keys(
            logging.getLogger(), "warning", {"event": f"Gone: {url}", "exception": f"at '{url}'"}
        )
        assert key not in str(event)
        assert "Gone: /" in str(event)
