"""Each kind of credential is added, used by real workers, replaced, renewed and destroyed, amid crashes: its secrets are nowhere."""

import io
import json
import re
import signal
from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from practice_engine.routes import gateway
from tests import flows
from tests.chaos.scene import Scene
from tests.chaos.stage import until
from tests.secrets import places
from tests.secrets.hunt import Hunt
from tests.users import person
from workflows_ui.credentials.models import Credential, CredentialKind, CredentialSecret
from workflows_ui.credentials.services import clients, secret_rotation
from workflows_ui.launches.models import Launch
from workflows_ui.members.models import Workspace

pytestmark = [pytest.mark.both_databases, pytest.mark.django_db(transaction=True), pytest.mark.timeout(600)]
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
CODE, INPUT = "QZ7K4W", "what-a-launcher-typed-Zk7q"


class Story:
    """One person with one credential in each of two workspaces, on the gateway and on the plain Activepieces."""

    def __init__(self, hunt: Hunt, scene: Scene) -> None:
        self.hunt, self.scene, self.given = hunt, scene, scene.engine.credentials
        self.browser = Client(raise_request_exception=False)
        self.browser.force_login(person("mallory"))
        # The workspace of the scene would make what is added an access request.
        Credential.objects.all().delete()
        Workspace.objects.all().delete()
        self.credential = Credential()
        self.flows: dict[str, str] = {}
        self.looked = 0

    def look(self, url: str, **form: str) -> Any:
        answer = self.browser.post(url, form) if form else self.browser.get(url)
        assert answer.status_code != 500, url
        self.looked += 1
        places.answer(self.hunt, f"{url} {form.get('kind', form.get('token_kind', ''))}", answer)
        return self.look(answer["Location"]) if answer.has_header("Location") else answer

    def add(self, **form: str) -> None:
        """Adds a credential: in vain with a wrong secret and where nobody listens, then well."""
        for wrong in ({"secret": form["secret"] + "broken"}, {"address": "http://127.0.0.1:1/api"}):
            self.look("/credentials/add/", **form | wrong)
        self.look("/credentials/add/", **form, name="Mine")
        self.credential = Credential.objects.latest("created_at")
        assert self.credential.open("secret") == form["secret"]
        client = clients.client_for_credential(self.credential).workflows
        echo = flows.code("echo", given="{{trigger.body}}")
        self.flows = {self.space: flows.make(client, "Quick", echo)}

    @property
    def space(self) -> str:
        return f"/w/{self.credential.workspace.slug}"

    @property
    def place(self) -> str:
        return f"{self.space}/credentials/{self.credential.pk}"

    def replace(self, kind: str, **form: str) -> None:
        """Another secret takes the place; it is used at once."""
        which = "token_kind" if kind.startswith("bearer") else "kind"
        page = self.look(f"{self.place}/replace/").content.decode()
        seen = re.search(r'name="seen" value="([^"]*)"', page)
        self.look(f"{self.place}/replace/", **{which: kind, "seen": seen[1] if seen else ""}, **form)
        self.credential.refresh_from_db()
        assert self.credential.kind == kind
        self.look(f"{self.place}/")

    def ask(self) -> Launch:
        """Writes a launch down, as the form does."""
        url = f"{self.space}/flows/{self.flows[self.space]}/launch/"
        ticket = re.search(r'name="ticket" value="([^"]+)"', self.look(url).content.decode())
        assert ticket is not None
        self.look(url, ticket=ticket[1], payload=json.dumps({"typed": INPUT}), how="wait", confirmed="yes")
        launch = Launch.objects.latest("asked_at")
        assert launch.ticket == ticket[1]
        places.everything(self.hunt)
        return launch

    def launch(self) -> None:
        """A launch by the worker, to its end; and its pages."""
        launch = self.ask()
        # The workers listen elsewhere: the sweeper is to ring again at once.
        Launch.objects.filter(pk=launch.pk).update(enqueued_at=None)
        until(self.scene.settled, "the launch ends")
        launch.refresh_from_db()
        assert launch.state == "succeeded", self.scene.stage.logs()
        for page in (
            f"launches/{launch.pk}",
            f"launches/{launch.pk}/story",
            f"runs/{launch.run_id}",
            "runs",
            "launches",
        ):
            self.look(f"{self.space}/{page}/")

    def crash(self) -> None:
        """Two launches whose worker is struck; a healthy one finds out how they ended."""
        asked = [self.ask() for _launch in range(2)]
        bell = self.scene.stage.start("-m", "tests.chaos.bell", *(f"crash={one.pk}" for one in asked))
        assert bell.wait() == 0, self.scene.stage.logs()
        struck = self.scene.stage.start("-m", "tests.secrets.crashing", "crash")
        until(lambda: struck.poll() is not None, "the worker dies")
        assert struck.returncode == -signal.SIGKILL
        self.scene.stage.worker(threads=4)
        self.scene.stage.beat()
        until(self.scene.settled, "what was struck is settled")

    def renew(self) -> None:
        """A worker fetches a new token; without the kept password it could not."""
        before = self.credential.secret
        del self.scene.engine.state.credentials[self.credential.open("secret")]
        Credential.objects.filter(pk=self.credential.pk).update(renew_at=timezone.now())
        until(lambda: Credential.objects.get(pk=self.credential.pk).secret != before, "the token is renewed")
        self.look(f"{self.place}/")


