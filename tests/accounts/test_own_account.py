"""One's own account: the browsers one is signed in with, another e-mail address, and what the audit log keeps of signing in."""

import re
from datetime import timedelta
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.core import mail
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.accounts.sign_in import PASSWORD, STEP, code, confirm, set_up_app, sign_in, text
from workflows_ui import tasks
from workflows_ui.accounts.models import User
from workflows_ui.accounts.services import people
from workflows_ui.audit.models import AuditEvent

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0"
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Mobile Safari/604.1"


def _rows(action: str) -> list[AuditEvent]:
    return list(AuditEvent.objects.filter(action=action).order_by("pk"))


# --- Sessions


def test_the_list_shows_browser_address_and_which_is_this_one(ada: User) -> None:
    here, phone = Client(headers={"user-agent": FIREFOX}), Client(headers={"user-agent": PHONE})
    for each in (here, phone):
        sign_in(each, "ada")
    page = text(here.get("/accounts/sessions/"))
    assert "Firefox on Linux" in page
    assert "Safari on iPhone" in page
    assert page.index("Firefox on Linux") < page.index("this browser") < page.index("Safari on iPhone")
    assert "127.0.0.1" in page


def test_another_browser_is_signed_out_at_once(ada: User) -> None:
    here, other = Client(), Client()
    for each in (here, other):
        sign_in(each, "ada")
    row = UserSession.objects.get(session_key=other.session.session_key)
    assert here.post(f"/accounts/sessions/{row.pk}/end/").status_code == 303
    assert other.get("/profile/").status_code == 303
    assert here.get("/profile/").status_code == 200
    assert _rows("person.sessions_end")[0].detail == {"count": 1}


def test_all_others_are_signed_out_together(ada: User) -> None:
    clients = [Client() for _ in range(3)]
    for each in clients:
        sign_in(each, "ada")
    answer = clients[0].post("/accounts/sessions/end-others/", follow=True)
    assert "2 other browsers are signed out." in text(answer)
    assert [each.get("/profile/").status_code for each in clients] == [200, 303, 303]
    assert "You were signed in nowhere else." in text(clients[0].post("/accounts/sessions/end-others/", follow=True))


def test_sessions_that_are_over_are_removed_within_the_hour(ada: User) -> None:
    old, new = Client(), Client()
    sign_in(old, "ada")
    sign_in(new, "ada")
    Session.objects.filter(session_key=old.session.session_key).update(expire_date=timezone.now() - timedelta(days=2))
    UserSession.objects.filter(session_key=old.session.session_key).update(
        created_at=timezone.now() - timedelta(days=16)
    )
    tasks.purge()
    assert list(Session.objects.values_list("session_key", flat=True)) == [new.session.session_key]
    assert list(UserSession.objects.values_list("session_key", flat=True)) == [new.session.session_key]


def test_nobody_ends_somebody_elses_session(ada: User) -> None:
    hers, his = Client(), Client()
    sign_in(hers, "ada")
    eve, _ = people.create("eve", email="eve@example.com")
    his.force_login(eve)
    row = UserSession.objects.get(user=ada)
    assert his.post(f"/accounts/sessions/{row.pk}/end/").status_code == 404
    assert hers.get("/profile/").status_code == 200


@pytest.mark.parametrize("agent", ["", "<script>alert(1)</script>" * 30, "x" * 5000, "Mozilla/5.0"])
def test_a_browser_may_say_anything_of_itself(ada: User, agent: str) -> None:
    client = Client(headers={"user-agent": agent})
    sign_in(client, "ada")
    page = client.get("/accounts/sessions/")
    assert page.status_code == 200
    assert "<script>alert" not in page.content.decode()


# --- Address


