"""Files in a launch form over HTTP: sent beside the values, refused at their field, and chosen again by name where they must be."""

import io

import pytest
import requests
from django.conf import settings

from tests.launch_forms.filled import hidden, newest, opened, publish, send
from tests.launches.launch_scene import Scene, text_of, unescape
from workflows_ui.form_schema.document import Field, FieldKind, Form
from workflows_ui.launches.models import LaunchFile
from workflows_ui.launches.services import sending

PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(range(256))
WITH_FILES = Form(
    (
        Field("photo", ("photo",), kind=FieldKind.FILE, accept=("png", "pdf"), max_size=2_000, required=True),
        Field("paper", ("paper",), kind=FieldKind.FILE),
        Field("note", ("note",)),
        Field("deep", ("deep", "file"), kind=FieldKind.FILE),
    )
)


def _upload(name: str = "C:\\x\\ảnh.png", data: bytes = PICTURE) -> io.BytesIO:
    file = io.BytesIO(data)
    file.name = name
    return file


def test_a_file_arrives_beside_the_values_and_is_gone_from_the_console(scene: Scene) -> None:
    flow = publish(scene, WITH_FILES)
    page = opened(scene, flow)
    assert 'accept=".png,.pdf"' in page
    assert "PNG, PDF, at most 1.95 kB." in page or "PNG, PDF, at most 1 kB." in page
    assert send(scene, flow, {"photo": _upload(), "note": "n", "deep": "https://example.com/a.pdf"}).status_code == 303
    launch = newest()
    assert launch.files.get().name == "ảnh.png"
    sending.send(launch.pk)
    run = scene.workflows.get_run(scene.watch(launch).run_id)
    body = run["steps"]["trigger"]["output"]["body"]
    assert requests.get(body.pop("photo"), timeout=20).content == PICTURE
    assert body == {"note": "n", "deep": {"file": "https://example.com/a.pdf"}}
    again = opened(scene, flow, f"?from={launch.pk}")
    assert "Choose its file again: ảnh.png." in again


@pytest.mark.parametrize(
    ("file", "said"),
    [
        (None, "Choose a file."),
        (("a.exe", PICTURE), "one of these kinds: png, pdf"),
        (("a.pdf", PICTURE), "not a PDF, although its name says so"),
        (("a.png", b"<svg onload=alert(1)>"), "not a PNG"),
        (("a.png", PICTURE + b"x" * 2_000), "Choose a smaller file"),
    ],
)
def test_a_file_that_cannot_be_taken_is_shown_at_its_field(
    scene: Scene, file: tuple[str, bytes] | None, said: str
) -> None:
    flow = publish(scene, WITH_FILES)
    answer = send(scene, flow, {"note": "kept", **({"photo": _upload(*file)} if file else {})})
    page = unescape(text_of(answer))
    assert answer.status_code == 422
    assert said in page
    assert 'value="kept"' in page
    if file:
        assert f"Choose these files again; browsers send them only once: {file[0]}" in page
        assert f"Choose {file[0]} again." in page
    assert not LaunchFile.objects.exists()


def test_all_files_together_fit_into_one_request(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "LAUNCH_FILES_BYTES", 400)
    flow = publish(scene, WITH_FILES)
    answer = send(scene, flow, {"photo": _upload(), "paper": _upload("b.txt", b"x" * 200)})
    assert "All files together are too large" in text_of(answer)


# --- Found again -----------------------------------------------------------------------------------


def test_the_page_of_a_launch_names_its_files(scene: Scene) -> None:
    flow = publish(scene, WITH_FILES)
    send(scene, flow, {"photo": _upload()})
    page = scene.page(newest())
    assert "ảnh.png" in page
    assert "They are not kept here after they are sent." in page


def test_a_file_that_no_form_takes_is_not_even_kept_and_nothing_typed_after_it_is_lost(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workflows_ui.web.upload_limit.MOST", 1_000)
    flow = publish(scene, WITH_FILES)
    answer = send(scene, flow, {"photo": _upload(data=PICTURE * 10), "note": "kept"})
    page = text_of(answer)
    assert answer.status_code == 422
    assert "Choose a smaller file" in page
    assert "Choose a file." not in page
    assert 'value="kept"' in page


def test_a_form_with_files_is_refused_in_place_so_that_what_was_chosen_stays(scene: Scene) -> None:
    flow = publish(scene, WITH_FILES)
    page = opened(scene, flow)
    assert 'hx-target="#launch-page" hx-select="#launch-page"' in page
    assert 'type="file" id="file-photo" hx-preserve name="photo"' in page
    headers = {"HX-Request": "true", "HX-Target": "launch-page"}
    values = {**hidden(page), "paper": _upload("b.txt", b"x"), "note": "kept"}
    answer = scene.browser.post(scene.url(flow), values, headers=headers)
    assert answer.status_code == 422
    assert "send them only once" not in text_of(answer)
    assert 'id="launch-page"' in text_of(answer)
    done = scene.browser.post(
        scene.url(flow), values | {"photo": _upload(), "paper": _upload("b.txt", b"x")}, headers=headers
    )
    assert done["HX-Redirect"].endswith(f"/launches/{newest().pk}/")
