"""/admin/: superusers look at every model, nobody changes anything, and nothing secret is there, not even to be guessed at."""

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from allauth.mfa.models import Authenticator
from django.apps import apps
from django.core.cache import cache
from django.db import connection, models
from django.http import HttpRequest
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import NoReverseMatch, URLPattern, reverse
from django.utils import timezone

from tests.stub_engine import text
from tests.users import Users, credential, gather, person, workspace
from workflows_ui.accounts.models import User
from workflows_ui.audit.models import AuditChain, AuditEvent
from workflows_ui.audit.services import audit_log, hash_chain
from workflows_ui.audit.services.audit_log import CONSOLE
from workflows_ui.core import heartbeat
from workflows_ui.core.crypto import SealsFields
from workflows_ui.credentials.models import Credential, Health
from workflows_ui.launches.models import Launch
from workflows_ui.members.models import Member, Role, Workspace
from workflows_ui.web.administration import hidden_fields, registered, site
from workflows_ui.web.stored_data import DESCRIPTIONS

SECRET = "a-token-nobody-sees"
#: Of the first page, with those of every page for session, person, menu and notices.
MOST_QUERIES = 23


@pytest.fixture
def users(db: None) -> Users:
    return gather(workspace("sales"), SECRET)


@pytest.fixture
def looker(users: Users) -> Client:
    users.stranger.is_superuser = True
    users.stranger.save()
    client = Client()
    client.force_login(users.stranger)
    return client


def _list(model: type[models.Model]) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


def _page(row: models.Model) -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])


def _patterns(found: list[object]) -> Iterator[URLPattern]:
    for one in found:
        if isinstance(one, URLPattern):
            yield one
        else:
            yield from _patterns(one.url_patterns)  # type: ignore[attr-defined]


each = pytest.mark.parametrize("model", registered(), ids=lambda model: str(model.__name__))


def test_a_list_begins_with_what_names_the_row_and_not_with_the_queue(looker: Client) -> None:
    response = looker.get(_list(Launch))
    columns = [getattr(column, "__name__", column) for column in response.context["cl"].list_display]
    assert columns[:3] == ["id", "flow_name", "state"]
    assert {"workspace", "user"} <= set(columns)
    assert "claim_until" not in columns


def test_values_that_share_a_label_are_told_apart_in_the_filter(looker: Client) -> None:
    page = text(looker.get(_list(Launch)).content)
    assert "Waiting to be sent (claimed)" in page
    assert "Sending (sending)" not in page


def test_the_front_page_is_in_the_language_of_the_reader(looker: Client) -> None:
    looker.cookies["language"] = "vi"
    page = text(looker.get(reverse("admin:index")).content)
    assert 'lang="vi"' in page
    assert "Model name" not in page


def test_every_model_of_the_console_is_there() -> None:
    assert set(site._registry) >= set(apps.get_app_config("workflows_ui").get_models())


@each
def test_what_is_sealed_is_declared_and_hidden(model: type[models.Model]) -> None:
    if issubclass(model, SealsFields):
        assert model.sealed_fields, "name its ciphertexts in sealed_fields"
        assert set(model.sealed_fields) <= hidden_fields(model)
    shown, asked = site._registry[model], HttpRequest()
    for name in hidden_fields(model):
        assert name in (shown.get_exclude(asked) or ())
        assert name not in shown.get_list_display(asked)
        assert name not in shown.get_search_fields(asked)
        assert name not in shown.get_list_filter(asked)


@pytest.mark.both_databases
@each
@pytest.mark.sampled(3)
def test_a_list_is_shown_with_filters_and_search(users: Users, looker: Client, model: type[models.Model]) -> None:
    for query in ("", "?q=x&o=1.-2"):
        assert looker.get(_list(model) + query).status_code == 200


def test_a_page_beyond_the_last_one_is_no_mistake_of_ours(users: Users, looker: Client) -> None:
    assert looker.get(f"{_list(User)}?p=3").status_code == 200


def test_rows_are_shown_without_their_secrets(users: Users, looker: Client) -> None:
    event = audit_log.record(CONSOLE, "odd.row", object_name="<b>x</b>" * 2000, deep={"a": [1] * 500})
    for row in (users.credential, users.owner, users.workspace, event, *users.workspace.members.all()):
        for address in (_list(type(row)), _page(row)):
            with CaptureQueriesContext(
                connection,
            ) as seen:
                page = text(looker.get(address).content)
            for secret_text in (SECRET, users.credential.secret, users.owner.password, "<b>x"):
                assert secret_text not in page
            assert not any('"secret"' in one["sql"] for one in seen)
    assert "My key" in text(looker.get(_page(users.credential)).content)