def test_a_new_address_takes_over_once_its_link_was_followed(ada: User, client: Client) -> None:
    sign_in(client, "ada")
    confirm(client)
    sent = {"email": "Ada.Nguyen@example.com", "action_add": "1"}
    assert "is on its way to ada.nguyen@example.com" in text(client.post("/accounts/address/", sent, follow=True))
    ada.refresh_from_db()
    assert ada.email == "ada@example.com"
    (message,) = mail.outbox
    assert message.to == ["ada.nguyen@example.com"]
    found = re.search(r"http://127.0.0.1:8000(/accounts/address/confirm/\S+)", str(message.body))
    assert found
    assert "Is this your address?" in text(client.get(found.group(1)))
    ada.refresh_from_db()
    assert ada.email == "ada@example.com", "looking at a link changes nothing: programs that read mail do it too"
    client.post(found.group(1))
    ada.refresh_from_db()
    assert ada.email == "ada.nguyen@example.com"
    assert mail.outbox[-1].to == ["ada@example.com"], "the old address is notified"
    assert _rows("person.address_change")[0].detail["after"] == "ada.nguyen@example.com"
    assert "This link does not work any more" in text(client.get("/accounts/address/confirm/nonsense/"))


def test_the_address_is_changed_only_by_who_says_again_who_they_are(ada: User, client: Client) -> None:
    client.force_login(ada)
    answer = client.post("/accounts/address/", {"email": "eve@example.com", "action_add": "1"})
    assert answer.headers["Location"].startswith("/accounts/again/")
    assert mail.outbox == []


def test_no_address_is_taken_from_somebody_else(ada: User, client: Client) -> None:
    people.create("eve", email="eve@example.com")
    sign_in(client, "ada")
    confirm(client)
    client.post("/accounts/address/", {"email": "eve@example.com", "action_add": "1"})
    for message in mail.outbox:
        found = re.search(r"(/accounts/address/confirm/\S+)", str(message.body))
        if found:
            client.post(found.group(1))
    ada.refresh_from_db()
    assert ada.email == "ada@example.com"


def test_a_mail_server_that_is_down_is_shown_to_people_who_are_signed_in_and_to_no_stranger(
    ada: User, client: Client, settings: Any
) -> None:
    settings.EMAIL_BACKEND, settings.EMAIL_HOST, settings.EMAIL_PORT = (
        "django.core.mail.backends.smtp.EmailBackend",
        "127.0.0.1",
        9,
    )
    known, unknown = (
        Client().post("/accounts/password/reset/", {"email": email}) for email in (ada.email, "no@example.com")
    )
    assert (known.status_code, known["Location"]) == (unknown.status_code, unknown["Location"])
    sign_in(client, "ada")
    confirm(client)
    page = text(client.post("/accounts/address/", {"email": "new@example.com", "action_add": "1"}, follow=True))
    assert "The email could not be sent" in page


def test_a_mail_server_that_says_nothing_is_not_waited_for_for_ever(settings: Any) -> None:
    assert 0 < settings.EMAIL_TIMEOUT <= 30


@pytest.mark.parametrize("email", ["", "no address", "ada@example.com"])
def test_what_is_no_new_address_is_refused_at_its_field(ada: User, client: Client, email: str) -> None:
    sign_in(client, "ada")
    confirm(client)
    answer = client.post("/accounts/address/", {"email": email, "action_add": "1"})
    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == ["email"]


