"""Secrets that people send with a launch, and what a colleague may not open: on no page, in no file, mail or row, for nobody without a
reason."""

import base64
import html
import json
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from django.test import Client

from tests import flows
from tests.launches.launch_scene import Scene
from tests.project.console_process import wait_for
from tests.secrets import places
from tests.secrets.hunt import Hunt
from tests.users import credential
from workflows_ui.audit.models import AuditEvent
from workflows_ui.core.paths import pick
from workflows_ui.core.secret_names import MASK
from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.jobs.models import Job
from workflows_ui.launch_forms.models import SavedInputs
from workflows_ui.launches.models import Launch
from workflows_ui.members.models import Role
from workflows_ui.resource_admin.jobs import worker
from workflows_ui.resources import BY_NAME
from workflows_ui.runs import masking as run_masking

pytestmark = pytest.mark.django_db
REASON = "Comparing what the customer sent us"
SECRETS = {
    "password": "pw-Zk7q-hunter",
    "accessToken": "tok-Zk7q-access",
    "api key": "key-Zk7q-api",
    "mật khẩu": "mk-Zk7q-matkhau",
    "otp": "otp-Zk7q-734512",
    "customer": {"cardNumber": "4111-Zk7q-1111", "cvv": 98765012345678},
    "credentials": {"user": "cred-Zk7q-user", "list": ["cred-Zk7q-list"]},
    "callback": "https://shop.example/back?token=url-Zk7q-token&order=1",
    "note": "password: note-Zk7q-pass, thanks",
    "inner": json.dumps({"client_secret": "inner-Zk7q-secret", "n": 1}),
}
VALUES = (
    "pw-Zk7q-hunter",
    "tok-Zk7q-access",
    "key-Zk7q-api",
    "mk-Zk7q-matkhau",
    "otp-Zk7q-734512",
    "4111-Zk7q-1111",
    "98765012345678",
    *("cred-Zk7q-user", "cred-Zk7q-list", "url-Zk7q-token", "note-Zk7q-pass", "inner-Zk7q-secret"),
)
PLAIN = {"order": "DH-Zk7q-1042", "lines": ["line-Zk7q-one", 73512301234567], "deep": {"who": "L@n7"}}
MARKS = ("DH-Zk7q-1042", "line-Zk7q-one", "73512301234567", "L@n7")


@pytest.fixture
def scene(db: None) -> Iterator[Scene]:
    made = Scene()
    yield made
    made.close()


def launched(scene: Scene, payload: Any) -> Launch:
    """Launched by the colleague; its first step says everything back, its second fails with all of it, and goes on."""
    given = {"given": "{{trigger['body']}}", "order": "{{trigger['body']['order']}}"}
    # Inside of a text, values are looked for that have at least four characters.
    given |= {"greeting": "Dear {{trigger['body']['deep']['who']}}!"}
    failing = flows.code("fail no such order DH-Zk7q-1042, password=note-Zk7q-pass", **given)
    flow = flows.make(scene.workflows, "Orders", flows.code("echo", **given), failing)
    return scene.watch(scene.launch(flow, json.dumps(payload)))


def member(scene: Scene, role: Role) -> Client:
    """The browser of one more member, who has a credential."""
    user = scene.member(role, role)
    credential(scene.users.workspace, user, scene.engine.credentials.bearer_token, name=f"Key of the {role}")
    return scene.sign_in(user)


def look_everywhere(hunt: Hunt, name: str, browser: Client, launch: Launch) -> dict[str, str]:
    """Every address that tells of the launch and its run, as one person sees it; gives what the pages said."""
    run, flow = f"/w/sales/runs/{launch.run_id}/", f"/w/sales/flows/{launch.flow_id}/"
    addresses = [
        *(run, f"{run}file/", f"{run}family/", *(f"{run}steps/{number}/" for number in range(3))),
        *("/w/sales/runs/", "/w/sales/runs/export/json/", "/w/sales/runs/export/csv/", "/w/sales/", "/", "/notices/"),
        *(flow, f"{flow}launch/", f"{flow}launch/?_as=json", f"{flow}launch/?from={launch.pk}"),
        *(f"{flow}launch/?from={launch.pk}&_as=json", f"{flow}form/propose/", f"{flow}samples/", f"{flow}export/"),
        *(f"/w/sales/launches/{launch.pk}/{part}" for part in ("", "story/", "file/0/", "hidden/")),
        *("/w/sales/launches/", "/w/sales/audit/", "/w/sales/audit/file/json/", "/w/sales/jobs/"),
        *(f"{run}hidden/", f"/w/sales/flows/{launch.flow_id}/trigger-test/"),
    ]
    said = {}
    for address in addresses:
        said[address] = places.answer(hunt, f"{name} {address}", browser.get(address)).decode(errors="replace")
    for kind in ("json", "csv"):
        browser.post(f"/w/sales/runs/export/{kind}/")
    for job in Job.objects.all():
        worker.turn(job.pk, BY_NAME)
        for part in ("", "export/", "file/"):
            places.answer(hunt, f"{name} job {part}", browser.get(f"/w/sales/jobs/{job.pk}/{part}"))
    return said


