"""The second step of signing in: set up, asked for, replaced by recovery codes, taken away; and nothing of it in the clear."""

from collections.abc import Iterator
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from cryptography.fernet import Fernet
from django.core import mail
from django.core.management import CommandError, call_command
from django.db import transaction
from django.test import Client

from tests.accounts.sign_in import LOGIN, STEP, code, confirm, set_up_app, sign_in, text, with_app
from workflows_ui.accounts.models import User
from workflows_ui.accounts.services import people, second_step
from workflows_ui.audit.models import AuditEvent


@pytest.fixture(autouse=True)
def _committed() -> Iterator[None]:
    """allauth says and mails some things once the change is committed, which in a test's transaction would be never."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(transaction, "on_commit", lambda then, **_more: then())
        yield


def _actions() -> list[tuple[str, str]]:
    return list(AuditEvent.objects.order_by("pk").values_list("action", "outcome"))


def test_setting_up_an_app_asks_again_who_one_is(ada: User, client: Client) -> None:
    client.force_login(ada)
    answer = client.get(f"{STEP}app/add/", follow=True)
    assert answer.redirect_chain[-1][0].startswith("/accounts/again/?next=")
    assert "Confirm it's you" in text(answer)
    wrong = confirm(client, "wrong")
    assert (wrong.status_code, "This is not your password." in text(wrong)) == (422, True)
    assert confirm(client).status_code == 302
    assert client.get(f"{STEP}app/add/").status_code == 200


def test_saying_who_one_is_leads_nowhere_outside(ada: User, client: Client) -> None:
    client.force_login(ada)
    answer = client.post("/accounts/again/", {"password": "correct horse battery", "next": "https://evil.example/"})
    assert answer.headers["Location"] == "/"


def test_an_app_is_asked_for_at_the_next_sign_in_and_not_before_its_code_the_console(ada: User, client: Client) -> None:
    sign_in(client, "ada")
    secret = set_up_app(client)
    assert second_step.has(ada)
    other = Client()
    first = sign_in(other, "ada", next="/profile/")
    assert first.headers["Location"] == f"{STEP}enter/"
    assert other.get("/profile/").status_code == 303
    wrong = other.post(f"{STEP}enter/", {"code": "000000"})
    assert (wrong.status_code, "This code is not correct." in text(wrong)) == (422, True)
    right = other.post(f"{STEP}enter/", {"code": code(secret, steps=1)})
    assert right.headers["Location"] == "/profile/"
    assert other.get("/profile/").status_code == 200


def test_a_code_works_once(ada: User) -> None:
    secret, digits = with_app(ada), ""
    for expected in (302, 422):
        client = Client()
        sign_in(client, "ada")
        digits = digits or code(secret)
        assert client.post(f"{STEP}enter/", {"code": digits}).status_code == expected


def test_codes_that_are_guessed_are_stopped(ada: User, client: Client) -> None:
    secret = with_app(ada)
    sign_in(client, "ada")
    answers = [client.post(f"{STEP}enter/", {"code": f"00000{number}"}) for number in range(6)]
    assert "Too many attempts" in text(answers[-1])
    assert "Too many attempts" in text(client.post(f"{STEP}enter/", {"code": code(secret)}))


def test_the_second_step_is_no_page_for_somebody_who_has_not_taken_the_first(db: None, client: Client) -> None:
    assert client.get(f"{STEP}enter/").headers["Location"].startswith(LOGIN)
    assert client.post(f"{STEP}enter/", {"code": "123456"}).headers["Location"].startswith(LOGIN)


def test_the_session_is_a_new_one_after_the_second_step(ada: User, client: Client) -> None:
    secret = with_app(ada)
    sign_in(client, "ada")
    before = client.cookies["sessionid"].value
    client.post(f"{STEP}enter/", {"code": code(secret)})
    assert client.cookies["sessionid"].value != before


def test_a_recovery_code_stands_in_once_and_is_written_down(ada: User, client: Client) -> None:
    sign_in(client, "ada")
    set_up_app(client)
    page = client.get(f"{STEP}codes/")
    first = page.context["unused_codes"][0]
    assert len(page.context["unused_codes"]) == 10
    assert first in client.get(f"{STEP}codes/file/").content.decode()
    for expected in (302, 422):
        other = Client()
        sign_in(other, "ada")
        assert other.post(f"{STEP}enter/", {"code": first}).status_code == expected
    assert ("person.recovery_code_use", "done") in _actions()
    assert "9 codes are left." in text(client.get(STEP))


def test_new_recovery_codes_end_the_old_ones(ada: User, client: Client) -> None:
    sign_in(client, "ada")
    set_up_app(client)
    old = client.get(f"{STEP}codes/").context["unused_codes"]
    client.post(f"{STEP}codes/new/")
    assert not set(old) & set(client.get(f"{STEP}codes/").context["unused_codes"])
    assert ("person.recovery_codes_make", "done") in _actions()


def test_a_first_second_step_signs_out_the_other_browsers(ada: User, client: Client) -> None:
    other = Client()
    for each in (client, other):
        sign_in(each, "ada")
    set_up_app(client)
    assert client.get("/profile/").status_code == 200
    assert other.get("/profile/").status_code == 303


def test_an_app_is_removed_after_a_question_and_its_codes_go_with_it(ada: User, client: Client) -> None:
    sign_in(client, "ada")
    set_up_app(client)
    assert "It is your only second factor" in text(client.get(f"{STEP}app/remove/"))
    client.post(f"{STEP}app/remove/")
    assert not second_step.has(ada)
    assert not Authenticator.objects.exists()
    assert ("person.second_step_remove", "done") in _actions()


def test_mails_mention_every_change(ada: User, client: Client) -> None:
    sign_in(client, "ada")
    set_up_app(client)
    client.post(f"{STEP}codes/new/")
    client.post(f"{STEP}app/remove/")
    assert [message.subject for message in mail.outbox] == [
        "An authenticator app was set up for the workflow console",
        "New recovery codes for the workflow console",
        "The authenticator app was removed from the workflow console",
    ]
    assert all("If this was not you" in str(message.body) for message in mail.outbox)


def test_the_secret_of_an_app_and_the_seed_of_codes_are_sealed(ada: User, client: Client) -> None:
    sign_in(client, "ada")
    secret = set_up_app(client)
    codes = client.get(f"{STEP}codes/").context["unused_codes"]
    stored_data = str(list(Authenticator.objects.values_list("data", flat=True)))
    assert secret not in stored_data
    assert not any(each in stored_data for each in codes)
    written = str(list(AuditEvent.objects.values_list("detail", flat=True)))
    assert secret not in written


def test_the_secret_is_sealed_while_the_app_is_being_set_up_too(ada: User, client: Client) -> None:
    sign_in(client, "ada")
    confirm(client)
    secret = client.get(f"{STEP}app/add/").context["form"].secret
    client.post(f"{STEP}app/add/", {"code": "000000"})
    assert secret not in str(dict(client.session))
    assert client.post(f"{STEP}app/add/", {"code": code(secret)}).status_code == 302
    assert "mfa.totp.secret" not in client.session


def test_secrets_are_sealed_again_under_another_key(ada: User, settings: Any) -> None:
    secret = with_app(ada)
    settings.CREDENTIAL_KEYS = [Fernet.generate_key().decode(), *settings.CREDENTIAL_KEYS]
    row = Authenticator.objects.get()
    assert second_step.reseal(row)
    assert not second_step.reseal(row), "what was changed meanwhile is left alone"
    settings.CREDENTIAL_KEYS = settings.CREDENTIAL_KEYS[:1]
    assert second_step.unseal(Authenticator.objects.get().data["secret"]) == secret


def test_codes_are_on_no_page_without_saying_again_who_one_is(ada: User, client: Client) -> None:
    sign_in(client, "ada")
    set_up_app(client)
    session = client.session
    session["account_authentication_methods"] = []
    session.save()
    for path in ("codes/", "codes/file/", "codes/new/", "app/remove/"):
        assert client.get(f"{STEP}{path}").headers["Location"].startswith("/accounts/again/")


def test_pages_with_secrets_are_kept_by_no_cache(ada: User, client: Client) -> None:
    sign_in(client, "ada")
    set_up_app(client)
    assert "no-store" in client.get(f"{STEP}codes/").headers["Cache-Control"]


def test_an_address_without_a_name_says_that_it_has_no_passkeys(ada: User, client: Client) -> None:
    client.force_login(ada)
    assert "Not at this address" in text(client.get("/accounts/passkeys/"))
    assert client.get("/accounts/passkeys/add/").headers["Location"] == "/accounts/passkeys/"
    assert client.post("/accounts/passkeys/sign-in/", {}).headers["Location"] == "/accounts/passkeys/"
    assert "passkey" not in text(Client().get(LOGIN))


def test_a_host_name_offers_passkeys(ada: User, client: Client, settings: Any) -> None:
    settings.PASSKEYS, settings.BASE_URL = True, "http://localhost"
    assert "Sign in with a passkey" in text(client.get(LOGIN))
    sign_in(client, "ada")
    confirm(client)
    page = client.get("/accounts/passkeys/add/")
    assert page.context["js_data"]["creation_options"]["publicKey"]["rp"]["id"] == "localhost"
    for sent in ({}, {"credential": "{}"}, {"credential": "nonsense"}, {"credential": '{"id": "x", "response": 1}'}):
        assert client.post("/accounts/passkeys/add/", sent).status_code == 422
    assert not Authenticator.objects.exists()


def test_a_passkey_that_does_not_exist_is_rejected_at_the_second_step_as_a_wrong_code_is(
    ada: User, client: Client, settings: Any
) -> None:
    settings.PASSKEYS, settings.BASE_URL = True, "http://localhost"
    sign_in(client, "ada")
    set_up_app(client)
    other = Client()
    sign_in(other, "ada")
    for sent in ({"credential": "nonsense"}, {"code": "000000"}):
        assert other.post(f"{STEP}enter/", sent).status_code == 422


@pytest.mark.parametrize("sent", ["", "{}", "nonsense", '{"response": {"userHandle": "MQ"}}', "[1]"])
def test_a_passkey_that_does_not_exist_signs_nobody_in(ada: User, client: Client, settings: Any, sent: str) -> None:
    settings.PASSKEYS, settings.BASE_URL = True, "http://localhost"
    answer = client.post("/accounts/passkeys/sign-in/", {"credential": sent})
    assert answer.status_code == 302
    assert client.get("/profile/").status_code == 303


def test_somebody_elses_passkey_is_not_there(ada: User, client: Client) -> None:
    key = Authenticator.objects.create(user=ada, type="webauthn", data={"name": "Ada's", "credential": {}})
    eve, _ = people.create("eve", email="eve@example.com")
    client.force_login(eve)
    session = client.session
    session["account_authentication_methods_user"] = str(eve.pk)
    session["account_authentication_methods"] = [{"method": "password", "at": 9e9, "reauthenticated": True}]
    session.save()
    for deed in ("rename", "remove"):
        assert client.get(f"/accounts/passkeys/{key.pk}/{deed}/").status_code == 404
        assert client.post(f"/accounts/passkeys/{key.pk}/{deed}/", {"name": "mine"}).status_code == 404
    assert Authenticator.objects.get().data["name"] == "Ada's"


def test_a_superuser_takes_a_lost_second_step_away_after_a_question(ada: User, client: Client) -> None:
    with_app(ada)
    root, _ = people.create("root", email="root@example.com")
    User.objects.filter(pk=root.pk).update(is_superuser=True)
    client.force_login(root)
    path = f"/people/{ada.pk}/second-step/"
    assert "Make sure that the request really comes from them" in text(client.get(path))
    client.post(path)
    assert second_step.has(ada)
    assert client.post(path, {"sure": "yes"}).status_code == 303
    assert not second_step.has(ada)
    assert mail.outbox[-1].to == ["ada@example.com"]
    row = AuditEvent.objects.get(action="person.second_step_reset")
    assert (row.user, row.object_id, row.detail) == (root, str(ada.pk), {"kinds": ["totp"]})


def test_nobody_else_takes_a_second_step_away(ada: User, client: Client) -> None:
    with_app(ada)
    client.force_login(ada)
    assert client.post(f"/people/{ada.pk}/second-step/").status_code == 404
    assert second_step.has(ada)


def test_a_command_helps_the_last_superuser(ada: User, capsys: pytest.CaptureFixture[str]) -> None:
    with_app(ada)
    call_command("remove_second_step", "ADA")
    call_command("remove_second_step", "ada")
    assert capsys.readouterr().out.splitlines() == [
        "Two-factor authentication is removed.",
        "There was no two-factor authentication.",
    ]
    with pytest.raises(CommandError):
        call_command("remove_second_step", "nobody")
