"""Files that lie, hide where they go, or are bombs: in launch forms, imported launch forms, imported flows."""

import gzip
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from tests.attacks.looking import look
from tests.launch_forms.builder_scene import BASE, FLOW, saved
from tests.launch_forms.filled import newest, publish, send
from tests.launches.launch_scene import Scene, text_of
from tests.stub_engine import StubEngine, flow
from tests.users import Users
from workflows_ui.form_schema.document import Field, FieldKind, Form
from workflows_ui.launch_forms.models import LaunchForm
from workflows_ui.launches.models import Launch, LaunchFile

PHOTO = Form((Field("note", ("note",)), Field("photo", ("photo",), kind=FieldKind.FILE)))
NAMES = [
    "../../../../etc/cron.d/evil",
    "..\\..\\windows\\system32\\evil.exe",
    "/etc/passwd",
    "a\r\nContent-Type: text/html\r\n\r\n<script>alert(1)</script>.txt",
    'a"; filename="evil.html',
    "<xss1337 onxss1337=1>.txt",
    "‮txt.exe",
    "con.txt",
    ".htaccess",
    "x" * 500 + ".txt",
    "%2e%2e%2fetc%2fpasswd",
    "a/../../b.txt",
]


def files_of_the_disk() -> set[Path]:
    """Whatever lies below the console's folder, the database's and the cache's own files aside."""
    return {
        path
        for path in Path(settings.VAR_DIR).rglob("*")
        if path.is_file() and "sqlite" not in path.name and "cache" not in path.parts
    }


