"""Every kind of credential is added over HTTP: typed, or got by signing in; and what is wrong with it stands where it belongs."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from practice_engine.routes.gateway import OTP
from tests.practice_engine.fixtures import Practice
from tests.users import Users, person
from workflows_ui.accounts.models import User
from workflows_ui.audit.models import AuditEvent
from workflows_ui.core import crypto
from workflows_ui.credentials import pending_sign_in
from workflows_ui.credentials.models import Credential, CredentialKind
from workflows_ui.members.models import Workspace

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_second_try")]
ADD = "/credentials/add/"


def at(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def gateway(practice: Practice, **more: str) -> dict[str, str]:
    return {"engine": "gateway", "address": practice.gateway, "name": "Mine", **more}


def signing(practice: Practice, **more: str) -> dict[str, str]:
    return gateway(practice, kind="sign_in", email=practice.credentials.email) | more


def errors(answer: Any) -> dict[str, str]:
    return {field: " ".join(map(str, found)) for field, found in answer.context["form"].errors.items()}


@pytest.mark.parametrize("kind", ["api_key", "access_token", "jwt"])
def test_a_typed_secret_of_each_imbrace_kind_is_kept(practice: Practice, kind: str) -> None:
    secret = str(getattr(practice.credentials, kind))
    organization = practice.credentials.organization_id if kind == "jwt" else ""
    form = gateway(practice, kind=kind, secret=secret, organization_id=organization)
    assert at(person("ada")).post(ADD, form).status_code == 303
    credential = Credential.objects.get()
    assert (credential.kind, credential.open("secret"), credential.organization_id) == (kind, secret, organization)


def test_a_jwt_without_its_organization_says_so_at_that_field(practice: Practice) -> None:
    form = gateway(practice, kind="jwt", secret=practice.credentials.jwt)
    answer = at(person("ada")).post(ADD, form)
    assert answer.status_code == 422
    assert "organization" in errors(answer)["organization_id"]


def test_a_sign_in_with_several_organizations_asks_for_one_and_keeps_no_password(practice: Practice) -> None:
    ada = person("ada")
    browser, known = at(ada), practice.credentials
    answer = browser.post(ADD, signing(practice, password=known.password))
    assert answer.status_code == 303
    page = browser.get(answer["Location"])
    assert "Hoa Sen Logistics" in page.content.decode()
    assert browser.post(answer["Location"], {}).status_code == 422
    done = browser.post(answer["Location"], {"organization": known.other_organization_id})
    assert done.status_code == 303
    credential = Credential.objects.get()
    assert (credential.kind, credential.email, credential.password) == (CredentialKind.SIGN_IN, known.email, "")
    assert credential.organization_id == known.other_organization_id
    assert credential.workspace.project_id == known.other_project_id
    assert credential.open("secret").startswith("acc_")
    assert credential.ends_at is not None
    assert credential.renew_at is not None
    assert timedelta(days=29) < credential.ends_at - timezone.now() <= timedelta(days=30)
    # The login token is spent, and the choice is over.
    assert browser.get(answer["Location"]).status_code == 303
    assert known.password not in str(list(AuditEvent.objects.values()))


def test_nobody_else_finds_a_sign_in_that_waits_for_its_organization(practice: Practice) -> None:
    answer = at(person("ada")).post(ADD, signing(practice, password=practice.credentials.password))
    stranger = at(person("eve"))
    assert stranger.get(answer["Location"])["Location"] == ADD
    chosen = {"organization": practice.credentials.organization_id}
    assert stranger.post(answer["Location"], chosen)["Location"] == ADD
    assert not Credential.objects.exists()


@pytest.mark.parametrize(
    ("what", "words"), [("organization", "Sign in again"), ("project", "Enter the credential again")]
)
@pytest.mark.parametrize(
    "stored", ['{"login": "token", "organizations": []}', '{"draft": {"gone": 1}, "choices": []}', None]
)
def test_a_choice_that_waits_since_before_an_upgrade_has_to_be_begun_again(what: str, words: str, stored: str) -> None:
    ada = person("ada")
    key = pending_sign_in._key(ada, what, "waiting")
    cache.set(key, crypto.seal(stored, key) if stored else "sealed with a key that is gone", 900)
    for method in ("get", "post"):
        answer = getattr(at(ada), method)(f"{ADD}{what}/waiting/", {what: "1"}, follow=True)
        assert answer.redirect_chain == [(ADD, 303)]
        assert words in answer.content.decode()


def test_a_password_is_kept_sealed_where_the_person_wants_it(practice: Practice) -> None:
    browser, known = at(person("ada")), practice.credentials
    answer = browser.post(ADD, signing(practice, password=known.password, keep_password="on"))
    browser.post(answer["Location"], {"organization": known.organization_id})
    credential = Credential.objects.get()
    assert credential.open("password") == known.password
    assert known.password not in credential.password


def test_a_code_is_asked_for_and_signs_in(practice: Practice) -> None:
    browser, known = at(person("ada")), practice.credentials
    asked = browser.post(ADD, signing(practice, send_code="yes"))
    assert asked.status_code == 200
    assert "asked to send a code" in asked.content.decode()
    assert practice.journal.count("POST", "/v1/login/_signin_email_request") == 1
    answer = browser.post(ADD, signing(practice, code=OTP))
    assert browser.post(answer["Location"], {"organization": known.organization_id}).status_code == 303
    assert Credential.objects.get().kind == CredentialKind.SIGN_IN


@pytest.mark.parametrize(
    "wrong", [{"password": "not-the-password"}, {"code": "WRONG1"}, {"email": "nobody@example.com", "password": "x"}]
)
def test_a_wrong_sign_in_says_so_at_the_address_and_shows_no_more(practice: Practice, wrong: dict[str, str]) -> None:
    answer = at(person("ada")).post(ADD, signing(practice) | wrong)
    assert answer.status_code == 422
    assert "does not accept this sign-in" in errors(answer)["email"]
    page = answer.content.decode()
    assert "not-the-password" not in page
    assert not Credential.objects.exists()


def test_what_a_sign_in_needs_is_asked_for_at_its_fields(practice: Practice) -> None:
    answer = at(person("ada")).post(ADD, gateway(practice, kind="sign_in"))
    assert set(errors(answer)) == {"email", "password"}
    answer = at(person("ben")).post(ADD, gateway(practice, kind="api_key"))
    assert set(errors(answer)) == {"secret"}
    assert not practice.journal.count("POST", "/v1/login/authenticate")


def test_an_activepieces_sign_in_gets_a_token_that_knows_its_end(practice: Practice) -> None:
    known = practice.credentials
    form = {"engine": "activepieces", "address": practice.activepieces, "token_kind": "bearer_sign_in"}
    form |= {"email": known.email, "password": known.password, "keep_password": "on"}
    browser = at(person("ada"))
    answer = browser.post(ADD, form)
    assert answer.status_code == 303
    if "/project/" in answer["Location"]:  # 0.83: an administrator's token opens several
        assert browser.post(answer["Location"], {"project": known.project_id}).status_code == 303
    credential = Credential.objects.get()
    assert credential.kind == CredentialKind.BEARER_SIGN_IN
    assert credential.open("secret").startswith("eyJ")
    assert credential.open("password") == known.password
    assert credential.ends_at is not None
    assert timedelta(days=6) < credential.ends_at - timezone.now() <= timedelta(days=7)
    assert not Workspace.objects.get().organization_id


def test_an_end_that_is_typed_is_kept_and_one_that_is_past_is_refused(practice: Practice) -> None:
    browser = at(person("ada"))
    form = gateway(practice, kind="api_key", secret=practice.credentials.api_key)
    past = browser.post(ADD, form | {"ends_on": "2020-01-01"})
    assert set(errors(past)) == {"ends_on"}
    soon = (timezone.localdate() + timedelta(days=5)).isoformat()
    browser.post(ADD, form | {"ends_on": soon})
    credential = Credential.objects.get()
    assert credential.ends_at is not None
    assert timezone.localdate(credential.ends_at).isoformat() == soon
    assert credential.renew_at is None


def test_what_waits_for_a_choice_is_sealed(practice: Practice, monkeypatch: pytest.MonkeyPatch) -> None:
    stored: list[Any] = []
    truly = cache.set

    def listening(key: str, value: Any, *more: Any, **options: Any) -> None:
        stored.append(value)
        truly(key, value, *more, **options)

    monkeypatch.setattr(cache, "set", listening)
    known = practice.credentials
    at(person("ada")).post(ADD, signing(practice, password=known.password, keep_password="on"))
    waiting = [value for value in stored if isinstance(value, str) and value.startswith("gAAAA")]
    assert len(waiting) == 1
    assert known.password not in repr(stored)
    assert "login_acc_" not in repr(stored)


def test_a_secret_typed_for_an_ended_test_is_not_in_the_page_again(users: Users, practice: Practice) -> None:
    answer = at(users.owner).post(ADD, gateway(practice, kind="access_token", secret="acc_wrong-but-secret"))
    assert answer.status_code == 422
    assert "acc_wrong-but-secret" not in answer.content.decode()
    assert "Enter the secret again" in answer.content.decode()
