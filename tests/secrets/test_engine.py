"""Whatever is done at the engine, and however it answers, no secret gets anywhere: all actions, files, jobs, errors, exceptions."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from django.core.files.uploadedfile import UploadedFile
from django.core.management import call_command
from django.db import connection, transaction
from django.test import Client

from tests import users as people
from tests.secrets import places
from tests.secrets.echoing import ERRORS, Echo, EchoingPractice
from tests.secrets.hunt import Hunt
from tests.stage import TYPED_SECRET, Stage, stage
from workflows_ui.audit.services import hash_chain
from workflows_ui.core import masking
from workflows_ui.credentials.models import Credential, CredentialSecret
from workflows_ui.credentials.services import capabilities, scheduled_checks
from workflows_ui.engine.transport import close_pools
from workflows_ui.jobs.models import Job
from workflows_ui.members.models import Workspace
from workflows_ui.resource_admin.actions import Action
from workflows_ui.resource_admin.jobs import worker
from workflows_ui.resource_admin.resource import Resource
from workflows_ui.resources import BY_NAME, RESOURCES

__all__ = ["stage"]
pytestmark = [pytest.mark.timeout(900)]
SLACK = "@activepieces/piece-slack"
CONNECT = f"/w/sales/pieces/do/connect/{SLACK}/"
INVITED = "token-of-an-invitation-Zk7q"
REASON = "Setting up the assistant on the sales laptop"
#: What is typed where only this is typed, by its name in the hunt.
TYPED = {
    name: f"{name.replace(' ', '-')}-Qz/7+x&<"
    for name in ("code of the app", "app client secret", "refused secret", "refused password")
}


class Play:
    """The owner at work, on a practice engine that says back what it knows."""

    def __init__(self, hunt: Hunt, stage: Stage, heard: EchoingPractice) -> None:
        self.hunt, self.stage, self.heard = hunt, stage, heard
        self.browser = Client(raise_request_exception=False)
        self.browser.force_login(stage.users.owner)
        given = stage.practice.credentials
        old = CredentialSecret(
            credential=stage.users.credential,
            kind=stage.users.credential.kind,
            replaced_at="2026-01-01T00:00Z",
            keep_until="2099-01-01T00:00Z",
        )
        old.secret, old.password = (
            old.seal("secret", given.bearer_token_colleague),
            old.seal("password", given.password),
        )
        old.save()
        masking.clear()
        hunt.hide("credential bearer_token", given.bearer_token)
        hunt.hide("secret kept for putting back", given.bearer_token_colleague)
        hunt.hide("password kept on request", given.password)
        self.echo = heard.echo = Echo([given.bearer_token, given.bearer_token_colleague, given.password])
        self.done = 0

    def seen(self, name: str, answer: Any) -> Any:
        places.answer(self.hunt, name, answer)
        return answer

    def get(self, url: str, **query: str) -> Any:
        return self.seen(url, self.browser.get(url, query))

    def post(self, url: str, **form: Any) -> Any:
        return self.seen(f"POST {url}", self.browser.post(url, form))

    @contextmanager
    def failing(self, status: int) -> Iterator[None]:
        """While the engine answers everything with an error that tells all."""
        self.echo.failing = status
        yield
        self.echo.failing = 0

    @contextmanager
    def silent(self) -> Iterator[None]:
        """While the engine behaves."""
        self.heard.echo = None
        yield
        self.heard.echo = self.echo

    def act(self, resource: Resource, action: Action) -> None:
        """An action is refused by the engine, fails by an exception in the console, and is done."""
        with self.silent():
            url = self.stage.url(resource, action)
            fields = self.stage.fields(resource, action, url)
        self.get(url)
        form = {name: value for name, value in fields.items() if not isinstance(value, UploadedFile)}
        with self.failing(ERRORS[self.done % len(ERRORS)]):
            self.get(url)
            self.post(url, **form)
        with self.silent():
            fields = self.stage.fields(resource, action, url)
        with mistake():
            self.post(url, **form)
        answer = self.post(url, **fields)
        self.done += answer.status_code == 303


@contextmanager
def mistake() -> Iterator[None]:
    """While our own code fails as soon as it wants to write something down: with everything typed in its hands."""

    def refuse(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql.startswith("INSERT"):
            raise RuntimeError("a bug")
        return execute(sql, params, many, context)

    with transaction.atomic():
        with connection.execute_wrapper(refuse):
            yield
        transaction.set_rollback(True)


@pytest.fixture
def play(hunt: Hunt, stage: Stage, settings: Any) -> Iterator[Play]:
    settings.ADMINS = [("Root", "root@example.com")]
    with EchoingPractice(stage.practice) as heard:
        people.move(Workspace.objects.get(), address=f"{heard.url}/api")
        stage.users.workspace.refresh_from_db()
        yield Play(hunt, stage, heard)
        close_pools()


def actions(play: Play) -> None:
    """Every action of every resource; what removes things comes last."""
    found = [(resource, action) for resource in RESOURCES for action in resource.actions]
    for resource, action in sorted(found, key=lambda one: one[1].removes):
        play.act(resource, action)


def sign_in_at_an_app(play: Play) -> None:
    """A connection by OAuth2, refused at first."""
    answer = play.post(f"/w/sales/connections/sign-in/{SLACK}/", client_id="client-17", scope="chat:write")
    asked = dict(parse_qsl(urlsplit(answer.context["address"]).query))
    back = play.browser.get("/oauth/callback/", {"code": TYPED["code of the app"], "state": asked["state"]})
    play.seen("/oauth/callback/", back)
    page = play.get(back["Location"])
    form = {name: page.context["form"].initial.get(name, "x") for name in page.context["form"].fields}
    form |= {
        page.context["ticket_name"]: page.context["ticket"],
        "name": "Slack",
        "client_secret": TYPED["app client secret"],
    }
    with play.failing(400):
        play.post(back["Location"], **form)
    with mistake():
        play.post(back["Location"], **form)
    play.post(back["Location"], **form)


def tokens(play: Play) -> None:
    """The token of an MCP server is on the one answer that shows it for a reason."""
    servers = play.stage.practice.engine.state.mcp_servers
    tokens = [str(row["token"]) for row in servers.values()]
    shown = [f"POST /w/sales/mcp-servers/{key}/token/" for key in servers]
    play.hunt.hide("MCP token", *tokens, but=lambda place: place in shown)
    for key in servers:
        play.get(f"/w/sales/mcp-servers/{key}/")
        play.get(f"/w/sales/mcp-servers/{key}/token/")
        play.post(f"/w/sales/mcp-servers/{key}/token/", reason=REASON)


def files_and_jobs(play: Play) -> None:
    """Lists as files, at once and by jobs; a bulk action; a run and a flow as files."""
    for resource in RESOURCES:
        for kind in ("csv", "json"):
            play.get(f"{resource.url('sales')}export/{kind}/")
            play.post(f"{resource.url('sales')}export/{kind}/")
    flows = ["/w/sales/flows/", *(f"/w/sales/flows/{key}/" for key in list(play.stage.practice.engine.state.flows)[:2])]
    for url in flows:
        play.get(url)
    for job in Job.objects.all():
        with play.failing(0 if job.format == "csv" else 500):
            worker.turn(job.pk, BY_NAME)
        for url in (f"/w/sales/jobs/{job.pk}/", f"/w/sales/jobs/{job.pk}/export/", f"/w/sales/jobs/{job.pk}/file/"):
            play.get(url)


def credentials(play: Play, url: str) -> None:
    """Adding and replacing: refused by engines that say it all again, in vain, and with an exception in the console."""
    typed = {"engine": "activepieces", "address": url, "name": "Another"}
    secret = typed | {"secret": TYPED["refused secret"]}
    password = typed | {
        "token_kind": "bearer_sign_in",
        "email": "a@b.example",
        "password": TYPED["refused password"],
        "keep_password": "on",
    }
    place = f"/w/sales/credentials/{play.stage.users.credential.pk}"
    for form in (secret, password):
        for status in ERRORS:
            with play.failing(status):
                play.post("/credentials/add/", **form)
                play.post(f"{place}/replace/", **form)
        with mistake():
            play.post("/credentials/add/", **form)
            play.post(f"{place}/replace/", **form)
        play.post("/credentials/add/", **form | {"address": "http://127.0.0.1:1/api"})
    for status in (0, *ERRORS):
        with play.failing(status):
            play.post(f"{place}/test/")
            scheduled_checks.test(play.stage.users.credential.pk)
            # The workspace has moved to the engine that listens since the cast was made.
            row = Credential.objects.select_related("workspace").get(pk=play.stage.users.credential.pk)
            capabilities.inspect_now(row.workspace, row)
    play.get(f"{place}/")


@pytest.mark.slow
@pytest.mark.parametrize("stage", ["activepieces"], indirect=True)
def test_nothing_that_is_done_at_the_engine_shows_a_secret(play: Play, hunt: Hunt, log: io.StringIO) -> None:
    for name, value in (TYPED | {"app connection secret": TYPED_SECRET}).items():
        hunt.hide(name, value)
    play.heard.planted = {
        "/app-connections": {"value": {"type": "SECRET_TEXT", "secret_text": TYPED_SECRET}},
        "/user-invitations": {"link": f"https://engine.example/invitation?token={INVITED}&email=a@b.example"},
    }
    hunt.hide("engine invitation token", INVITED)
    tokens(play)
    sign_in_at_an_app(play)
    credentials(play, f"{play.heard.url}/api")
    files_and_jobs(play)
    actions(play)
    for url in (
        "/w/sales/audit/",
        "/w/sales/audit/file/csv/",
        "/w/sales/audit/file/json/",
        "/w/sales/jobs/",
        "/notices/",
    ):
        play.get(url)
    hash_chain.seal()
    for command, *options in (("verify_audit",), ("rotate_credential_keys", "--check"), ("rotate_credential_keys",)):
        out = io.StringIO()
        call_command(command, *options, stdout=out, stderr=out)
        hunt.look(f"manage.py {command}", out.getvalue())
    places.everything(hunt)
    hunt.look("log", log.getvalue())
    assert play.done > 20
    hunt.must_be_in_vain(__name__)
