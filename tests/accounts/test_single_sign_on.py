"""Single sign-on against a provider over HTTP: who gets in, who is refused and why, and everything that may go wrong."""

from collections.abc import Iterator
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.contrib.sessions.models import Session
from django.core import mail
from django.test import Client

from tests import caches, mailbox
from tests.accounts.provider import CLIENT, SECRET, Provider
from tests.accounts.sign_in import LOGIN, STEP, code, text, with_app
from tests.users import gather, workspace
from workflows_ui.accounts.models import Identity, User
from workflows_ui.accounts.services import people
from workflows_ui.accounts.views import single_sign_on
from workflows_ui.audit.models import AuditEvent
from workflows_ui.members.models import Member, Role, Workspace

BEGIN = "/accounts/single-sign-on/"
BACK = f"{BEGIN}back/"


@pytest.fixture(scope="module")
def _server() -> Iterator[Provider]:
    made = Provider()
    yield made
    made.close()


@pytest.fixture
def provider(db: None, _server: Provider, settings: Any) -> Provider:
    """A provider that the console is set up for; every address at example.com gets an account."""
    caches.empty()
    _server.reset()
    settings.OIDC_ISSUER = _server.issuer
    settings.OIDC_CLIENT_ID, settings.OIDC_CLIENT_SECRET = CLIENT, SECRET
    settings.OIDC_NAME = "Example ID"
    settings.OIDC_ALLOWED_DOMAINS, settings.OIDC_ALLOWED_GROUPS = ["example.com"], []
    return _server


def begin(client: Client, provider: Provider, next_url: str = "") -> dict[str, str]:
    """To the provider, as a browser goes there; the query with which it comes back."""
    answer = client.get(BEGIN, {"next": next_url} if next_url else {})
    assert answer.status_code == 302, text(answer)
    return provider.authorize(answer.headers["Location"])


def come(client: Client, provider: Provider, next_url: str = "") -> Any:
    """All the way there and back."""
    return client.get(BACK, begin(client, provider, next_url))


def signed_in(client: Client) -> bool:
    return bool(client.get("/profile/").status_code == 200)


# --- Who gets in


def test_an_account_is_made_at_the_first_sign_on(provider: Provider, client: Client) -> None:
    assert "Sign in with Example ID" in text(client.get(LOGIN))
    answer = come(client, provider, "/profile/")
    assert answer.headers["Location"] == "/profile/"
    assert signed_in(client)
    made = User.objects.get()
    assert (made.username, made.label, made.email) == ("lan", "Lan Trần", "lan@example.com")
    assert not made.has_usable_password()
    assert not made.is_staff
    assert not made.is_superuser
    actions = list(AuditEvent.objects.order_by("pk").values_list("action", flat=True))
    assert actions == ["person.create", "person.sign_in"]
    assert AuditEvent.objects.get(action="person.sign_in").detail == {"ways": ["single_sign_on"]}


def test_the_same_identity_opens_the_same_account_whatever_its_address_is(provider: Provider, client: Client) -> None:
    come(client, provider)
    provider.claims |= {"email": "lan.tran@elsewhere.example", "preferred_username": "other"}
    come(Client(), provider)
    assert User.objects.count() == Identity.objects.count() == 1


def test_an_account_with_the_same_confirmed_address_is_joined(
    provider: Provider, client: Client, settings: Any
) -> None:
    settings.OIDC_ALLOWED_DOMAINS = []
    lan, _ = people.create("lan.old", email="lan@example.com")
    come(client, provider)
    assert signed_in(client)
    assert Identity.objects.get().user == lan
    assert AuditEvent.objects.filter(action="person.single_sign_on_join", object_id=str(lan.pk)).count() == 1


def test_a_group_lets_in_too(provider: Provider, client: Client, settings: Any) -> None:
    settings.OIDC_ALLOWED_DOMAINS, settings.OIDC_ALLOWED_GROUPS = [], ["workflow-people"]
    provider.claims["groups"] = ["everybody", "workflow-people"]
    come(client, provider)
    assert signed_in(client)


def test_a_user_name_that_is_taken_gets_a_number(provider: Provider, client: Client) -> None:
    people.create("LAN", email="another@example.com")
    come(client, provider)
    assert User.objects.filter(username="lan2").exists()


