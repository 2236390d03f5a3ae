"""A workspace moves to another address: secrets are entered again, nothing that waits is sent, and nothing is concluded wrongly."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from practice_engine.engine import PracticeEngine
from practice_engine.server import Server, serve
from tests import flows, users
from tests.launches.launch_scene import Scene, text_of
from workflows_ui.audit.models import AuditEvent
from workflows_ui.audit.services import audit_log
from workflows_ui.core import clock
from workflows_ui.credentials.models import Capability, Credential, CredentialKind, CredentialSecret, Health
from workflows_ui.credentials.services import clients, secret_rotation
from workflows_ui.jobs.models import Job, JobKind, JobState
from workflows_ui.launches.models import Launch, Reason, State
from workflows_ui.launches.services import following, launches, sending
from workflows_ui.members.models import LaunchRight, Workspace
from workflows_ui.notifications.models import Notice
from workflows_ui.workspace_move import services as workspace_move

pytestmark = [pytest.mark.both_databases, pytest.mark.django_db, pytest.mark.usefixtures("no_second_try")]
MOVE = "/w/sales/settings/move/"


class Place:
    """The workspace on its old engine, and another engine to which it moves."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.engine = PracticeEngine(clock_scale=0.02, samples=False)
        self.server: Server = serve(self.engine)
        self.address = f"{self.server.url}/api"
        self.token = self.engine.credentials.bearer_token
        self.owner = scene.sign_in(scene.users.owner)
        self.mine = f"secret_{scene.users.credential.pk.hex}"

    def fields(self) -> dict[str, str]:
        return {"engine": "activepieces", "address": self.address, self.mine: self.token}

    def move(self, changes: dict[str, str] | None = None, browser: Client | None = None) -> Any:
        return (browser or self.owner).post(MOVE, self.fields() | (changes or {}))

    @property
    def workspace(self) -> Workspace:
        return Workspace.objects.get(slug="sales")

    def credential(self, whose: str) -> Credential:
        return Credential.objects.select_related("workspace").get(owner__username=whose)


@pytest.fixture
def place() -> Iterator[Place]:
    scene = Scene()
    made = Place(scene)
    yield made
    scene.close()
    made.server.stop()
    made.engine.close()


@pytest.mark.slow
def test_the_workspace_leads_to_the_new_address_and_everything_else_stays(place: Place) -> None:
    scene = place.scene
    flow = flows.make(scene.workflows, "Quick", flows.code("echo", given="{{trigger.body}}"))
    done = scene.watch(scene.launch(flow))
    right = LaunchRight.objects.create(workspace=scene.users.workspace, flow_id=flow, user=scene.users.stranger)
    Capability.objects.create(workspace=scene.users.workspace, name="tables", state="no", checked_at=timezone.now())
    job = Job.objects.create(
        workspace=scene.users.workspace,
        user=scene.users.owner,
        kind=JobKind.BULK,
        resource="flows",
        action="disable",
        state=JobState.RUNNING,
        asked_at=timezone.now(),
    )
    page = text_of(place.owner.get(MOVE))
    assert scene.server.url in page
    assert "1 credential of others has to be entered again. Its owner is notified:" in page
    answer = place.move()
    assert answer.status_code == 303, text_of(answer)
    space = place.workspace
    assert (space.address, space.genuine, space.moves, space.marker_seen_at) == (place.address, True, 1, None)
    client, used = clients.client_for_person(scene.users.owner, space)
    assert used.health == Health.WORKS
    assert client.workflows.get_current_project()["id"] == space.project_id
    assert Launch.objects.get(pk=done.pk).state == State.SUCCEEDED
    assert LaunchRight.objects.filter(pk=right.pk, revoked_at=None).exists()
    assert not Capability.objects.exists()
    assert Job.objects.get(pk=job.pk).state == JobState.STOPPED
    event = AuditEvent.objects.get(action="workspace.move")
    assert event.user == scene.users.owner
    assert event.detail["before"]["address"] == f"{scene.server.url}/api"
    assert event.detail["address"] == place.address
    assert "now uses the new address" in text_of(place.owner.get("/w/sales/settings/"))


@pytest.mark.slow
def test_others_enter_theirs_again_and_see_why(place: Place) -> None:
    scene = place.scene
    theirs = place.credential("colleague")
    aside = secret_rotation.put_aside(audit_log.Actor(scene.users.colleague), theirs, clock.now())
    place.move()
    theirs.refresh_from_db()
    assert (theirs.secret, theirs.password, theirs.renew_at) == ("", "", None)
    assert not CredentialSecret.objects.exclude(secret="").exists()
    notice = Notice.objects.get(user=scene.users.colleague)
    assert notice.kind == "credential_to_enter"
    page = text_of(scene.browser.get(notice.url))
    assert "The workspace moved to another address. This secret has to be entered again for it." in page
    assert "Enter it again" in text_of(scene.browser.get("/w/sales/credentials/"))
    assert "The secret must be entered again" in text_of(scene.browser.get("/w/sales/flows/"))
    before = place.engine.journal.count()
    scene.browser.post(f"{notice.url}test/")
    assert place.engine.journal.count() == before
    typed = {"token_kind": "bearer_token", "secret": place.engine.credentials.bearer_token_colleague}
    page = text_of(scene.browser.post(f"{notice.url}replace/", typed | {"seen": aside.pk}, follow=True))
    assert "The new secret works and is in use." in page
    assert place.credential("colleague").open("secret") == typed["secret"]