@pytest.mark.parametrize(
    ("model", "query"),
    [
        (Credential, "secret__startswith=g"),
        (Credential, "secret__isnull=0"),
        (Credential, "owner__password__startswith=p"),
        (Credential, "name=My key"),
        (User, "password__startswith=p"),
        (User, "credentials__secret__startswith=g"),
        (User, "is_active__exact__x=1"),
    ],
)
def test_an_address_cannot_ask_about_what_is_not_shown(
    users: Users, looker: Client, model: type[models.Model], query: str
) -> None:
    answer = looker.get(f"{_list(model)}?{query}")
    assert answer.status_code in (302, 400)
    assert answer.status_code == 400 or answer["Location"].endswith("?e=1")


def test_nothing_can_be_added_changed_or_deleted(users: Users, looker: Client) -> None:
    before = users.workspace.name
    answer = looker.post(_page(users.workspace), {"name": "Other", "slug": "other"})
    assert answer.status_code == 403
    users.workspace.refresh_from_db()
    assert users.workspace.name == before
    count = AuditEvent.objects.count()
    looker.post(_list(AuditEvent), {"action": "delete_selected", "_selected_action": ["1"]})
    assert AuditEvent.objects.count() == count
    for name in ("add", "delete", "history"):
        with pytest.raises(NoReverseMatch):
            reverse(f"admin:workflows_ui_workspace_{name}", args=[] if name == "add" else [users.workspace.pk])
        assert looker.get(f"{_page(users.workspace).removesuffix('change/')}{name}/").status_code in (302, 404)
    page = text(looker.get(_page(users.workspace)).content)
    assert 'name="_save"' not in page
    assert "deletelink" not in page


def test_signing_in_and_out_and_passwords_are_the_consoles_own_pages() -> None:
    names = {pattern.name for pattern in _patterns(list(site.urls[0]))}
    assert {name for name in names if name and not name.endswith(("_change", "_changelist"))} == {
        "index",
        "app_list",
        None,
    } - ({None} - names)
    for name in ("login", "logout", "password_change", "jsi18n", "autocomplete", "view_on_site"):
        with pytest.raises(NoReverseMatch):
            reverse(f"admin:{name}")


@pytest.mark.slow
@pytest.mark.parametrize("method", ["get", "post"])
def test_who_is_no_superuser_finds_nothing(users: Users, client: Client, method: str) -> None:
    users.owner.is_staff = True
    users.owner.save()
    client.force_login(users.owner)
    addresses = ["/admin/", "/admin/workflows_ui/", _page(users.credential), *(_list(model) for model in registered())]
    for address in addresses:
        assert getattr(client, method)(address).status_code == 404


def test_somebody_signed_out_is_led_to_the_consoles_sign_in(users: Users, client: Client) -> None:
    for address in ("/admin/", _list(User), _page(users.credential)):
        answer = client.get(address)
        assert answer.status_code == 303
        assert answer["Location"].startswith("/accounts/login/?next=%2Fadmin%2F")


def test_the_index_leads_back_to_the_console(looker: Client) -> None:
    page = text(looker.get("/admin/").content)
    assert 'action="/accounts/logout/"' in page
    assert "Secrets are not shown." in page
    assert 'href="/admin/"' in text(looker.get("/").content)


def _folded(page: str) -> tuple[str, str]:
    """The main part of the first page without the folded rows of the database, and these."""
    main = page[page.index("<main") : page.index("</main>")]
    begin = main.index('<details class="card" id="stored-data"')
    end = main.index("</details>", begin)
    return main[:begin] + main[end:], main[begin:end]


def _fact(page: str, label: str) -> str:
    """What the first page says beside a label, as one line without tags."""
    row = re.search(rf"<dt>(?:<a [^>]*>)?{re.escape(label)}(?:</a>)?</dt>(.*?)</div>", page, re.DOTALL)
    assert row, f"nothing beside {label}"
    return " ".join(re.sub(r"<[^>]*>", " ", row[1]).split())


def test_no_name_of_a_model_stands_outside_the_folded_rows(users: Users, looker: Client) -> None:
    """Except of what an office calls by the same word."""
    page, folded = _folded(text(looker.get("/admin/").content))
    words = {"workspaces", "teams", "credentials", "members", "users", "identities"}
    shown = re.sub(r"<[^>]*>", " ", page).lower()
    for model in registered():
        assert _list(model) in folded
        name = str(model._meta.verbose_name_plural)
        if name not in words:
            assert name not in shown
    assert "identities" not in shown


@each
def test_every_model_is_described_in_a_line(model: type[models.Model]) -> None:
    assert str(DESCRIPTIONS[model._meta.label_lower]).endswith(".")


def test_the_list_of_an_application_leads_to_the_first_page(looker: Client) -> None:
    answer = looker.get("/admin/workflows_ui/")
    assert (answer.status_code, answer["Location"]) == (302, "/admin/#stored-rows")


