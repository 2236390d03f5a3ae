"""A field is checked again when it is left, alone, by the same rules as the whole form; errors of a table name row and column."""

from typing import Any

import pytest
from django.conf import settings

from tests.launch_forms.filled import hidden, opened, publish, send
from tests.launches.launch_scene import Scene, text_of, unescape
from workflows_ui.form_schema.document import Column, Field, FieldKind, Form, ShowIf
from workflows_ui.launch_forms.models import LaunchFormVersion
from workflows_ui.launches.models import Launch

FORM = Form(
    (
        Field("customer", ("customer",), required=True),
        Field("amount", ("amount",), kind=FieldKind.NUMBER, show_if=ShowIf("customer", value="An"), required=True),
        Field("door", ("door",), kind=FieldKind.SECRET),
        Field(
            "rows",
            ("rows",),
            kind=FieldKind.TABLE,
            columns=(
                Column("sku", "sku", "SKU", required=True),
                Column("qty", "qty", "Quantity", kind=FieldKind.INTEGER),
            ),
        ),
    )
)


def _left(scene: Scene, flow: str, name: str, **typed: Any) -> dict[str, str]:
    shown = hidden(text_of(scene.browser.get(scene.url(flow))))
    answer = scene.browser.post(scene.url(flow), {"_version": shown["_version"], **typed, "_check": name})
    assert answer.status_code == 200
    found: dict[str, str] = answer.json()
    return found


@pytest.mark.parametrize(
    ("name", "typed", "errors"),
    [
        ("customer", {"customer": ""}, {"customer": "Fill in this field."}),
        ("customer", {"customer": "An"}, {"customer": ""}),
        ("amount", {"amount": "many"}, {"amount": "Enter a number, such as 12 or 12.5."}),
        ("amount", {"amount": "12"}, {"amount": ""}),
        ("door", {"door": "x"}, {}),
        ("gone", {"gone": "x"}, {}),
    ],
)
def test_one_field_is_checked_alone(scene: Scene, name: str, typed: dict[str, str], errors: dict[str, str]) -> None:
    found = _left(scene, publish(scene, FORM), name, **typed)
    assert found.keys() == errors.keys()
    assert all(bool(found[key]) == bool(errors[key]) for key in errors)
    assert not Launch.objects.exists()


def test_a_cell_is_checked_with_its_row(scene: Scene) -> None:
    found = _left(scene, publish(scene, FORM), "rows", **{"rows[0][sku]": "A", "rows[0][qty]": "1.5"})
    assert found["rows[0][sku]"] == "" != found["rows[0][qty]"]


def test_a_form_that_was_replaced_meanwhile_judges_nothing(scene: Scene) -> None:
    flow = publish(scene, FORM)
    answer = scene.browser.post(scene.url(flow), {"_version": "0", "customer": "", "_check": "customer"})
    assert (answer.status_code, answer.json()) == (200, {})
    assert LaunchFormVersion.objects.count() == 1


def test_an_error_in_a_table_names_row_and_column_and_links_to_the_cell(scene: Scene) -> None:
    flow = publish(scene, FORM)
    answer = send(scene, flow, {"customer": "Bo", "rows[0][sku]": "A", "rows[1][sku]": "B", "rows[1][qty]": "x"})
    assert answer.status_code == 422
    page = unescape(text_of(answer))
    assert '<a href="#field-3-1-1">Row 2, Quantity</a>' in page
    assert 'id="field-3-1-1"' in page
    assert 'aria-describedby="field-3-1-1-error"' in page


def test_earlier_launches_are_loaded_after_the_form_which_asks_no_more_for_them(scene: Scene) -> None:
    flow = publish(scene, FORM)
    assert 'hx-get="/w/sales/flows/' in opened(scene, flow)
    assert send(scene, flow, {"customer": "An", "amount": "12", "door": "open sesame"}).status_code == 303
    page = text_of(
        scene.browser.get(f"{scene.url(flow)}earlier/", headers={"HX-Request": "true", "HX-Target": "earlier"})
    )
    assert page.strip().startswith('<div id="earlier">')
    assert "Customer: An, Amount: 12" in page
    assert "sesame" not in page


@pytest.mark.parametrize(
    ("language", "typed", "understood"),
    [
        ("vi", "120.000", "= 120\u00a0000"),
        ("vi", "1.234,5", "= 1\u00a0234,5"),
        ("en", "120,000.5", "= 120\u00a0000.5"),
        ("en", "1e3", "= 1\u00a0000"),
        ("en", "120 000", None),
        ("en", "12", None),
        ("en", "120,000", None),
    ],
)
def test_how_a_typed_number_is_understood_is_said_where_it_could_be_read_differently(
    scene: Scene, language: str, typed: str, understood: str | None
) -> None:
    scene.browser.cookies[settings.LANGUAGE_COOKIE_NAME] = language
    flow = publish(scene, FORM)
    assert _left(scene, flow, "amount", amount=typed).get("amount=") == understood
    page = text_of(scene.browser.post(scene.url(flow), {"_version": "1", "amount": typed}))
    assert (f">{understood}</small>" in page) is (understood is not None)