def test_what_waits_is_not_sent_to_either_engine(place: Place) -> None:
    scene = place.scene
    flow = flows.make(scene.workflows, "Quick", flows.code("echo", given="{{trigger.body}}"))
    waiting = scene.launch(flow, send=False)
    assert "1 launch is waiting to be sent" in text_of(place.owner.get(MOVE))
    place.move()
    sending.send(waiting.pk)
    waiting.refresh_from_db()
    assert (waiting.state, waiting.reason) == (State.NOT_SENT, Reason.MOVED)
    assert scene.engine.journal.triggers(flow) == []
    assert place.engine.journal.triggers(flow) == []
    assert "Not sent: the workspace moved" in scene.page(waiting)


def test_what_a_worker_has_in_hand_is_not_sent_once_the_workspace_moved(place: Place) -> None:
    scene = place.scene
    flow = flows.make(scene.workflows, "Quick", flows.code("echo", given="{{trigger.body}}"))
    waiting = scene.launch(flow, send=False)
    claimed = sending.claim(waiting.pk)
    assert claimed is not None
    place.move()
    assert sending._deliver(claimed) is None
    assert scene.engine.journal.triggers(flow) == []
    Launch.objects.filter(pk=waiting.pk).update(claim_until=timezone.now() - timedelta(seconds=1))
    sending.send(waiting.pk)
    waiting.refresh_from_db()
    assert (waiting.state, waiting.reason) == (State.NOT_SENT, Reason.MOVED)


@pytest.mark.slow
def test_that_a_launch_did_not_run_is_never_concluded_from_another_engine(place: Place, settings: Any) -> None:
    scene = place.scene
    settings.LAUNCH_SEARCH = timedelta(seconds=0)
    flow = flows.make(scene.workflows, "Quick", flows.code("echo", given="{{trigger.body}}"))
    sent = scene.launch(flow, send=False)
    now = timezone.now()
    Launch.objects.filter(pk=sent.pk).update(
        state=State.UNKNOWN, reason=Reason.CUT_OFF, sending_at=now, poll_at=now, ended_at=now
    )
    place.move()
    Workspace.objects.update(marker_seen_at=timezone.now())
    for _look in range(6):
        Launch.objects.filter(poll_at__isnull=False).update(poll_at=timezone.now() - timedelta(seconds=1))
        following.poll(place.workspace.pk)
    launch = Launch.objects.get(pk=sent.pk)
    assert (launch.state, launch.reason, launch.poll_at) == (State.UNKNOWN, Reason.CUT_OFF, None)
    assert launches.settle(audit_log.CONSOLE, launch, ran=False, why="looked there")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"address": "http://127.0.0.1:9/api"}, "Nothing answers at this address."),
        ({"address": "flows"}, "Enter an address that starts with https://"),
        ({"address": ""}, "Enter the engine"),
        ({"mine": "no-such-token"}, "The engine refuses this secret."),
        ({"mine": ""}, "Enter a secret that works at the new address."),
    ],
)
def test_what_does_not_work_is_said_at_its_field_and_nothing_changes(
    place: Place, changes: dict[str, str], said: str
) -> None:
    before = Workspace.objects.values().get(), list(Credential.objects.order_by("pk").values())
    changes = {place.mine if name == "mine" else name: value for name, value in changes.items()}
    answer = place.move(changes)
    assert answer.status_code == 422
    page = text_of(answer)
    assert said in page
    assert ("Technical details" in page) is (
        said in ("Nothing answers at this address.", "The engine refuses this secret.")
    )
    assert place.token not in page
    assert (Workspace.objects.values().get(), list(Credential.objects.order_by("pk").values())) == before


def test_an_address_that_is_another_workspace_s_is_refused_at_the_field(place: Place) -> None:
    other = users.workspace("else", address=place.address, project=place.engine.credentials.project_id)
    answer = place.move()
    assert answer.status_code == 422
    assert "This project on this engine is already another workspace." in text_of(answer)
    assert other.name not in text_of(answer)
    assert place.workspace.moves == 0
    assert "already uses this address" in text_of(
        place.move(
            {"address": f"{place.scene.server.url}/api", place.mine: place.scene.engine.credentials.bearer_token}
        )
    )