def test_the_first_page_counts_people_and_teams(users: Users, looker: Client) -> None:
    User.objects.filter(pk=users.colleague.pk).update(is_active=False)
    page = text(looker.get("/admin/").content)
    assert _fact(page, "Active people") == str(User.objects.filter(is_active=True).count())
    assert _fact(page, "Deactivated") == "1"
    assert 'href="/people/?account=off"' in page
    assert _fact(page, "Administrators").startswith("1")
    assert 'href="/teams/"' in page


def test_people_without_a_required_second_step_are_locked_out(users: Users, looker: Client) -> None:
    Authenticator.objects.create(user=users.stranger, type=Authenticator.Type.TOTP, data={})
    Workspace.objects.filter(pk=users.workspace.pk).update(second_factor_required=True)
    members = {row.user_id for row in Member.objects.filter(workspace=users.workspace)}
    page = text(looker.get("/admin/").content)
    assert members
    assert _fact(page, "Without required two-factor authentication").startswith(f"{len(members)} Locked out")


def test_the_first_page_shows_the_state_of_each_workspace(users: Users, looker: Client) -> None:
    Workspace.objects.filter(pk=users.workspace.pk).update(launching_paused=True, name="<b>x</b>" * 25)
    Credential.objects.update(health=Health.UNREACHABLE, tested_at=timezone.now())
    page = text(looker.get("/admin/").content)
    assert "Launching is paused" in page
    assert "Engine not reachable" in page
    assert "<b>x" not in page
    assert f"/admin/workflows_ui/workspace/{users.workspace.pk}/change/" in page
    Member.objects.create(workspace=users.workspace, user=users.stranger, role=Role.VIEWER)
    assert 'href="/w/sales/"' in text(looker.get("/admin/").content)


def test_credentials_that_end_are_listed_unless_they_are_renewed(users: Users, looker: Client) -> None:
    now = timezone.now()
    for name, days, renewed in (
        ("Ends soon", 5, False),
        ("Renewed", 5, True),
        ("Later", 300, False),
        ("Over", -3, False),
    ):
        row = credential(users.workspace, person(name.lower().replace(" ", "")), SECRET, name=name)
        row.ends_at = now + timedelta(days=days)
        row.renew_at = now if renewed else None
        row.save()
    page, _rows = _folded(text(looker.get("/admin/").content))
    assert page.index("Over") < page.index("Ends soon")
    assert ">Renewed<" not in page
    assert ">Later<" not in page
    assert SECRET not in page


def test_the_first_page_says_what_to_do_without_a_worker(looker: Client, db: None) -> None:
    heartbeat.beat()
    assert _fact(text(looker.get("/admin/").content), "Worker and beat") == "Works"
    cache.delete(heartbeat.KEY)
    silent = _fact(text(looker.get("/admin/").content), "Worker and beat")
    assert silent.startswith("Does not work")
    assert "Start a worker and beat" in silent


def test_the_first_page_says_that_the_head_of_the_audit_log_is_forged(users: Users, looker: Client) -> None:
    audit_log.record(CONSOLE, "odd.row")
    assert hash_chain.seal()
    assert _fact(text(looker.get("/admin/").content), "Signed end").startswith("Intact")
    AuditChain.objects.update(number=100)
    assert "manage.py verify_audit" in _fact(text(looker.get("/admin/").content), "Signed end")


@pytest.mark.parametrize(
    ("backend", "said"),
    [("dummy", "Not set up"), ("console", "Written to the log"), ("smtp", "Set up")],
)
def test_the_first_page_says_whether_mail_is_set_up(looker: Client, settings: object, backend: str, said: str) -> None:
    settings.EMAIL_BACKEND = f"django.core.mail.backends.{backend}.EmailBackend"  # type: ignore[attr-defined]
    settings.EMAIL_HOST_PASSWORD = SECRET  # type: ignore[attr-defined]
    page = text(looker.get("/admin/").content)
    assert _fact(page, "Sending").startswith(said)
    assert SECRET not in page


def test_the_first_page_says_whether_single_sign_on_is_on(looker: Client, settings: object) -> None:
    assert _fact(text(looker.get("/admin/").content), "Single sign-on").startswith("Off")
    settings.OIDC_ISSUER = "https://id.example.com"  # type: ignore[attr-defined]
    settings.OIDC_CLIENT_SECRET = SECRET  # type: ignore[attr-defined]
    page = text(looker.get("/admin/").content)
    assert _fact(page, "Single sign-on").startswith("On")
    assert SECRET not in page


def test_the_first_page_asks_the_database_as_often_for_many_rows_as_for_few(users: Users, looker: Client) -> None:
    looker.get("/admin/")
    with CaptureQueriesContext(connection) as few:
        looker.get("/admin/")
    for number in range(30):
        space = workspace(f"space-{number}", project=f"{number:021d}")
        credential(space, users.owner, SECRET)
    with CaptureQueriesContext(connection) as many:
        page = text(looker.get("/admin/").content)
    assert len(many) == len(few) <= MOST_QUERIES
    assert "All 31 workspaces" in page