@pytest.mark.parametrize("name", ["", "../../etc", "<script>", "x" * 400, "a b@c", None])
def test_a_provider_may_call_people_anything(provider: Provider, client: Client, name: Any) -> None:
    provider.claims |= {"preferred_username": name, "given_name": name, "family_name": "<b>" * 200}
    come(client, provider)
    assert signed_in(client)


def test_what_the_id_token_leaves_out_is_asked_for(provider: Provider, client: Client) -> None:
    provider.userinfo = {"sub": "subject-1", "email": "lan@example.com", "email_verified": True}
    provider.claims = {"sub": "subject-1"}
    come(client, provider)
    assert User.objects.get().email == "lan@example.com"


def test_userinfo_of_somebody_else_is_refused(provider: Provider, client: Client) -> None:
    provider.userinfo = {"sub": "subject-2", "email": "lan@example.com", "email_verified": True}
    provider.claims = {"sub": "subject-1"}
    assert come(client, provider).status_code == 403
    assert not User.objects.exists()


# --- Who does not


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"email_verified": False}, "is not confirmed there"),
        ({"email_verified": None}, "is not confirmed there"),
        ({"email_verified": "yes"}, "is not confirmed there"),
        ({"email": "lan@other.example"}, "This console is not open to your account"),
        ({"email": "lan@example.com.evil.example"}, "This console is not open to your account"),
        ({"email": "lan@evil.example@example.com"}, "This console is not open to your account"),
        ({"email": "lan@sub.example.com"}, "This console is not open to your account"),
        ({"email": None}, "This console is not open to your account"),
        ({"email": None, "groups": ["example.com"]}, "This console is not open to your account"),
    ],
)
def test_nobody_gets_an_account_whose_address_is_not_allowed(
    provider: Provider, client: Client, changes: dict[str, Any], words: str
) -> None:
    provider.claims |= changes
    answer = come(client, provider)
    assert answer.status_code == 403
    assert words in text(answer)
    assert not signed_in(client)
    assert not User.objects.exists()
    assert AuditEvent.objects.get().outcome == "refused"


def test_an_unverified_address_joins_no_account(provider: Provider, client: Client) -> None:
    people.create("lan", email="lan@example.com")
    provider.claims["email_verified"] = False
    assert come(client, provider).status_code == 403
    assert not Identity.objects.exists()


def test_an_account_whose_own_address_is_unconfirmed_is_not_joined(provider: Provider, client: Client) -> None:
    people.create("lan", email="lan@example.com")
    EmailAddress.objects.update(verified=False)
    assert "was never confirmed" in text(come(client, provider))
    assert not Identity.objects.exists()


def test_a_superusers_account_is_joined_by_nobody(provider: Provider, client: Client) -> None:
    people.create("lan", email="lan@example.com")
    User.objects.update(is_superuser=True)
    assert "is an administrator" in text(come(client, provider))
    assert not signed_in(client)


def test_an_account_that_is_switched_off_stays_closed(provider: Provider, client: Client) -> None:
    come(client, provider)
    User.objects.update(is_active=False)
    other = Client()
    assert come(other, provider).headers["Location"] == "/accounts/inactive/"
    assert not signed_in(other)


def test_a_person_without_a_password_gets_none_by_mail_or_by_page(provider: Provider, client: Client) -> None:
    come(client, provider)
    client.post("/accounts/password/reset/", {"email": "lan@example.com"})
    assert mailbox.carry() == [([User.objects.get().pk], "en")]
    assert mail.outbox == []
    page = client.get("/accounts/password/change/", follow=True)
    assert "You have no password here" in text(page)
    sent = {"password1": "another horse battery", "password2": "another horse battery"}
    client.post("/accounts/password/set/", sent)
    assert not User.objects.get().has_usable_password()


# --- What may be wrong on the way


#: Seconds since 1970, in a time to come; the same in all processes that collect tests.
_FAR = 4_000_000_000


