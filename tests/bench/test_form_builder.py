"""How long the pages of a form's builder take on the server with a hundred fields. Prints figures, asserts only that the pages came."""

import pytest
from django.test import Client

from tests.bench.test_pages import measured
from tests.launch_forms import builder_scene as scene
from tests.launch_forms.builder_scene import BASE
from tests.stub_engine import StubEngine, flow, stub_engine, users
from tests.users import Users
from workflows_ui.form_schema.document import Choice, Field, FieldKind, Form, ShowIf, When, Why

__all__ = ["stub_engine", "users"]
_KINDS = (FieldKind.TEXT, FieldKind.NUMBER, FieldKind.DATE, FieldKind.CHOICE, FieldKind.LONG_TEXT)


def _field(number: int) -> Field:
    kind = _KINDS[number % len(_KINDS)]
    choices = tuple(Choice(f"Choice {one}", one) for one in range(10)) if kind is FieldKind.CHOICE else ()
    why = Why(("Send the offer", "Write to Orders"), 48, 50, 30, sample=True)
    rule = ShowIf("field_0", When.FILLED) if number % 7 == 3 else None
    return Field(f"field_{number}", ("group", f"field_{number}"), kind=kind, choices=choices, why=why, show_if=rule)


def test_a_hundred_fields(users: Users, stub_engine: StubEngine, capsys: pytest.CaptureFixture[str]) -> None:
    stub_engine.flows = [flow()]
    form = Form(tuple(_field(number) for number in range(100)))
    scene.published(users.owner, form)
    scene.saved(users.owner, form.moved("field_50", -10).without("field_99"))
    browser = Client()
    browser.force_login(users.owner)

    def get(path: str) -> None:
        assert browser.get(f"{BASE}{path}").status_code == 200

    def move() -> None:
        headers = {"HX-Request": "true", "HX-Target": "fields"}
        lock = scene.now(users.owner).lock
        answer = browser.post(f"{BASE}change/", {"lock": lock, "move-up": "field_60"}, headers=headers, follow=True)
        assert answer.status_code == 200

    with capsys.disabled():
        print()
        for name, path in (
            ("builder", ""),
            ("one field", "fields/field_3/"),
            ("preview", "preview/"),
            ("what changes", "publish/"),
            ("difference", "difference/?old=1"),
        ):
            measured(f"{name}, 100 fields", lambda path=path: get(path), rounds=20)  # type: ignore[misc]
        measured("a field moved, 100 fields", move, rounds=20)
