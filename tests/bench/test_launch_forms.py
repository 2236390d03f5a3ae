"""How long a launch form with 100 fields takes on the server, shown and taken. Prints figures, asserts only that the pages came."""

from collections.abc import Callable

import pytest

from tests.bench.test_pages import measured
from tests.launch_forms.filled import hidden, opened, publish
from tests.launches.launch_scene import Scene
from workflows_ui.form_schema.document import Choice, Column, Field, FieldKind, Form, Limits, ShowIf

KINDS = [
    FieldKind.TEXT,
    FieldKind.LONG_TEXT,
    FieldKind.NUMBER,
    FieldKind.YES_NO,
    FieldKind.DATE,
    FieldKind.CHOICE,
    FieldKind.EMAIL,
    FieldKind.LIST,
    FieldKind.CHOICES,
]
CHOICES = tuple(Choice(f"Choice {number}", number) for number in range(12))


def _field(number: int) -> Field:
    kind = KINDS[number % len(KINDS)]
    return Field(
        f"field{number}",
        (f"group{number // 10}", f"key{number}"),
        label=f"Field {number}",
        help="Description.",
        example="an example",
        kind=kind,
        group=f"Group {number // 10}" if number % 2 else "",
        folded=number % 7 == 0,
        choices=CHOICES if kind in (FieldKind.CHOICE, FieldKind.CHOICES) else (),
        limits=Limits(max_length=100) if kind is FieldKind.TEXT else Limits(),
        show_if=ShowIf("field0", value="x") if number % 11 == 10 else None,
    )


TABLE = Field("rows", ("rows",), kind=FieldKind.TABLE, columns=tuple(Column(f"c{at}", f"c{at}") for at in range(5)))
HUNDRED = Form((*(_field(number) for number in range(99)), TABLE))


@pytest.fixture
def scene(db: None) -> Scene:
    return Scene()


def test_a_form_of_100_fields(scene: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    flow = publish(scene, HUNDRED)
    url = scene.url(flow)
    values = {**hidden(opened(scene, flow)), **{f"field{number}": "1" for number in range(0, 99, 3)}}
    rows = {f"rows[{row}][c{at}]": "x" for row in range(20) for at in range(5)}

    def get() -> None:
        assert scene.browser.get(url).status_code == 200

    def refused() -> None:
        assert scene.browser.post(url, {**values, **rows}).status_code == 422

    def added() -> None:
        assert scene.browser.post(url, {**values, **rows, "_add": "rows"}).status_code == 200

    pages: list[tuple[str, Callable[[], None]]] = [
        ("100 fields, shown", get),
        ("100 fields, refused", refused),
        ("100 fields, one more row of 20", added),
    ]
    with capsys.disabled():
        print()
        for name, act in pages:
            measured(name, act, rounds=15)
    scene.close()