@pytest.mark.parametrize(
    "token",
    [
        {"nonce": "another"},
        {"nonce": None},
        {"aud": "another-client"},
        {"aud": [CLIENT, "another-client"]},
        {"aud": [CLIENT, "another-client"], "azp": "another-client"},
        {"aud": None},
        {"iss": "https://evil.example"},
        {"iss": None},
        {"exp": 1},
        {"exp": None},
        {"iat": _FAR},
        {"iat": None},
        {"nbf": _FAR},
        {"sub": None},
        {"sub": ""},
    ],
    ids=str,
)
def test_an_id_token_that_is_not_right_signs_nobody_in(
    provider: Provider, client: Client, token: dict[str, Any]
) -> None:
    provider.token = token
    answer = come(client, provider)
    assert answer.status_code == 403
    assert "was not completed" in text(answer)
    assert not signed_in(client)
    assert not User.objects.exists()
    row = AuditEvent.objects.get()
    assert (row.action, row.outcome, row.user) == ("person.sign_in", "refused", None)
    assert row.detail == {"ways": ["single_sign_on"], "why": "broken"}


@pytest.mark.parametrize("algorithm", ["HS256", "none"])
def test_a_token_that_is_not_signed_by_a_key_pair_is_refused(
    provider: Provider, client: Client, algorithm: str
) -> None:
    provider.algorithm = algorithm
    assert come(client, provider).status_code == 403
    assert not User.objects.exists()


def test_a_token_signed_by_another_key_is_refused(provider: Provider, client: Client) -> None:
    provider.foreign_key = True
    assert come(client, provider).status_code == 403
    assert not User.objects.exists()


@pytest.mark.parametrize(
    "changes", [{"state": "another"}, {"state": ""}, {"iss": "https://evil.example"}, {"code": ""}]
)
def test_an_answer_to_another_question_is_refused(provider: Provider, client: Client, changes: dict[str, str]) -> None:
    assert client.get(BACK, begin(client, provider) | changes).status_code == 403
    assert "/token" not in provider.seen
    assert not signed_in(client)


def test_a_code_brought_by_another_browser_is_refused(provider: Provider, client: Client) -> None:
    brought = begin(Client(), provider)
    assert client.get(BACK, brought).status_code == 403
    assert client.get(BACK, begin(client, provider) | {"code": brought["code"]}).status_code == 403
    assert not signed_in(client)


def test_a_way_ends_once(provider: Provider, client: Client) -> None:
    brought = begin(client, provider)
    cookie = client.cookies[single_sign_on.COOKIE].value
    client.get(BACK, brought)
    other = Client()
    other.cookies[single_sign_on.COOKIE] = cookie
    assert other.get(BACK, brought).status_code == 403
    assert not signed_in(other)


def test_a_way_that_took_too_long_is_over(provider: Provider, client: Client, monkeypatch: Any) -> None:
    brought = begin(client, provider)
    monkeypatch.setattr("workflows_ui.accounts.services.oidc.FLOW_SECONDS", -1)
    assert client.get(BACK, brought).status_code == 403


@pytest.mark.parametrize("cookie", ["", "nonsense", "%00", "gAAAAA"])
def test_a_foreign_cookie_is_refused(provider: Provider, client: Client, cookie: str) -> None:
    brought = begin(client, provider)
    client.cookies[single_sign_on.COOKIE] = cookie
    assert client.get(BACK, brought).status_code == 403


def test_a_person_who_stops_at_the_provider_is_informed_so(provider: Provider, client: Client) -> None:
    brought = begin(client, provider)
    answer = client.get(BACK, {"error": "access_denied<script>", "state": brought["state"]})
    assert answer.status_code == 403
    assert "<script>" not in text(answer)
    assert "Sign in another way" in text(answer)


@pytest.mark.parametrize("path", ["/.well-known/openid-configuration", "/token", "/keys"])
@pytest.mark.parametrize(
    "answer",
    [
        (302, {"Location": "http://127.0.0.1:9/"}, b"{}"),
        (307, {"Location": "http://169.254.169.254/"}, b"{}"),
        (500, {}, b"{}"),
        (200, {}, b"no json"),
        (200, {}, b"[]"),
        (200, {}, b'"text"'),
        (200, {}, b"{}"),
        (200, {}, b"[" * 100_000),
        (200, {}, b" " * 1_100_000),
    ],
    ids=["redirect", "redirect-inside", "error", "no-json", "list", "text", "empty", "deep", "large"],
)
@pytest.mark.sampled(3)
def test_a_provider_that_does_not_answer_as_it_should_signs_nobody_in(
    provider: Provider, client: Client, path: str, answer: tuple[int, dict[str, str], bytes]
) -> None:
    if path == "/.well-known/openid-configuration":
        provider.answers[path] = answer
        assert client.get(BEGIN).status_code == 403
    else:
        brought = begin(client, provider)
        provider.answers[path] = answer
        assert client.get(BACK, brought).status_code == 403
    assert not signed_in(client)


