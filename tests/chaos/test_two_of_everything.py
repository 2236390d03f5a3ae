"""Two web servers and two workers at once: what is replaced, re-sealed or withdrawn by one holds for all; nothing is lost."""

import re
from functools import partial
from typing import Any

import pytest
import requests
from cryptography.fernet import Fernet
from django.conf import settings
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from tests import flows
from tests.accounts.sign_in import sign_in
from tests.chaos.scene import Scene
from tests.chaos.stage import PATIENCE, until
from tests.users import person
from workflows_ui.accounts.models import User
from workflows_ui.launch_forms.models import SavedInputs
from workflows_ui.launches.models import Launch, State
from workflows_ui.members.models import LaunchRight, Member

pytestmark = [
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
    pytest.mark.postgres,
    pytest.mark.redis,
    pytest.mark.timeout(300),
]
OLD, NEW = settings.CREDENTIAL_KEYS[0], Fernet.generate_key().decode()
#: Rows that are re-sealed while launches are asked for.
ROWS = 1500


class Browser:
    """A person's browser, signed in, that speaks to either of the web servers with one session."""

    def __init__(self, user: User, first: str, second: str) -> None:
        client = Client()
        assert sign_in(client, user.username).status_code == 302
        self._addresses = {"first": first, "second": second}
        self._http = requests.Session()
        self._http.trust_env = False
        self._http.cookies.set(settings.SESSION_COOKIE_NAME, client.cookies[settings.SESSION_COOKIE_NAME].value)

    def get(self, server: str, path: str) -> requests.Response:
        return self._http.get(self._addresses[server] + path, allow_redirects=False, timeout=30)

    def post(self, server: str, path: str, page: str = "", **form: Any) -> requests.Response:
        """Sends the form that stands on a page, by default the one at the same address."""
        shown = self.get(server, page or path)
        hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', shown.text))
        assert "csrfmiddlewaretoken" in hidden, f"{shown.status_code} {shown.text[:2000]}"
        url = self._addresses[server] + path
        return self._http.post(url, hidden | form, allow_redirects=False, timeout=30)


class Pair:
    """The scene with two web servers, perhaps two workers, and its people."""

    def __init__(self, scene: Scene, *, workers: bool) -> None:
        self.scene, stage, self.workers = scene, scene.stage, workers
        if workers:
            stage.worker(threads=8)
            stage.worker(threads=8)
            stage.beat()
        self.servers = [stage.web(name) for name in ("first", "second")]
        for address in self.servers:
            until(partial(_answers, address), f"{address} answers")
        self.owner = self.browser(scene.users.owner)
        echo = flows.code("echo", given="{{trigger.body}}")
        self.flow = flows.make(scene.workflows, "Quick", echo)

    def browser(self, user: User) -> Browser:
        return Browser(user, *self.servers)

    def launch(self, browser: Browser, server: str, note: str) -> requests.Response:
        form = {"payload": f'{{"note": "{note}"}}', "_how": "start", "confirmed": "yes"}
        return browser.post(server, f"/w/sales/flows/{self.flow}/launch/?_as=json", **form)

    def run(self, server: str, note: str) -> str:
        """A run with this note in it: launched and followed by workers where there are any, else made at the engine itself."""
        if not self.workers:
            self.scene.workflows.trigger_flow(self.flow, {"note": note})
            until(lambda: bool(self.runs()), "the run is there")
            return self.runs()[0]
        answer = self.launch(self.owner, server, note)
        assert answer.status_code == 303, answer.text
        pk = answer.headers["Location"].rstrip("/").rpartition("/")[2]
        until(lambda: Launch.objects.get(pk=pk).state == State.SUCCEEDED, "the launch ends well")
        return str(Launch.objects.get(pk=pk).run_id)

    def runs(self) -> list[str]:
        """Ids of the runs that have ended, newest first."""
        return [str(one["id"]) for one in self.scene.workflows.list_runs(status="SUCCEEDED")["data"]]

    def keys(self, since: int = 0) -> set[str]:
        """With which keys anything was asked for, from a number of requests on."""
        asked = [one.headers.get("authorization", "") for one in self.scene.engine.journal.all()[since:]]
        return {one.removeprefix("Bearer ") for one in asked if one}


def _answers(address: str) -> bool:
    try:
        return requests.get(f"{address}/healthz", timeout=5).ok
    except requests.RequestException:
        return False


def test_what_is_replaced_or_withdrawn_by_one_web_server_holds_for_the_other_at_once(scene: Scene) -> None:
    pair = Pair(scene, workers=False)
    _replaced(pair)
    _withdrawn(pair)
    _counted(pair)


