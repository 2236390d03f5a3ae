"""Signing in and out, passwords, profile: in the console's look and language, closed to people without an account, slow for guessers."""

import re
import smtplib
from pathlib import Path
from typing import Any

import allauth
import pytest
from babel.messages.pofile import read_po
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.test import Client
from django.urls import NoReverseMatch, reverse

from tests import mailbox
from tests.accounts.sign_in import code
from tests.users import person
from workflows_ui.accounts.models import User
from workflows_ui.web import library_strings

PASSWORD = "correct horse battery"
LOGIN = "/accounts/login/"


def text(response: Any) -> str:
    return str(response.content.decode())


def sign_in(client: Client, login: str, password: str = PASSWORD, **more: str) -> Any:
    return client.post(LOGIN, {"login": login, "password": password, **more})


def link(message: str) -> str:
    found = re.search(r"https?://\S+/password/reset/key/\S+", message)
    assert found
    return found.group()


# --- Signing in


@pytest.mark.parametrize("login", ["ada", "ADA", "ada@example.com", "Ada@Example.com "])
def test_one_signs_in_by_user_name_or_e_mail_address(ada: User, client: Client, login: str) -> None:
    answer = sign_in(client, login)
    assert (answer.status_code, answer.headers["Location"]) == (302, "/")
    assert client.get("/profile/").status_code == 200


def test_a_new_session_begins_with_signing_in(ada: User, client: Client) -> None:
    client.get(LOGIN)
    client.session["before"] = 1
    client.session.save()
    before = client.cookies.get("sessionid")
    sign_in(client, "ada")
    assert before is None or client.cookies["sessionid"].value != before.value


def test_a_wrong_password_and_an_unknown_name_are_answered_alike(ada: User, client: Client) -> None:
    known, unknown = sign_in(client, "ada", "wrong"), sign_in(client, "eve", "wrong")
    assert (known.status_code, unknown.status_code) == (422, 422)
    varies = re.compile(r'value="[^"]*"|X-CSRFToken":"[^"]*"')
    assert varies.sub("", text(known)) == varies.sub("", text(unknown))
    assert "Wrong username or password." in text(known)
    assert 'value="ada"' in text(known)
    assert 'value="wrong"' not in text(known)


def test_five_wrong_passwords_lock_the_name_even_for_the_right_one(ada: User, client: Client) -> None:
    for _ in range(5):
        assert "Wrong username or password" in text(sign_in(client, "ada", "wrong"))
    locked = sign_in(client, "ada")
    assert locked.status_code == 422
    assert "Too many attempts" in text(locked)
    assert client.get("/profile/").status_code == 303
    person("ben")
    assert sign_in(client, "ben").status_code == 302


def test_a_name_that_nobody_has_is_locked_in_the_same_way(db: None, client: Client) -> None:
    for _ in range(5):
        sign_in(client, "nobody", "wrong")
    assert "Too many attempts" in text(sign_in(client, "nobody", "wrong"))


@pytest.mark.slow
def test_one_address_that_tries_many_names_is_stopped(db: None, client: Client) -> None:
    answers = [sign_in(client, f"name{number}", "wrong") for number in range(31)]
    assert "Too many attempts" in text(answers[20])
    assert answers[-1].status_code == 429
    assert "Wait a minute" in text(answers[-1])


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)"]
)
def test_signing_in_leads_nowhere_outside(ada: User, client: Client, target: str) -> None:
    answer = sign_in(client, "ada", next=target)
    assert answer.headers["Location"] == "/"


def test_signing_in_leads_back_to_where_one_wanted_to_be(ada: User, client: Client) -> None:
    wanted = client.get("/profile/").headers["Location"]
    assert "next=/profile/" in wanted or "next=%2Fprofile%2F" in wanted
    assert '<input type="hidden" name="next" value="/profile/"' in text(client.get(wanted))
    assert sign_in(client, "ada", next="/profile/").headers["Location"] == "/profile/"


def test_an_account_that_is_switched_off_cannot_be_used(ada: User, client: Client) -> None:
    ada.is_active = False
    ada.save()
    sign_in(client, "ada")
    assert client.get("/profile/").status_code == 303


def test_signing_out_is_a_post(ada: User, client: Client) -> None:
    client.force_login(ada)
    assert "Sign out?" in text(client.get("/accounts/logout/"))
    assert client.get("/profile/").status_code == 200
    client.post("/accounts/logout/")
    assert client.get("/profile/").status_code == 303


def test_signing_in_needs_the_token_of_the_form(ada: User) -> None:
    client = Client(enforce_csrf_checks=True)
    answer = sign_in(client, "ada")
    assert answer.status_code == 403
    assert PASSWORD not in text(answer)


# --- No sign-up, and nothing of allauth's that is not ours


def test_sign_up_says_that_it_is_closed_and_takes_nothing(db: None, client: Client) -> None:
    assert "Sign-up is closed" in text(client.get("/accounts/signup/"))
    sent = {"username": "eve", "email": "eve@example.com", "password1": PASSWORD, "password2": PASSWORD}
    assert "Sign-up is closed" in text(client.post("/accounts/signup/", sent))
    assert not User.objects.exists()