@pytest.mark.parametrize(
    "changes",
    [
        {"issuer": "https://evil.example"},
        {"token_endpoint": "file:///etc/passwd"},
        {"jwks_uri": None},
        {"authorization_endpoint": "javascript:alert(1)"},
    ],
)
def test_a_provider_that_says_odd_things_of_itself_is_not_gone_to(
    provider: Provider, client: Client, changes: dict[str, Any]
) -> None:
    provider.configuration = changes
    assert client.get(BEGIN).status_code == 403


def test_a_provider_that_is_down_leaves_the_other_ways_in(provider: Provider, client: Client, settings: Any) -> None:
    settings.OIDC_ISSUER = "http://127.0.0.1:9"
    assert "Sign in another way" in text(client.get(BEGIN))
    assert client.get(LOGIN).status_code == 200


def test_the_secret_may_be_asked_for_in_the_form(provider: Provider, client: Client) -> None:
    provider.configuration = {"token_endpoint_auth_methods_supported": ["client_secret_post"]}
    come(client, provider)
    assert signed_in(client)


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"]
)
def test_single_sign_on_leads_nowhere_outside(provider: Provider, client: Client, target: str) -> None:
    assert come(client, provider, target).headers["Location"] == "/"


def test_the_session_is_a_new_one_after_it(provider: Provider, client: Client) -> None:
    client.cookies["sessionid"] = "a" * 32
    come(client, provider)
    assert client.cookies["sessionid"].value != "a" * 32


def test_the_way_is_sealed_and_leaves_nothing_in_the_database(provider: Provider, client: Client) -> None:
    begin(client, provider)
    cookie = client.cookies[single_sign_on.COOKIE]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    assert "nonce" not in cookie.value
    assert not Session.objects.exists()


def test_without_an_issuer_there_is_no_single_sign_on(db: None, client: Client) -> None:
    assert client.get(BEGIN).status_code == 404
    assert client.get(BACK).status_code == 404
    assert "Sign in with" not in text(client.get(LOGIN))


# --- The second step


def _demanding(username: str) -> None:
    gather(workspace("sales"), "a-secret-of-the-workspace")
    Workspace.objects.update(second_factor_required=True)
    Member.objects.create(workspace=Workspace.objects.get(), user=User.objects.get(username=username), role=Role.VIEWER)


@pytest.mark.parametrize(("ways", "status"), [(["pwd", "mfa"], 200), (["pwd"], 403), ([], 403), ("mfa", 403)])
def test_a_workspace_that_demands_a_second_step_believes_a_provider_that_names_one(
    provider: Provider, client: Client, ways: Any, status: int
) -> None:
    provider.claims["amr"] = ways
    come(client, provider)
    _demanding("lan")
    assert client.get("/w/sales/launches/").status_code == status


def test_that_counts_for_nobody_else_in_the_same_browser(provider: Provider, client: Client) -> None:
    provider.claims["amr"] = ["mfa"]
    come(client, provider)
    _demanding("lan")
    with_app(User.objects.get(username="lan"))
    client.post("/accounts/logout/")
    come(client, provider)
    assert not signed_in(client), "the second step is asked for"
    client.post("/accounts/logout/")
    client.post(LOGIN, {"login": "owner", "password": "correct horse battery"})
    assert signed_in(client)
    assert client.get("/w/sales/launches/").status_code == 403


def test_an_app_of_ones_own_is_asked_for_after_it(provider: Provider, client: Client) -> None:
    come(client, provider)
    secret = with_app(User.objects.get())
    other = Client()
    assert come(other, provider, "/profile/").headers["Location"] == f"{STEP}enter/"
    assert not signed_in(other)
    assert other.post(f"{STEP}enter/", {"code": code(secret)}).headers["Location"] == "/profile/"


def test_nobody_goes_to_the_provider_again_and_again(provider: Provider, client: Client) -> None:
    answers = [client.get(BEGIN).status_code for _ in range(31)]
    assert answers == [302] * 30 + [429]