@pytest.mark.chaos
@pytest.mark.parametrize("scene", [{"CREDENTIAL_KEYS": f"{NEW},{OLD}"}], indirect=True)
def test_workers_use_what_was_replaced_and_resealed_at_once_and_nothing_is_lost(scene: Scene) -> None:
    pair = Pair(scene, workers=True)
    _replaced(pair)
    _reseal(pair)
    _withdrawn(pair)


def _replaced(pair: Pair) -> None:
    """Every process uses the new secret, and masks it, as soon as it is there."""
    given = pair.scene.engine.credentials
    old, new = given.bearer_token, given.bearer_token_colleague
    before = pair.run("second", "before")
    assert pair.owner.get("second", f"/w/sales/runs/{before}/").status_code == 200
    assert pair.keys() == {old}
    place = f"/w/sales/credentials/{pair.scene.users.credential.pk}"
    answer = pair.owner.post("first", f"{place}/replace/", token_kind="bearer_token", secret=new)
    assert answer.status_code == 303, answer.text
    asked = pair.scene.engine.journal.count()
    for server in ("second", "first"):
        run = pair.run(server, f"after {new}")
        if not pair.workers:
            asked = pair.scene.engine.journal.count()
        page = pair.owner.get(server, f"/w/sales/runs/{run}/")
        assert page.status_code == 200
        assert "after" in page.text
        assert new not in page.text
        assert pair.keys(asked) == {new}


def _reseal(pair: Pair) -> None:
    """Everything opens with the new key alone, and what was launched meanwhile was sent once."""
    users = pair.scene.users
    rows = [
        SavedInputs(
            workspace=users.workspace, flow_id=pair.flow, owner=users.owner, name=f"{n}", updated_at=timezone.now()
        )
        for n in range(ROWS)
    ]
    for row in rows:
        row.payload = row.seal("payload", '{"note": "saved"}')
    SavedInputs.objects.bulk_create(rows)
    asked = Launch.objects.count()
    rotating = pair.scene.stage.start("manage.py", "rotate_credential_keys")
    answers: list[int] = []
    while rotating.poll() is None or len(answers) < 8:
        server = ("first", "second")[len(answers) % 2]
        answers.append(pair.launch(pair.owner, server, f"rotating {len(answers)}").status_code)
    assert rotating.returncode == 0, pair.scene.stage.logs()
    assert set(answers) == {303}
    until(pair.scene.settled, "every launch is settled")
    launches = list(Launch.objects.all())
    assert len(launches) == asked + len(answers)
    assert {one.state for one in launches} == {State.SUCCEEDED}
    assert {pair.scene.sent(one) for one in launches} == {1}
    checking = pair.scene.stage.start("manage.py", "rotate_credential_keys", "--check", CREDENTIAL_KEYS=NEW)
    assert checking.wait(PATIENCE) == 0, pair.scene.stage.logs()


def _withdrawn(pair: Pair) -> None:
    """Who is removed, whose right is withdrawn or who is deactivated in one server finds nothing in the other."""
    users = pair.scene.users
    colleague, guest = pair.browser(users.colleague), person("gail")
    right = LaunchRight.objects.create(
        workspace=users.workspace, flow_id=pair.flow, flow_name="Quick", user=guest, most_launches=9
    )
    gail, form = pair.browser(guest), f"/w/sales/flows/{pair.flow}/launch/"
    assert colleague.get("second", "/w/sales/").status_code == 200
    assert gail.get("second", "/w/sales/").status_code == 200
    member = Member.objects.get(user=users.colleague)
    assert pair.owner.post("first", f"/w/sales/members/{member.pk}/remove/").status_code == 303
    assert colleague.get("second", "/w/sales/").status_code == 404
    assert colleague.get("second", form).status_code == 404
    assert pair.owner.post("first", f"/w/sales/launch-rights/{right.pk}/revoke/").status_code == 303
    assert gail.get("second", form).status_code == 404
    User.objects.filter(pk=users.owner.pk).update(is_superuser=True)
    assert gail.get("second", "/profile/").status_code == 200
    assert pair.owner.post("first", f"/people/{guest.pk}/deactivate/").status_code == 303
    assert gail.get("second", "/profile/").headers["Location"].startswith("/accounts/login/")
    assert not any(one.get_decoded().get("_auth_user_id") == str(guest.pk) for one in Session.objects.all())


def _counted(pair: Pair) -> None:
    """Wrong passwords are counted across servers."""
    stranger = requests.Session()
    stranger.trust_env = False
    said = []
    for number in range(6):
        url = f"{pair.servers[number % 2]}/accounts/login/"
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', stranger.get(url, timeout=30).text)
        assert token
        form = {"csrfmiddlewaretoken": token[1], "login": "nobody", "password": "wrong"}
        said.append("Too many attempts" in stranger.post(url, form, timeout=30).text)
    assert said == [False] * 5 + [True]