def test_without_mail_the_page_says_whom_to_ask(ada: User, client: Client, settings: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
    sign_in(client, "ada")
    confirm(client)
    assert "Ask your administrator to change it" in text(client.get("/accounts/address/"))


# --- What is written down


def test_coming_and_going_are_written_down(ada: User, client: Client) -> None:
    sign_in(client, "ada")
    client.post("/accounts/logout/")
    (came,), (left,) = _rows("person.sign_in"), _rows("person.sign_out")
    assert (came.user, came.outcome, came.address, came.detail) == (ada, "done", "127.0.0.1", {"ways": ["password"]})
    assert left.user == ada


def test_a_failed_sign_in_names_the_account_but_no_actor(ada: User, client: Client) -> None:
    sign_in(client, "ada", "wrong-password")
    (row,) = _rows("person.sign_in")
    assert (row.user, row.object_id, row.outcome) == (None, str(ada.pk), "refused")
    assert "wrong-password" not in f"{row.detail}{row.object_name}"


def test_a_password_typed_as_the_name_is_not_kept(ada: User, client: Client) -> None:
    sign_in(client, "my-secret-password-in-the-wrong-field", "x")
    (row,) = _rows("person.sign_in")
    assert row.object_id == ""
    assert "my-secret" not in f"{row.detail}{row.object_name}{row.object_id}"


def test_a_changed_password_is_written_down(ada: User, client: Client) -> None:
    sign_in(client, "ada")
    new = "another horse battery"
    client.post("/accounts/password/change/", {"oldpassword": PASSWORD, "password1": new, "password2": new})
    (row,) = _rows("person.password_change")
    assert row.user == ada
    assert new not in str(row.detail)


def test_a_known_and_an_unknown_name_cost_the_same_hashing(ada: User, client: Client, monkeypatch: Any) -> None:
    """Comparable work: no clock is looked at, only what takes the time is counted."""
    from django.contrib.auth import hashers

    made: list[int] = []
    hasher = type(hashers.get_hasher("default"))
    encode = hasher.encode

    def counted(self: Any, *args: Any, **kwargs: Any) -> Any:
        made.append(1)
        return encode(self, *args, **kwargs)

    monkeypatch.setattr(hasher, "encode", counted)
    counts, queries = [], []
    for name in ("ada", "nobody", "ada@example.com", "nobody@example.com"):
        made.clear()
        with CaptureQueriesContext(
            connection,
        ) as seen:
            sign_in(client, name, "wrong")
        counts.append(len(made))
        queries.append(len(seen))
    assert counts == [1, 1, 1, 1]
    assert max(queries) - min(queries) <= 2


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_the_whole_story_of_a_sign_in_stands_in_the_log_with_its_address_and_session(ada: User, settings: Any) -> None:
    settings.PASSKEYS = True
    here, other = Client(REMOTE_ADDR="203.0.113.7"), Client(REMOTE_ADDR="203.0.113.8")
    sign_in(here, "ada", "wrong")
    sign_in(here, "nobody", "wrong")
    sign_in(other, "ada")
    sign_in(here, "ada")
    secret = set_up_app(here)
    here.post(f"{STEP}codes/new/")
    here.get(f"{STEP}codes/")
    here.get(f"{STEP}codes/file/")
    here.post("/accounts/logout/")
    sign_in(here, "ada")
    here.post(f"{STEP}enter/", {"code": "000000"})
    here.post(f"{STEP}enter/", {"code": code(secret, steps=1)})
    other.post("/accounts/passkeys/sign-in/", {"credential": "{}"})
    here.post("/accounts/again/", {"password": "wrong"})
    confirm(here)
    key = Authenticator.objects.create(user=ada, type="webauthn", data={"name": "Old phone", "credential": {}})
    here.post(f"/accounts/passkeys/{key.pk}/rename/", {"name": "New phone"})
    here.post(f"/accounts/passkeys/{key.pk}/remove/")
    here.post(f"{STEP}app/remove/")
    rows = list(AuditEvent.objects.exclude(action="person.create").order_by("pk"))
    assert [(row.action.removeprefix("person."), row.outcome) for row in rows] == [
        ("sign_in", "refused"),
        ("sign_in", "refused"),
        ("sign_in", "done"),
        ("sign_in", "done"),
        ("second_step_add", "done"),
        ("sessions_end", "done"),
        ("recovery_codes_make", "done"),
        ("recovery_codes_make", "done"),
        ("recovery_codes_look", "done"),
        ("recovery_codes_look", "done"),
        ("sign_out", "done"),
        ("second_step", "refused"),
        ("sign_in", "done"),
        ("sign_in", "refused"),
        ("sign_in", "refused"),
        ("passkey_rename", "done"),
        ("second_step_remove", "done"),
        ("second_step_remove", "done"),  # the app, and the codes that were for it
        ("second_step_remove", "done"),
    ]
    assert (rows[15].detail["before"], rows[15].detail["after"]) == ("Old phone", "New phone")
    assert {row.address for row in rows} == {"203.0.113.7", "203.0.113.8"}
    for row in rows:
        # A sign-in that fails at the first step has no session yet; no key is in the log.
        door = row.action == "person.sign_in" and row.outcome == "refused" and row.user is None
        assert bool(row.session) is not door, row.action
        assert str(here.session.session_key) not in str(row.canonical)
    first, again = rows[3], rows[12]
    assert rows[10].session == first.session != again.session