@pytest.mark.slow
@pytest.mark.parametrize("scene", [{"LOG_LEVEL": "DEBUG"}], indirect=True)
def test_no_kind_of_credential_is_anywhere_after_everything_it_can_go_through(
    hunt: Hunt, scene: Scene, log: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway, "OTP", CODE)
    # On 0.83 the owner's token opens two projects, of which one is chosen first.
    scene.engine.settings.version = "0.72.4"
    story, given = Story(hunt, scene), scene.engine.credentials
    address = f"{scene.server.url}/imbrace"
    story.add(engine="gateway", address=address, kind="api_key", secret=given.api_key)
    story.crash()
    story.launch()
    story.replace("access_token", secret=given.access_token)
    story.launch()
    story.replace("jwt", secret=given.jwt, organization_id=given.organization_id)
    story.launch()
    story.look(f"{story.place}/replace/", kind="sign_in", email=given.email, send_code="yes")
    story.replace("sign_in", email=given.email, code=CODE)
    story.replace("sign_in", email=given.email, password=given.password, keep_password="on")
    story.launch()
    story.renew()
    story.look(f"{story.place}/put-back/", sure="yes")
    first = story.space
    address = f"{scene.server.url}/api"
    story.add(engine="activepieces", address=address, token_kind="bearer_token", secret=given.bearer_token)
    story.launch()
    story.replace("bearer_sign_in", email=given.email, password=given.password, keep_password="on")
    story.launch()
    story.renew()
    secrets = CredentialSecret.objects.exclude(secret="")
    assert {row.kind for row in secrets} | {story.credential.kind} == set(CredentialKind.values)
    hunt.hide("one-time code", CODE)
    # People who may open the launch see it; it is in clear nowhere else.
    hunt.hide("launch input", INPUT, but=lambda place: place.startswith("/w/"))
    hunt.hide("password of a sign-in", given.password)
    for row in secrets:
        hunt.hide(f"credential {row.kind}", row.open("secret"))
    hunt.hide("tokens of the engine", *scene.engine.state.credentials)
    secrets.update(keep_until=LONG_AGO)
    assert secret_rotation.purge() >= len(CredentialKind.values) - 1
    assert not CredentialSecret.objects.exclude(secret="", password="").exists()
    for space in (first, story.space):
        for page in (
            "",
            "credentials/",
            "members/",
            "settings/",
            "flows/",
            f"flows/{'Z' * 21}/",
            "audit/",
            "audit/file/csv/",
        ):
            story.look(f"{space}/{page}")
    scene.server.stop()
    story.look(f"{story.space}/flows/")
    story.look(f"{story.place}/test/", sure="yes")
    scene.stage.stop()
    places.everything(hunt, [scene.stage.folder])
    hunt.look("log", log.getvalue())
    assert story.looked > 60
    assert {"file 01.log", "file 02.log", "file 03.log", "database", "log"} <= hunt.places
    hunt.must_be_in_vain(__name__)
