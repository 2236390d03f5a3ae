"""Files beside a launch's values: sealed until they are sent, sent once, and gone from the database afterwards."""

import base64
from datetime import timedelta

import pytest
import requests
from django.utils import timezone

from tests import flows
from tests.launches.launch_scene import Scene
from workflows_ui.audit.services import audit_log
from workflows_ui.core.crypto import CannotOpen
from workflows_ui.engine import Upload
from workflows_ui.launches.models import Launch, LaunchFile, LaunchInput, Reason, State
from workflows_ui.launches.services import files as launch_files, launches, sending, sweeping
from workflows_ui.launches.services.launches import LaunchRequest, Outcome

PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(range(256))
ECHO = flows.code("echo", given="{{trigger.body}}")


def _ask(scene: Scene, flow: str, *files: Upload, **more: object) -> launches.LaunchResult:
    order = LaunchRequest(flow, "F", {"n": 1}, wait=False, ticket=launches.ticket(), files=files, **more)  # type: ignore[arg-type]
    return launches.create(audit_log.CONSOLE, scene.users.place(scene.users.colleague), order)


def _file(name: str = "ảnh.png", data: bytes = PICTURE) -> Upload:
    return Upload("photo", name, "image/png", data)


def test_a_file_is_sealed_sent_and_forgotten(scene: Scene) -> None:
    flow = flows.make(scene.workflows, "Echo", ECHO)
    launch = _ask(scene, flow, _file()).launch
    assert launch
    row = LaunchFile.objects.get()
    assert PICTURE not in base64.urlsafe_b64decode(row.data)
    assert (row.name, row.size, row.open_bytes("data")) == ("ảnh.png", len(PICTURE), PICTURE)
    sweeping.forget_files()
    assert LaunchFile.objects.exclude(data="").exists(), "it still has to be sent"
    sending.send(launch.pk)
    ended = scene.watch(launch)
    assert ended.state == State.SUCCEEDED
    run = scene.workflows.get_run(ended.run_id)
    body = run["steps"]["trigger"]["output"]["body"]
    assert body["n"] == 1
    assert requests.get(body["photo"], timeout=20).content == PICTURE
    sweeping.forget_files()
    row.refresh_from_db()
    assert (row.data, row.name) == ("", "ảnh.png")
    with pytest.raises(CannotOpen):
        row.open_bytes("data")


def test_an_empty_file_is_not_a_forgotten_one(scene: Scene) -> None:
    launch = _ask(scene, "F" * 21, _file(data=b"")).launch
    assert launch
    assert launch_files.uploads(launch)[0].data == b""


def test_a_withdrawn_launchs_file_is_forgotten(scene: Scene) -> None:
    launch = _ask(scene, "F" * 21, _file()).launch
    assert launch
    launches.withdraw(audit_log.CONSOLE, launch)
    sweeping.forget_files()
    assert not LaunchFile.objects.exclude(data="").exists()


def test_the_same_values_with_another_file_are_no_twins_and_with_the_same_file_they_are(scene: Scene) -> None:
    assert _ask(scene, "F" * 21, _file()).outcome == Outcome.CREATED
    assert _ask(scene, "F" * 21, _file(data=PICTURE + b"x")).outcome == Outcome.CREATED
    assert _ask(scene, "F" * 21).outcome == Outcome.CREATED
    assert _ask(scene, "F" * 21, _file()).outcome == Outcome.TWIN


def test_a_file_whose_key_is_gone_ends_the_launch_unsent(scene: Scene) -> None:
    launch = _ask(scene, "F" * 21, _file()).launch
    assert launch
    LaunchFile.objects.update(data="gAAAA-not-a-ciphertext")
    sending.send(launch.pk)
    launch.refresh_from_db()
    assert (launch.state, launch.reason) == (State.NOT_SENT, Reason.CREDENTIAL_UNREADABLE)


def test_searchable_inputs_are_kept_short_and_go_with_the_retention_time(scene: Scene) -> None:
    inputs = (("order", "Order", "O-1\0"), ("note", "Note", "x" * 900), ("blank", "Blank", " "))
    assert _ask(scene, "F" * 21, _file(), searchable=inputs).launch
    assert [len(text) for text in LaunchInput.objects.order_by("pk").values_list("text", flat=True)] == [4, 200]
    sweeping.purge()
    assert (LaunchInput.objects.count(), LaunchFile.objects.count()) == (2, 1)
    Launch.objects.update(asked_at=timezone.now() - timedelta(days=4000))
    sweeping.purge()
    assert not LaunchInput.objects.exists()
    assert not LaunchFile.objects.exists()


@pytest.mark.parametrize(
    ("given", "cleaned"),
    [
        ("hợp đồng.pdf", "hợp đồng.pdf"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\An\\báo cáo.XLSX", "báo cáo.XLSX"),
        ("a\r\nb.txt", "ab.txt"),
        ('x"<y>.txt', "x_y_.txt"),
        ("\u202egnp.exe", "gnp.exe"),
        ("...", "file"),
        ("", "file"),
        ("x" * 300 + ".pdf", "x" * 146 + ".pdf"),
        ("x" * 300, "x" * 150),
    ],
)
def test_names_of_files_are_cleaned(given: str, cleaned: str) -> None:
    assert launch_files.clean_name(given) == cleaned


@pytest.mark.parametrize(
    ("name", "data", "lies"),
    [
        ("a.png", PICTURE, False),
        ("a.PNG", b"<script>", True),
        ("a.pdf", b"%PDF-1.7", False),
        ("a.pdf", b"MZ", True),
        ("a.txt", b"anything", False),
        ("png", b"", False),
    ],
)
def test_an_ending_that_lies_is_found_out(name: str, data: bytes, lies: bool) -> None:
    assert launch_files.has_wrong_content(name, data) is lies
