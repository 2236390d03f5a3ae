"""What opens an account is nowhere: passwords and wrong ones, links of mails, secrets of apps, recovery codes, sign-on, sessions."""

import io
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.core import mail
from django.db import transaction
from django.http.response import HttpResponseBase
from django.test import Client
from django.urls import reverse

from tests import mailbox
from tests.accounts.provider import Provider
from tests.accounts.sign_in import code
from tests.secrets import places
from tests.secrets.hunt import Hunt
from tests.users import Users, gather, workspace
from workflows_ui.accounts.models import User

pytestmark = [pytest.mark.django_db, pytest.mark.timeout(180)]
STEP = "/accounts/second-step/"
#: One that nobody has typed anywhere else, for each time that one is typed.
TYPED = {
    name: f"{name.replace(' ', '-')}-Qz9/+&<ß"
    for name in (
        "wrong password",
        "password of joining",
        "password by reset",
        "changed password",
        "password that is too weak",
        "wrong old password",
    )
}


class Desk:
    """One browser; everything that it is answered is looked at."""

    def __init__(self, hunt: Hunt, who: User | None = None) -> None:
        self.hunt = hunt
        self.client = Client(raise_request_exception=False)
        if who is not None:
            self.client.force_login(who)

    def get(self, url: str, **query: str) -> Any:
        return self._seen(f"GET {_clean(url)}", self.client.get(url, query))

    def post(self, url: str, **form: Any) -> Any:
        return self._seen(f"POST {_clean(url)}", self.client.post(url, form))

    def followed(self, answer: Any) -> Any:
        """The page that an answer leads to."""
        while answer.has_header("Location"):
            answer = self.get(answer["Location"])
        return answer

    def _seen(self, place: str, answer: HttpResponseBase) -> HttpResponseBase:
        places.answer(self.hunt, place, answer)
        key = self.client.cookies.get("sessionid")
        if key and key.value:
            # A reader of the database has them; readers of anything else do not.
            self.hunt.hide(
                "session key", key.value, but=lambda found: found.startswith(("database", "file test.sqlite3"))
            )
        return answer


def _clean(url: str) -> str:
    return re.sub(r"/[\w:-]{12,}(/|$)", r"/…\1", url.partition("?")[0])


@pytest.fixture
def users(db: None) -> Users:
    made = gather(workspace("sales"), "sk-secret-of-the-engine")
    made.stranger.is_superuser = True
    made.stranger.save()
    return made