def bomb() -> bytes:
    """Ten megabytes of zeros in ten kilobytes."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("../../evil.txt", b"\0" * 10_000_000)
    return file.getvalue()


@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
@pytest.mark.sampled(3)
def test_a_name_is_never_a_path_and_never_a_part_of_a_page(scene: Scene, name: str) -> None:
    flow_id = publish(scene, PHOTO)
    before = files_of_the_disk()
    upload = SimpleUploadedFile("x.txt", b"hello")
    vars(upload)["_name"] = name  # past the cleaning of Django's setter, as a hostile client would
    answer = send(scene, flow_id, {"note": "n", "photo": upload})
    assert answer.status_code == 303, text_of(answer)
    file = LaunchFile.objects.get()
    assert not set(file.name) & set('/\\\r\n\0"<>')
    assert ".." not in file.name
    assert len(file.name) <= 150
    assert look(scene.browser.get(f"/w/sales/launches/{newest().pk}/")).faults == []
    assert {path for path in files_of_the_disk() - before if "broker" not in path.parts} == set()


@pytest.mark.parametrize(
    "body",
    [
        b'--b\r\nContent-Disposition: form-data; name="photo"; filename="' + b"x" * 50_000 + b'"\r\n\r\nx\r\n--b--',
        b"--b\r\n" + b"X-Header: y\r\n" * 5_000 + b"\r\nx\r\n--b--",
        b'--b\r\nContent-Disposition: form-data; name="photo"; filename="a"\r\nContent-Transfer-Encoding: base64\r\n\r\n!!!\r\n--b--',
        b"no form at all",
        b"--b",
        b"",
    ],
    ids=range(6),
)
def test_a_broken_body_is_answered_with_a_message(scene: Scene, body: bytes) -> None:
    flow_id = publish(scene, PHOTO)
    answer = scene.browser.post(scene.url(flow_id), body, content_type="multipart/form-data; boundary=b")
    assert answer.status_code in {400, 409, 422}
    assert not Launch.objects.exists()


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("photo.png", b"<html><script>alert(1)</script>"),
        ("photo.gif", b"#!/bin/sh"),
        ("offer.pdf", b"MZ\x90\x00"),
        ("list.xlsx", b"<?xml version='1.0'?>"),
        ("list.docx", b"\x7fELF"),
    ],
)
def test_a_file_whose_name_lies_about_its_kind_is_refused(scene: Scene, name: str, data: bytes) -> None:
    flow_id = publish(scene, PHOTO)
    answer = send(scene, flow_id, {"note": "n", "photo": SimpleUploadedFile(name, data)})
    assert answer.status_code == 422
    assert "although its name says so" in text_of(answer)
    assert not Launch.objects.exists()


@pytest.mark.parametrize("name", ["bomb.zip", "bomb.xlsx", "bomb.docx"])
def test_a_packed_file_is_never_unpacked(scene: Scene, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    packed = bomb()

    def unpacked(*_arguments: Any, **_more: Any) -> Any:
        raise AssertionError("unpacked")

    monkeypatch.setattr(zipfile, "ZipFile", unpacked)
    monkeypatch.setattr(gzip, "decompress", unpacked)
    flow_id = publish(scene, PHOTO)
    assert send(scene, flow_id, {"note": "n", "photo": SimpleUploadedFile(name, packed)}).status_code == 303
    assert LaunchFile.objects.get().size == len(packed)


#: The number of fields that settings allow takes long to send.
@pytest.mark.parametrize("most", [1_000, pytest.param(settings.DATA_UPLOAD_MAX_NUMBER_FIELDS, marks=pytest.mark.slow)])
def test_more_files_fields_and_bytes_than_a_form_has_are_refused_or_left(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    monkeypatch.setattr(settings, "DATA_UPLOAD_MAX_NUMBER_FIELDS", most)
    flow_id = publish(scene, PHOTO)
    more: dict[str, Any] = {f"photo{number}": SimpleUploadedFile("a.txt", b"x") for number in range(30)}
    assert send(scene, flow_id, {"note": "n", **more}).status_code == 303
    assert not LaunchFile.objects.exists()
    many = send(
        scene,
        flow_id,
        {"note": "n", **{f"f{number}": "x" for number in range(most + 1)}},
    )
    assert many.status_code in {400, 413}
    assert Launch.objects.count() == 1


BOMBS = [
    b"[" * 500_000,
    b'{"a":' * 200_000,
    b'{"a":' * 900 + b"1" + b"}" * 900,
    b'{"properties":' * 400 + b"{}" + b"}" * 400,
    b"9" * 100_000,
    b'{"n": 1e999999999}',
    b'"' + b"x" * 3_000_000 + b'"',
    json.dumps(
        {"type": "object", "properties": {f"f{number}": {"type": "string"} for number in range(20_000)}}
    ).encode(),
    json.dumps({"type": "object", "properties": {"x": {"type": "string", "pattern": "(a+)+$" * 50}}}).encode(),
    json.dumps({"$ref": "#", "allOf": [{"$ref": "#"}]}).encode(),
    json.dumps({"$ref": "file:///etc/passwd"}).encode(),
    json.dumps({"$ref": "http://169.254.169.254/latest"}).encode(),
    b"PK\x03\x04" + b"\0" * 1000,
    b"\xff\xfe\x00",
    b"\x1f\x8b" + gzip.compress(b"{" * 1_000_000),
    b"",
]


@pytest.mark.parametrize("content", BOMBS, ids=range(len(BOMBS)))
@pytest.mark.sampled(4)
def test_a_bomb_as_a_launch_form_is_refused_with_a_message(
    users: Users, owner: Client, stub_engine: StubEngine, content: bytes
) -> None:
    stub_engine.flows = [flow()]
    row = saved(users.owner)
    answer = owner.post(f"{BASE}import/", {"lock": row.lock, "file": SimpleUploadedFile("x.json", content)})
    assert answer.status_code == 422
    assert answer.context["typed"].errors
    assert "passwd:" not in answer.content.decode()
    assert LaunchForm.objects.get(flow_id=FLOW).lock == row.lock


@pytest.mark.parametrize("content", BOMBS, ids=range(len(BOMBS)))
@pytest.mark.sampled(4)
def test_a_bomb_as_a_flow_is_refused_with_a_message(
    users: Users, owner: Client, stub_engine: StubEngine, content: bytes
) -> None:
    page = owner.get("/w/sales/flows/do/import/")
    ticket = {page.context["ticket_name"]: page.context["ticket"]}
    answer = owner.post("/w/sales/flows/do/import/", {**ticket, "file": SimpleUploadedFile("x.json", content)})
    assert answer.status_code == 422
    assert [seen for seen in stub_engine.seen if seen.method != "GET"] == []