@pytest.mark.parametrize(
    "name", ["account_request_login_code", "account_confirm_login_code", "mfa_signup_webauthn", "socialaccount_signup"]
)
def test_pages_of_allauth_that_make_no_sense_here_do_not_exist(name: str) -> None:
    with pytest.raises(NoReverseMatch):
        reverse(name)


# --- Passwords


def test_a_lost_password_is_replaced_by_a_link_that_works_once(ada: User, client: Client) -> None:
    answer = client.post("/accounts/password/reset/", {"email": "ADA@example.com"}, follow=True)
    assert "If an account uses this address" in text(answer)
    mailbox.carry()
    (message,) = mail.outbox
    assert message.subject == "Choose a new password for the workflow console"
    assert "ada" in str(message.body)
    path = link(str(message.body)).split("8000", 1)[1]
    form = client.get(path, follow=True)
    assert "Choose a new password" in text(form)
    where = form.redirect_chain[-1][0]
    short = client.post(where, {"password1": "short", "password2": "short"})
    assert short.status_code == 422
    new = "another horse battery"
    done = client.post(where, {"password1": new, "password2": new}, follow=True)
    assert "Your password is changed" in text(done)
    assert "was changed" in mail.outbox[1].subject
    assert sign_in(Client(), "ada", new).status_code == 302
    assert "This link does not work any more" in text(Client().get(path, follow=True))


def test_an_unknown_address_gets_no_mail_and_the_same_page(ada: User, client: Client) -> None:
    answer = client.post("/accounts/password/reset/", {"email": "eve@example.com"}, follow=True)
    assert "If an account uses this address" in text(answer)
    mailbox.carry()
    assert mail.outbox == []


def test_the_link_of_a_mail_does_not_follow_the_host_that_a_request_names(ada: User, client: Client) -> None:
    client.post("/accounts/password/reset/", {"email": "ada@example.com"}, headers={"host": "localhost"})
    mailbox.carry()
    assert link(str(mail.outbox[0].body)).startswith("http://127.0.0.1:8000/")
    assert "localhost" not in f"{mail.outbox[0].subject}{mail.outbox[0].body}"