@pytest.fixture(autouse=True)
def _committed() -> Iterator[None]:
    """allauth says and mails some things once the change is committed, which in a test's transaction would be never."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(transaction, "on_commit", lambda then, **_more: then())
        yield


def _link(pattern: str) -> str:
    found = re.search(rf"https?://[^/]+({pattern}\S+)", str(mail.outbox[-1].body))
    assert found is not None, mail.outbox[-1].body
    return found[1]


def only(*beginnings: str) -> Any:
    """Whether a place is one of these: where a secret legitimately is."""
    return lambda place: place.startswith(beginnings)


def join(hunt: Hunt, users: Users, settings: Any) -> None:
    """A colleague is invited by mail and by a copied link, and makes an account."""
    owner = Desk(hunt, users.owner)
    invited = {"role": "launcher", "days": "7"}
    owner.followed(owner.post(reverse("invite", args=["sales"]), email="lena@example.com", **invited))
    by_mail = _link("/join/")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(settings, "EMAIL_BACKEND", "django.core.mail.backends.dummy.EmailBackend")
        page = owner.followed(owner.post(reverse("invite", args=["sales"]), email="bo@example.com", **invited))
    (shown,) = re.findall(r'id="invitation-link">http://[^/]+(/join/[^<]+)<', page.content.decode())
    for name, link, begin in (("mailed", by_mail, "mail"), ("copied", shown, "GET /w/sales/members/invitations/")):
        hunt.hide(f"invitation token, {name}", link.split("/")[2], but=only(begin, "GET /join/", "POST /join/"))
    guest = Desk(hunt)
    guest.get(by_mail)
    weak = TYPED["password that is too weak"]
    new = {"username": "lena", "first_name": "Lena", "last_name": "Ngo"}
    guest.post(by_mail, **new, password1=weak, password2=weak + "different")
    chosen = TYPED["password of joining"]
    assert guest.post(by_mail, **new, password1=chosen, password2=chosen)["Location"] == "/w/sales/"
    Desk(hunt).get(by_mail)
    Desk(hunt).get(shown)
    for url in ("/w/sales/members/", "/w/sales/audit/", "/w/sales/audit/file/csv/"):
        owner.get(url)


def second_step(hunt: Hunt) -> str:
    """Lena signs in, is wrong before, and sets up an app; its secret."""
    lena = Desk(hunt)
    for wrong in (TYPED["wrong password"], TYPED["password of joining"]):
        lena.post("/accounts/login/", login="lena", password=wrong)
    lena.post("/accounts/again/", password=TYPED["wrong password"])
    lena.post("/accounts/again/", password=TYPED["password of joining"])
    page = lena.get(f"{STEP}app/add/")
    secret = str(page.context["form"].secret)
    hunt.hide("TOTP secret", secret, but=only(f"GET {STEP}app/add/", f"POST {STEP}app/add/"))
    lena.post(f"{STEP}app/add/", code="000000")
    assert lena.post(f"{STEP}app/add/", code=code(secret)).status_code == 302
    codes = lena.get(f"{STEP}codes/").context["unused_codes"]
    lena.get(f"{STEP}codes/file/")
    hunt.hide("recovery code", *codes, but=only(f"GET {STEP}codes/"))
    other = Desk(hunt)
    other.post("/accounts/login/", login="lena", password=TYPED["password of joining"])
    other.post(f"{STEP}enter/", code="wrong-code")
    other.post(f"{STEP}enter/", code=codes[0])
    assert other.get("/profile/").status_code == 200
    for url in (STEP, "/accounts/sessions/", "/notices/"):
        lena.get(url)
    lena.post("/accounts/password/change/", oldpassword=TYPED["wrong old password"], password1="x", password2="x")
    chosen = TYPED["changed password"]
    lena.post(
        "/accounts/password/change/", oldpassword=TYPED["password of joining"], password1=chosen, password2=chosen
    )
    lena.post("/accounts/again/", password=chosen)
    lena.post("/accounts/address/", email="lena.ngo@example.com", action_add="1")
    confirm = _link("/accounts/address/confirm/")
    hunt.hide("address key", confirm.split("/")[4], but=only("mail", "GET /accounts/address/confirm/"))
    return confirm


def reset(hunt: Hunt) -> None:
    """Lena has lost the password."""
    lost = Desk(hunt)
    lost.post("/accounts/password/reset/", email="lena@example.com")
    mailbox.carry()
    link = _link("/accounts/password/reset/key/")
    # Its first part says whose it is.
    hunt.hide(
        "password-reset key",
        link.strip("/").split("/")[-1].partition("-")[2],
        but=only("mail", "GET /accounts/password/reset/key/"),
    )
    where = lost.client.get(link)["Location"]
    lost.get(where)
    chosen = TYPED["password by reset"]
    lost.post(where, password1=chosen, password2=TYPED["password that is too weak"])
    hunt.look("database amid the reset", places.database())
    assert lost.post(where, password1=chosen, password2=chosen).status_code == 302
    lost.get(link)


def single_sign_on(hunt: Hunt, settings: Any) -> None:
    """By the provider, which then fails and repeats what it received."""
    provider = Provider()
    settings.OIDC_ISSUER, settings.OIDC_CLIENT_ID = provider.issuer, "console-client"
    settings.OIDC_CLIENT_SECRET = "console-client-secret"
    settings.OIDC_NAME, settings.OIDC_ALLOWED_DOMAINS, settings.OIDC_ALLOWED_GROUPS = "Example", ["example.com"], []
    hunt.hide("OIDC_CLIENT_SECRET", settings.OIDC_CLIENT_SECRET)
    begin, back = "/accounts/single-sign-on/", "/accounts/single-sign-on/back/"
    for failing in (False, True):
        lan = Desk(hunt)
        query = provider.authorize(lan.client.get(begin)["Location"])
        hunt.hide("code of single sign-on", query["code"])
        if failing:
            said = (
                f'{{"error": "invalid_client", "error_description": "{settings.OIDC_CLIENT_SECRET} {query["code"]}"}}'
            )
            provider.answers["/token"] = (401, {"content-type": "application/json"}, said.encode())
        lan.followed(lan.get(back, **query))
    provider.close()


@pytest.mark.slow
def test_what_opens_an_account_is_nowhere(hunt: Hunt, log: io.StringIO, users: Users, settings: Any) -> None:
    for name, value in TYPED.items():
        hunt.hide(name, value)
    join(hunt, users, settings)
    confirm = second_step(hunt)
    reset(hunt)
    Desk(hunt).get(confirm)
    single_sign_on(hunt, settings)
    watching = Desk(hunt, users.stranger)
    lena = User.objects.get(username="lena")
    for url in ("/people/", f"/people/{lena.pk}/", "/audit/", "/audit/file/json/", "/admin/"):
        watching.get(url)
    watching.post(f"/people/{lena.pk}/deactivate/", reason="She has left us", sure="yes")
    places.everything(hunt)
    hunt.look("log", log.getvalue())
    assert len(mail.outbox) >= 6
    hunt.must_be_in_vain(__name__)