@pytest.mark.slow
def test_what_looks_like_a_secret_in_a_launch_is_nowhere(scene: Scene, hunt: Hunt) -> None:
    launch = launched(scene, SECRETS)
    scene.browser.post(
        f"/w/sales/flows/{launch.flow_id}/launch/?_as=json",
        {
            "payload": json.dumps(SECRETS),
            "_how": "start",
            "ticket": "T" * 30,
            "_save": "yes",
            "_save_name": "Kept",
        },
    )
    saved = SavedInputs.objects.get()
    people = {str(role): member(scene, role) for role in (Role.VIEWER, Role.LAUNCHER, Role.BUILDER)}
    people["its launcher"] = scene.browser
    for name, browser in people.items():
        said = look_everywhere(hunt, name, browser, launch)
        assert f"{launch.run_id}" in said[f"/w/sales/runs/{launch.run_id}/"]
    for query in (f"?saved={saved.pk}", f"?saved={saved.pk}&_as=json"):
        places.answer(hunt, "saved", scene.browser.get(f"/w/sales/flows/{launch.flow_id}/launch/{query}"))
    # A builder may take the flow along as it is, with what is typed into its steps.
    own = f"builder /w/sales/flows/{launch.flow_id}/export/"
    hunt.hide("secrets in a payload", *VALUES, but=lambda place: place == own)
    hunt.hide("values of another's launch", "not-in-this-test-Zk7q")
    places.everything(hunt)
    assert hunt.holds(MASK) > 5
    hunt.must_be_in_vain(__name__)


def test_a_builder_sees_a_value_of_a_launch_for_a_reason_and_it_is_written_down(scene: Scene) -> None:
    launch = launched(scene, SECRETS)
    page = f"/w/sales/launches/{launch.pk}/hidden/"
    builder = member(scene, Role.BUILDER)
    assert page in scene.page(launch, builder)
    asked = builder.get(page)
    found = {one.where: one.key for one in asked.context["places"]}
    answer = builder.post(page, {"place": found["Inputs › password"], "reason": REASON})
    assert "pw-Zk7q-hunter" in answer.content.decode()
    assert "no-store" in answer["Cache-Control"]
    rows = list(AuditEvent.objects.filter(action="launch.reveal").order_by("pk"))
    assert rows[0].reason == REASON
    assert "pw-Zk7q-hunter" not in str(list(AuditEvent.objects.values()))
    assert builder.post(page, {"place": found["Inputs › password"], "reason": ""}).status_code == 422
    for browser in (scene.browser, member(scene, Role.VIEWER)):
        assert browser.get(page).status_code == 403
    assert page not in scene.page(launch)


def test_a_launch_that_one_may_not_open_does_not_leak_through_its_run(scene: Scene, hunt: Hunt) -> None:
    launch = launched(scene, PLAIN)
    for role in (Role.VIEWER, Role.LAUNCHER):
        browser = member(scene, role)
        assert browser.get(f"/w/sales/launches/{launch.pk}/").status_code == 404
        said = look_everywhere(hunt, role, browser, launch)
        page = said[f"/w/sales/runs/{launch.run_id}/"]
        assert "only its launcher and builders may open" in page
        assert "Echo" in page or "step_1" in page
    hunt.hide("values of another's launch", *MARKS[1:])
    # Under a name of its own, since the source of the flow's step holds this value too.
    hunt.hide("secrets in a payload", MARKS[0], but=lambda place: f"flows/{launch.flow_id}/" in place)
    hunt.must_be_in_vain(__name__)


def test_neither_does_it_leak_through_a_retry_of_its_run(scene: Scene, hunt: Hunt) -> None:
    """A new run, which has the launch's marker in the headers of its trigger only."""
    launch = launched(scene, PLAIN)
    retried = scene.workflows.retry_run(launch.run_id, "ON_LATEST_VERSION")["id"]

    def ended() -> bool:
        return any(row["id"] == retried and row["finishTime"] for row in scene.workflows.list_runs(limit=10)["data"])

    wait_for(ended, "the retry's end")
    assert not scene.workflows.get_run(retried)["parentRunId"]
    viewer, run = member(scene, Role.VIEWER), f"/w/sales/runs/{retried}/"
    for address in (run, f"{run}file/", f"{run}steps/0/", f"{run}steps/1/"):
        places.answer(hunt, address, viewer.get(address))
    hunt.hide("values of another's launch", *MARKS[1:])
    hunt.hide("secrets in a payload", "not-in-this-test-Zk7q")
    hunt.must_be_in_vain(__name__)
    assert hunt.holds("only its launcher and builders may open") > 1