def test_the_mail_is_in_the_language_of_the_person_and_goes_again_where_the_server_refuses(
    ada: User, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    User.objects.filter(pk=ada.pk).update(language="vi")
    refusals = iter([smtplib.SMTPServerDisconnected(), ConnectionRefusedError()])
    posted = EmailBackend.send_messages

    def refusing(self: EmailBackend, messages: Any) -> int:
        if problem := next(refusals, None):
            raise problem
        return int(posted(self, messages))

    monkeypatch.setattr(EmailBackend, "send_messages", refusing)
    client.post("/accounts/password/reset/", {"email": "ada@example.com"})
    assert mailbox.carry() == [([ada.pk], "en")]
    (message,) = mail.outbox
    assert message.subject == "Đặt mật khẩu mới cho bảng điều khiển luồng"


def test_a_console_without_mail_says_so(db: None, client: Client, settings: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
    assert "This console cannot send email" in text(client.get("/accounts/password/reset/"))


def test_a_changed_password_keeps_this_browser_and_ends_the_others(ada: User, client: Client) -> None:
    other = Client()
    for each in (client, other):
        sign_in(each, "ada")
    new = "another horse battery"
    wrong = client.post("/accounts/password/change/", {"oldpassword": "no", "password1": new, "password2": new})
    assert (wrong.status_code, "This is not your current password." in text(wrong)) == (422, True)
    done = client.post(
        "/accounts/password/change/", {"oldpassword": PASSWORD, "password1": new, "password2": new}, follow=True
    )
    assert "Your password is changed." in text(done)
    assert done.redirect_chain[-1][0] == "/profile/"
    assert other.get("/profile/").status_code == 303
    assert len(mail.outbox) == 1


# --- Profile


def test_a_profile_keeps_name_language_and_time_zone(ada: User, client: Client) -> None:
    client.force_login(ada)
    sent = {"first_name": "Ánh", "last_name": "Lê", "language": "vi", "time_zone": "Europe/Berlin"}
    assert client.post("/profile/", sent).status_code == 303
    ada.refresh_from_db()
    assert (ada.label, ada.language, ada.time_zone) == ("Ánh Lê", "vi", "Europe/Berlin")
    assert client.get("/profile/").headers["Content-Language"] == "vi"


@pytest.mark.parametrize(
    ("field", "value"),
    [("language", "xx"), ("time_zone", "Mars/Olympus"), ("time_zone", "../../etc/passwd"), ("first_name", "x" * 151)],
)
def test_what_cannot_be_is_refused_with_the_rest_kept(ada: User, client: Client, field: str, value: str) -> None:
    client.force_login(ada)
    sent = {"first_name": "Ánh", "last_name": "Lê", "language": "en", "time_zone": "UTC", field: value}
    answer = client.post("/profile/", sent)
    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == [field]
    assert 'value="Lê"' in text(answer)
    ada.refresh_from_db()
    assert (ada.last_name, ada.language) == ("Nguyen", "")


@pytest.mark.parametrize("field", ["username", "email", "is_superuser", "is_staff", "is_active", "password"])
def test_a_profile_changes_nothing_else(ada: User, client: Client, field: str) -> None:
    before = getattr(ada, field)
    client.force_login(ada)
    client.post("/profile/", {"first_name": "A", "last_name": "B", "language": "", "time_zone": "", field: "1"})
    ada.refresh_from_db()
    assert getattr(ada, field) == before


# --- Words


def _every_page(ada: User) -> list[str]:
    """Every page of one's account with every error and message that allauth can bring about, and the mails."""
    client, key = Client(), "/accounts/password/reset/"
    pages = [
        client.get(path)
        for path in (
            LOGIN,
            "/accounts/logout/",
            "/accounts/inactive/",
            "/accounts/signup/",
            key,
            f"{key}done/",
            f"{key}key/done/",
            f"{key}key/1-abc/",
        )
    ]
    pages += [sign_in(client, "", ""), sign_in(client, "eve", "x"), client.post(key, {"email": "no address"})]
    client.post(key, {"email": "ada@example.com"})
    mailbox.carry()
    form = client.get(link(str(mail.outbox[0].body)).split("8000", 1)[1], follow=True)
    where = form.redirect_chain[-1][0]
    pages += [
        form,
        client.post(where, {"password1": "12345", "password2": "x"}),
        client.post(where, {"password1": "ada@example.com", "password2": "other"}),
    ]
    new = "another horse battery"
    pages += [client.post(where, {"password1": "one horse battery", "password2": "two horse battery"})]
    pages += [client.post(where, {"password1": new, "password2": new}, follow=True)]
    sign_in(client, "ada", new)
    change = "/accounts/password/change/"
    pages += [
        client.get(change),
        client.post(change, {}),
        client.post(change, {"oldpassword": "x", "password1": new, "password2": PASSWORD}),
    ]
    pages += [client.post(change, {"oldpassword": new, "password1": PASSWORD, "password2": PASSWORD}, follow=True)]
    pages += _second_step_pages(client, PASSWORD)
    pages += [client.post("/accounts/logout/", follow=True)]
    pages += [sign_in(client, "ada", "wrong") for _ in range(6)]
    assert all(page.status_code in {200, 302, 422} for page in pages)
    return [re.sub(r"\s+", " ", text(page)) for page in pages] + [f"{m.subject} {m.body}" for m in mail.outbox]


def _second_step_pages(client: Client, password: str) -> list[Any]:
    """The pages of the second step, with what they say when something is wrong."""
    step, keys = "/accounts/second-step/", "/accounts/passkeys/"
    again = client.get(f"{step}app/add/", follow=True)
    pages = [client.get(step), again, client.post("/accounts/again/", {"password": "x"})]
    client.post("/accounts/again/", {"password": password})
    pages += [client.get(f"{step}app/add/"), client.post(f"{step}app/add/", {"code": "1"})]
    pages += [client.post(f"{step}app/add/", {}), client.post(f"{step}codes/new/")]
    pages += [client.get(path) for path in (keys, "/accounts/sessions/", "/accounts/address/")]
    pages += [
        client.post("/accounts/address/", {"email": email, "action_add": "1"}) for email in ("x", "ada@example.com")
    ]
    secret = str(client.get(f"{step}app/add/").context["form"].secret)
    pages += [client.post(f"{step}app/add/", {"code": code(secret)}, follow=True), client.get(step)]
    pages += [client.get(f"{step}{path}") for path in ("codes/", "codes/new/", "app/remove/", "again/")]
    pages += [client.post(f"{step}again/", {"code": "x"}), client.post(f"{step}app/remove/", follow=True)]
    return pages


@pytest.mark.slow
def test_no_text_of_allauths_is_seen_that_is_not_in_our_catalogue(ada: User) -> None:
    """allauth ships no Vietnamese, so its own texts must be listed in workflows_ui/web/library_strings.py."""
    catalogue = Path(allauth.__file__).parent / "locale" / "de" / "LC_MESSAGES" / "django.po"
    with catalogue.open("rb") as file:
        theirs = {str(entry.id) for entry in read_po(file) if isinstance(entry.id, str) and len(entry.id.split()) > 2}
    assert len(theirs) > 100
    ours, pages = _our_sources(), "\n".join(_every_page(ada)).replace("&#x27;", "'")
    seen = {words for words in theirs if words in pages}
    assert "You must type the same password each time." in seen
    missing = {words for words in seen if words not in library_strings.ALLAUTH and words not in ours}
    assert missing == set()
    assert set(library_strings.ALLAUTH) <= theirs


def _our_sources() -> str:
    root = Path(library_strings.__file__).parents[2]
    files = [*root.glob("templates/**/*.html"), *root.glob("templates/**/*.txt"), *root.glob("workflows_ui/**/*.py")]
    return "\n".join(file.read_text(encoding="utf-8") for file in files)