def test_two_managers_at_once_move_it_once(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    truly = workspace_move.test

    def slow(workspace: Workspace, *more: Any) -> Any:
        Workspace.objects.update(moves=1)
        return truly(workspace, *more)

    monkeypatch.setattr(workspace_move, "test", slow)
    answer = place.move()
    assert answer.status_code == 422
    assert "Someone else has moved the workspace in the meantime" in text_of(answer)


def test_a_manager_without_a_credential_moves_it_with_a_new_one(place: Place) -> None:
    scene = place.scene
    users.give(scene.users.credential, scene.users.colleague)
    assert "Your secret at the new address" in text_of(place.owner.get(MOVE))
    answer = place.owner.post(
        MOVE, {"engine": "activepieces", "address": place.address, "kind": "bearer_token", "new": place.token}
    )
    assert answer.status_code == 303, text_of(answer)
    assert place.credential("owner").open("secret") == place.token
    assert Notice.objects.filter(user=scene.users.colleague).count() == 2


def test_a_credential_that_signs_in_takes_the_password(place: Place) -> None:
    scene, given = place.scene, place.engine.credentials
    row = scene.users.credential
    row.kind, row.email = CredentialKind.BEARER_SIGN_IN, given.email
    row.secret, row.password = row.seal("secret", "old"), row.seal("password", "old")
    row.save()
    page = text_of(place.owner.get(MOVE))
    assert f"The password of {given.email} at the engine." in page
    answer = place.move({place.mine: given.password})
    assert answer.status_code == 303, text_of(answer)
    row = place.credential("owner")
    assert (row.open("password"), row.health, row.kind) == (given.password, Health.WORKS, CredentialKind.BEARER_SIGN_IN)


def test_a_workspace_that_was_changed_in_the_database_is_put_right_by_moving_it(place: Place) -> None:
    Workspace.objects.update(address="http://127.0.0.1:9/evil")
    page = text_of(place.owner.get("/w/sales/settings/"))
    assert "The workspace's address was changed outside of the console. No secret is sent there." in page
    assert "Check where it should lead before you enter a secret." in text_of(place.owner.get(MOVE))
    token = place.scene.engine.credentials.bearer_token
    answer = place.move({"address": f"{place.scene.server.url}/api", place.mine: token})
    assert answer.status_code == 303, text_of(answer)
    assert place.workspace.genuine
    assert place.credential("owner").open("secret") == token


def test_nobody_but_managers_moves_a_workspace(place: Place) -> None:
    for user, status in ((place.scene.users.colleague, 403), (place.scene.users.stranger, 404)):
        browser = place.scene.sign_in(user)
        assert browser.get(MOVE).status_code == status
        assert place.move(browser=browser).status_code == status
    assert place.workspace.moves == 0


def test_of_several_projects_that_a_secret_opens_there_the_manager_chooses_one(place: Place) -> None:
    place.engine.settings.version = "0.83.0"
    known = place.engine.credentials
    users.move(place.workspace, project_id="X" * 21)
    answer = place.move()
    assert answer.status_code == 422
    page = text_of(answer)
    assert "The secret opens several projects there. Choose the one of this workspace." in page
    assert f'value="{known.other_project_id}"' in page
    assert place.token not in page
    assert place.workspace.moves == 0
    answer = place.move({"project_id": known.other_project_id})
    assert answer.status_code == 303, text_of(answer)
    assert place.workspace.project_id == known.other_project_id


def test_a_workspace_of_imbrace_moves_to_another_gateway(place: Place) -> None:
    scene, known = place.scene, place.engine.credentials
    row = scene.users.credential
    users.move(place.workspace, flavour="imbrace", address=f"{scene.server.url}/imbrace")
    row = place.credential("owner")
    row.kind = CredentialKind.API_KEY
    row.secret = row.seal("secret", scene.engine.credentials.api_key)
    row.save()
    page = text_of(place.owner.get(MOVE))
    assert "Imbrace, own gateway" in page
    assert "Activepieces, own address" not in page
    fields = {"engine": "gateway", "address": f"{place.server.url}/imbrace/", place.mine: known.api_key}
    assert place.owner.post(MOVE, fields | {"engine": "activepieces"}).status_code == 422
    answer = place.owner.post(MOVE, fields)
    assert answer.status_code == 303, text_of(answer)
    space = place.workspace
    assert (space.flavour, space.address, space.organization_id) == (
        "imbrace",
        f"{place.server.url}/imbrace",
        known.organization_id,
    )
    client, _used = clients.client_for_person(scene.users.owner, space)
    assert client.workflows.get_current_project()["id"] == space.project_id


def test_the_practice_workspace_follows_the_settings_and_is_not_moved(place: Place) -> None:
    Workspace.objects.update(practice=True)
    assert place.owner.get(MOVE).status_code == 404
    assert "Move to another address" not in text_of(place.owner.get("/w/sales/settings/"))