@pytest.mark.slow
@pytest.mark.parametrize("many", [450, 5_000])
def test_a_large_run_of_anothers_launch_is_looked_through_in_little_time(scene: Scene, many: int) -> None:
    body = {f"key {number}": f"value {number} of Zk7q {'x' * 200}" for number in range(many)}
    launch = scene.row(user=scene.users.owner, run_id="R" * 21)
    steps = {
        "trigger": {"output": {"body": body | {"nothing": None, "yes": True}}},
        "step_1": {"input": {"a": "y" * 1_000_000, "b": "None of it is True"}, "output": [body, "z " * 500_000]},
    }
    session = EngineSession(scene.workflows, scene.users.workspace, "1", Role.VIEWER, scene.users.colleague.pk)
    began = time.process_time()
    (masked_row,) = run_masking.masked(session, [{"id": launch.run_id, "steps": steps}])
    assert time.process_time() - began < 5
    assert "Zk7q" not in str(masked_row)
    for shown in ("y" * 1_000_000, "None of it is True"):
        assert (shown in str(pick(masked_row, "steps.step_1.input"))) is (many < 500)


def test_a_short_value_of_anothers_launch_is_withheld_where_it_stands_alone(scene: Scene) -> None:
    launch = scene.row(user=scene.users.owner, run_id="R" * 21)
    steps = {
        "trigger": {"output": {"body": {"a": "xy"}}, "input": {"own": "z"}},
        "step_1": {"output": {"alone": "xy", "within": "xyz"}},
    }
    session = EngineSession(scene.workflows, scene.users.workspace, "1", Role.VIEWER, scene.users.colleague.pk)
    (masked_row,) = run_masking.masked(session, [{"id": launch.run_id, "steps": steps}])
    shown = {"alone": str(run_masking.WITHHELD), "within": "xyz"}
    assert pick(masked_row, "steps.step_1.output") == shown
    assert pick(masked_row, "steps.trigger.input") == {"own": "z"}


def withheld_in(scene: Scene, launch: Launch, sent: str, repeated: Any) -> bool:
    """Whether a step's output is withheld from somebody who may not open the launch with which a value was sent."""
    steps = {"trigger": {"output": {"body": {"a": sent}}}, "step_1": {"output": repeated}}
    session = EngineSession(scene.workflows, scene.users.workspace, "1", Role.VIEWER, scene.users.colleague.pk)
    (masked_row,) = run_masking.masked(session, [{"id": launch.run_id, "steps": steps}])
    return bool(pick(masked_row, "steps.step_1.output") == str(run_masking.WITHHELD))


TYPED = 'Nguyễn "An" & Co/7'


@pytest.mark.parametrize(
    "spelling",
    [
        TYPED.upper(),
        json.dumps(TYPED),
        json.dumps({"inner": json.dumps([TYPED])}),
        json.dumps(TYPED, ensure_ascii=False).replace("/", "\\/"),
        quote(TYPED),
        quote_plus(TYPED).lower(),
        html.escape(TYPED),
        html.escape(TYPED, quote=False),
        html.escape(TYPED).encode("ascii", "xmlcharrefreplace").decode(),
        *(base64.b64encode(f"{'-' * shift}{TYPED}".encode()).decode() for shift in range(3)),
        base64.urlsafe_b64encode(TYPED.encode()).decode(),
    ],
)
def test_a_value_of_anothers_launch_is_withheld_in_any_spelling(scene: Scene, spelling: str) -> None:
    launch = scene.row(user=scene.users.owner, run_id="R" * 21)
    for around in ("", "x" * 5_000):
        assert withheld_in(scene, launch, TYPED, f"{around} {spelling} {around}")


def test_a_short_value_of_anothers_launch_is_withheld_in_any_spelling_where_it_stands_alone(scene: Scene) -> None:
    launch = scene.row(user=scene.users.owner, run_id="R" * 21)
    assert withheld_in(scene, launch, "R&d", "r&amp;D")
    assert not withheld_in(scene, launch, "R&d", "our r&amp;d")
    # Its base64 has so few characters that other data holds them by chance.
    assert not withheld_in(scene, launch, "L@n7", f"data:{base64.b64encode(b'L@n7').decode()}")


def test_its_launcher_and_builders_see_its_values_in_the_run(scene: Scene) -> None:
    launch = launched(scene, PLAIN)
    builder = member(scene, Role.BUILDER)
    for browser in (scene.browser, builder):
        page = browser.get(f"/w/sales/runs/{launch.run_id}/").content.decode()
        assert all(mark in page for mark in MARKS)
        assert "only its launcher and builders may open" not in page


def test_a_run_that_was_started_elsewhere_keeps_its_values(scene: Scene) -> None:
    launch = launched(scene, PLAIN)
    Launch.objects.filter(pk=launch.pk).delete()
    viewer = member(scene, Role.VIEWER)
    page = viewer.get(f"/w/sales/runs/{launch.run_id}/").content.decode()
    assert all(mark in page for mark in MARKS)
