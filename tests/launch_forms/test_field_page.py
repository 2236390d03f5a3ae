"""The page of one field of a launch form over HTTP: everything a builder can say about it, rows, places, mistakes, two tabs."""

from typing import Any

import pytest
from django.test import Client

from tests.engine.servers import Reply
from tests.launch_forms import builder_scene as scene
from tests.launch_forms.builder_scene import BASE, FORM
from tests.stub_engine import StubEngine, flow, text
from tests.users import Users
from workflows_ui.form_schema.document import (
    NOTHING,
    Choice,
    Column,
    Field,
    FieldKind,
    Form,
    ShowIf,
    TableChoices,
    When,
)

FIELD = f"{BASE}fields/"


@pytest.fixture(autouse=True)
def _flow(stub_engine: StubEngine) -> None:
    stub_engine.flows = [flow()]


def edited(owner: Client, name: str, **changes: Any) -> Any:
    page = owner.get(f"{FIELD}{name}/")
    assert page.status_code == 200
    return owner.post(f"{FIELD}{name}/", scene.filled(page) | changes)


def test_a_field_is_saved_as_it_was_where_nothing_was_changed(owner: Client, users: Users) -> None:
    scene.saved(users.owner)
    for field in FORM.fields:
        answer = edited(owner, field.name)
        assert answer.status_code == 303, text(answer.content)
    assert scene.draft(users.owner).fields == FORM.fields


def test_label_help_limits_group_place_and_search_are_kept(owner: Client, users: Users) -> None:
    scene.saved(users.owner)
    typed = {
        "label": "Amount in VND",
        "help": "Without tax",
        "required": "on",
        "low": "10",
        "high": "5000.5",
        "group": "Money",
        "position": "1",
        "folded": "on",
        "searchable": "on",
        "start": "filled",
        "value": "250",
    }
    assert edited(owner, "amount", **typed).status_code == 303
    found = scene.draft(users.owner).fields[0]
    assert (found.name, found.label, found.help, found.required) == ("amount", "Amount in VND", "Without tax", True)
    assert (found.limits.low, found.limits.high, found.default) == (10, 5000.5, 250)
    assert (found.group, found.folded, found.searchable) == ("Money", True, True)


def test_a_field_can_be_hidden_with_a_fixed_value(owner: Client, users: Users) -> None:
    scene.saved(users.owner)
    assert edited(owner, "amount", start="hidden", value="12", required="on").status_code == 303
    found = scene.draft(users.owner).field("amount")
    assert found is not None
    assert (found.hidden_value, found.default, found.required) == (12, NOTHING, False)


def test_choices_are_typed_in_rows_and_sent_as_what_they_are(owner: Client, users: Users) -> None:
    scene.saved(users.owner)
    rows = {
        "choice-TOTAL_FORMS": "4",
        **{f"choice-{number}-label": label for number, label in enumerate(["By mail", "", "Never", ""])},
        **{f"choice-{number}-value": value for number, value in enumerate(["mail", "12", "false", ""])},
        **{f"choice-{number}-sort": sort for number, sort in enumerate(["text", "number", "yes_no", "text"])},
    }
    assert edited(owner, "channel", **rows).status_code == 303
    found = scene.draft(users.owner).field("channel")
    assert found is not None
    assert found.choices == (Choice("By mail", "mail"), Choice("12", 12), Choice("Never", False))


def test_rows_are_added_and_removed_by_buttons_and_nothing_is_saved_by_that(owner: Client, users: Users) -> None:
    scene.saved(users.owner)
    page = owner.get(f"{FIELD}channel/")
    added = owner.post(f"{FIELD}channel/", scene.filled(page) | {"add-choice": "yes", "label": "Another name"})
    assert added.status_code == 200
    assert len(added.context["editor"].rows.forms) == 3
    assert "Another name" in text(added.content)
    removed = owner.post(f"{FIELD}channel/", scene.filled(added) | {"remove-choice": "0"})
    assert [row["label"].value() for row in removed.context["editor"].rows] == ["Zalo", None]
    assert scene.now(users.owner).lock == 1


def test_another_kind_shows_its_settings_before_anything_is_saved(owner: Client, users: Users) -> None:
    scene.saved(users.owner)
    page = owner.get(f"{FIELD}amount/")
    shown = owner.post(f"{FIELD}amount/", scene.filled(page) | {"kind": "table", "look": "yes"})
    assert "Columns of each row" in text(shown.content)
    assert "Correct what is marked" not in text(shown.content)
    rows = {
        "column-TOTAL_FORMS": "2",
        "column-0-key": "sku",
        "column-0-label": "Article",
        "column-0-required": "on",
        "column-1-key": "qty",
        "column-1-kind": "integer",
    }
    assert owner.post(f"{FIELD}amount/", scene.filled(shown) | rows).status_code == 303
    found = scene.draft(users.owner).field("amount")
    assert found is not None
    assert found.kind is FieldKind.TABLE
    assert found.columns == (
        Column("sku", "sku", "Article", FieldKind.TEXT, True),
        Column("qty", "qty", "", FieldKind.INTEGER),
    )


def test_choices_come_from_an_apps_property_whatever_its_others_are(
    owner: Client, users: Users, stub_engine: StubEngine
) -> None:
    changed = flow()
    settings = {"pieceName": "@x/piece-chat", "pieceVersion": "1.0.0", "actionName": "send", "input": {}}
    changed["version"]["trigger"]["nextAction"] = {"name": "step_1", "type": "PIECE", "settings": settings}
    stub_engine.flows = [changed]
    props = {"room": {"type": "DROPDOWN", "displayName": "Room"}, "odd": {"type": ["DROPDOWN"]}, "none": {"type": {}}}
    stub_engine.faults = {"/pieces/@x/piece-chat": Reply(200, {"name": "x", "actions": {"send": {"props": props}}})}
    scene.saved(users.owner)
    page = owner.get(f"{FIELD}channel/")
    shown = owner.post(f"{FIELD}channel/", scene.filled(page) | {"source": "app", "look": "yes"})
    assert shown.status_code == 200
    assert '<option value="step_1 room">step_1: Room</option>' in text(shown.content)
    assert "step_1 odd" not in text(shown.content)


def test_choices_come_from_a_tables_records(owner: Client, users: Users, stub_engine: StubEngine) -> None:
    stub_engine.rows["/tables"] = [{"id": "T1", "name": "Warehouses"}]
    stub_engine.rows["/fields"] = [
        {"id": "C1", "name": "Name", "type": "TEXT"},
        {"id": "C2", "name": "Code", "type": "TEXT"},
    ]
    stub_engine.arrays.add("/fields")
    scene.saved(users.owner)
    page = owner.get(f"{FIELD}channel/")
    first = owner.post(f"{FIELD}channel/", scene.filled(page) | {"source": "table", "look": "yes"})
    assert "Warehouses" in text(first.content)
    second = owner.post(f"{FIELD}channel/", scene.filled(first) | {"table": "T1", "look": "yes"})
    assert "Code" in text(second.content)
    unfinished = owner.post(f"{FIELD}channel/", scene.filled(second))
    assert unfinished.status_code == 422
    assert "Choose the column that people read" in text(unfinished.content)
    typed = {"table_label": "C1", "table_value": "C2"}
    assert owner.post(f"{FIELD}channel/", scene.filled(second) | typed).status_code == 303
    found = scene.draft(users.owner).field("channel")
    assert found is not None
    assert found.choices_from == TableChoices("T1", "C1", "C2")


def test_a_pattern_is_tried_before_it_is_saved(owner: Client, users: Users) -> None:
    scene.saved(users.owner)
    page = owner.get(f"{FIELD}customer.name/")
    trying = scene.filled(page) | {"pattern": "[A-Z]{2}-\\d+", "pattern_try": "HN-12", "try": "yes"}
    assert "“HN-12” matches." in text(owner.post(f"{FIELD}customer.name/", trying).content)
    failing = trying | {"pattern_try": "hn"}
    assert "“hn” does not match." in text(owner.post(f"{FIELD}customer.name/", failing).content)
    broken = edited(owner, "customer.name", pattern="([a")
    assert broken.status_code == 422
    assert "This pattern cannot be read" in text(broken.content)


@pytest.mark.parametrize(
    ("name", "typed", "said"),
    [
        ("amount", {"low": "5", "high": "3"}, "The lower limit is above the upper one."),
        ("amount", {"low": "a lot"}, "id_low_error"),
        ("amount", {"start": "filled", "value": ""}, "Enter the value that the field starts with."),
        ("amount", {"start": "filled", "value": "1.500"}, "This could be two numbers."),
        ("amount", {"kind": "date", "start": "filled", "value": "31.31.2026"}, "id_value_error"),
        ("amount", {"kind": "email", "start": "filled", "value": "x"}, "Enter an email address"),
        ("amount", {"kind": "choice", "source": "app"}, "Choose the field of an app"),
        ("amount", {"kind": "choice", "source": "table"}, "Choose the table that the choices come from."),
        ("amount", {"kind": "choice", "source": "typed"}, "There are no choices yet."),
        ("amount", {"kind": "table"}, "A table of rows needs at least one column."),
        ("amount", {"kind": "file", "accept": "pdf, *.*"}, "is not a file extension"),
        ("amount", {"rule_field": "channel", "rule_test": "is", "rule_value": "fax"}, "is not among the choices"),
        ("channel", {"start": "filled", "value": "fax"}, "is not among the choices (By mail, Zalo)"),
        (
            "channel",
            {"choice-0-value": "mail", "choice-1-value": "mail", "choice-1-sort": "text"},
            "This value is already listed above.",
        ),
        ("channel", {"choice-0-sort": "number"}, "choice-error-0"),
    ],
)
def test_what_makes_no_sense_is_refused_at_its_place_and_nothing_typed_is_lost(
    owner: Client, users: Users, name: str, typed: dict[str, Any], said: str
) -> None:
    scene.saved(users.owner)
    answer = edited(owner, name, help="Do not lose this", **typed)
    page = text(answer.content)
    assert answer.status_code == 422
    assert said in page
    assert "Do not lose this" in page
    assert scene.now(users.owner).lock == 1


def test_a_rule_shows_a_field_only_sometimes_and_never_in_a_circle(owner: Client, users: Users) -> None:
    scene.saved(users.owner)
    assert edited(owner, "amount", rule_field="channel", rule_test="is", rule_value="Zalo").status_code == 303
    found = scene.draft(users.owner).field("amount")
    assert found is not None
    assert found.show_if == ShowIf("channel", When.IS, 7)
    assert "Only if “Channel” is “Zalo”" in text(owner.get(BASE).content)
    circle = edited(owner, "channel", rule_field="amount", rule_test="filled")
    assert circle.status_code == 422
    assert "Choose another one" in text(circle.content)


def test_a_field_is_added_by_hand_also_where_there_is_no_form_yet(owner: Client, users: Users) -> None:
    page = owner.get(FIELD)
    typed = scene.filled(page) | {"where": "customer.phone", "kind": "phone", "label": "Phone"}
    assert owner.post(FIELD, typed).status_code == 303
    (found,) = scene.draft(users.owner).fields
    assert (found.name, found.path, found.kind) == ("customer.phone", ("customer", "phone"), FieldKind.PHONE)
    again = owner.post(FIELD, scene.filled(owner.get(FIELD)) | {"where": "customer", "kind": "text"})
    assert again.status_code == 422
    assert "already fills this place" in text(again.content)


def test_somebody_elses_change_is_shown_and_what_was_typed_is_kept_and_can_be_saved(
    owner: Client, users: Users
) -> None:
    scene.saved(users.owner)
    page = owner.get(f"{FIELD}amount/")
    scene.saved(users.owner, scene.draft(users.owner).without("channel"))
    typed = scene.filled(page) | {"label": "Price"}
    answer = owner.post(f"{FIELD}amount/", typed)
    assert answer.status_code == 422
    assert "owner changed this form meanwhile" in text(answer.content)
    assert "Price" in text(answer.content)
    assert owner.post(f"{FIELD}amount/", typed | {"lock": answer.context["lock"]}).status_code == 303
    assert [field.shown_label for field in scene.draft(users.owner).fields] == ["Name", "Price"]


def test_choices_of_a_column_are_typed_one_a_line(owner: Client, users: Users) -> None:
    columns = (Column("size", "size", kind=FieldKind.CHOICE, choices=(Choice("Small", 1), Choice("Large", 2))),)
    scene.saved(users.owner, Form((Field("rows", ("rows",), kind=FieldKind.TABLE, columns=columns),)))
    page = owner.get(f"{FIELD}rows/")
    assert "Small = 1\nLarge = 2</textarea>" in page.content.decode()
    typed = scene.filled(page) | {
        "column-TOTAL_FORMS": "2",
        "column-0-choices": "Small = 1\r\nHuge = 30\r\n",
        "column-1-key": "tea",
        "column-1-kind": "choice",
        "column-1-choices": "Green = TRA-01\nBlack\n",
    }
    assert owner.post(f"{FIELD}rows/", typed).status_code == 303
    (found,) = scene.draft(users.owner).fields
    assert found.columns[0].choices == (Choice("Small", 1), Choice("Huge", 30))
    assert found.columns[1].choices == (Choice("Green", "TRA-01"), Choice("Black", "Black"))
    for choices, said in (
        ("", "Enter the choices, one per line."),
        ("x = 1\nb = 1", "is sent by two of the choices"),
        ("Huge = many", "column-error-0"),
    ):
        refused = owner.post(f"{FIELD}rows/", typed | {"column-0-choices": choices, "column-1-choices": "x"})
        assert refused.status_code == 422
        assert said in text(refused.content)


def test_a_field_of_ones_own_goes_elsewhere_and_one_that_the_flow_reads_does_not(owner: Client, users: Users) -> None:
    scene.saved(users.owner)
    clash = edited(owner, "amount", where="customer.name.first")
    assert clash.status_code == 422
    assert "already fills this place (customer › name)" in text(clash.content)
    assert edited(owner, "amount", where="order.amount").status_code == 303
    found = scene.draft(users.owner).field("amount")
    assert found is not None
    assert found.path == ("order", "amount")
    assert 'name="where"' not in text(owner.get(f"{FIELD}customer.name/").content)
    edited(owner, "customer.name", where="elsewhere")
    found = scene.draft(users.owner).field("customer.name")
    assert found is not None
    assert found.path == ("customer", "name")


def test_a_row_that_was_added_is_where_one_goes_on(owner: Client, users: Users) -> None:
    scene.saved(users.owner)
    page = owner.get(f"{FIELD}channel/")
    assert "autofocus" not in text(page.content)
    added = text(owner.post(f"{FIELD}channel/", scene.filled(page) | {"add-choice": "yes"}).content)
    assert 'autofocus aria-label="Choice 3: what people read"' in added
    removed = text(owner.post(f"{FIELD}channel/", scene.filled(page) | {"remove-choice": "0"}).content)
    assert 'id="add-choice" autofocus' in removed


def test_a_column_that_is_taken_away_takes_its_own_values_along(owner: Client, users: Users) -> None:
    columns = (
        Column("a", "a", "First"),
        Column("b", "b", required=True),
        Column("c", "c", kind=FieldKind.CHOICE, choices=(Choice("Tea", "TRA-01"),)),
    )
    scene.saved(users.owner, Form((Field("rows", ("rows",), kind=FieldKind.TABLE, columns=columns),)))
    page = owner.get(f"{FIELD}rows/")
    fewer = owner.post(f"{FIELD}rows/", scene.filled(page) | {"remove-column": "0"})
    assert owner.post(f"{FIELD}rows/", scene.filled(fewer)).status_code == 303
    assert scene.draft(users.owner).fields[0].columns == columns[1:]


@pytest.mark.parametrize("total", ["", "x", "-1", "999", "99999999999999999999"])
@pytest.mark.parametrize("number", ["", "x", "500", "99999999999999999999"])
@pytest.mark.sampled(4)
def test_numbers_of_rows_that_no_page_sends_break_nothing(owner: Client, users: Users, total: str, number: str) -> None:
    scene.saved(users.owner)
    typed = scene.filled(owner.get(f"{FIELD}channel/")) | {"choice-TOTAL_FORMS": total, "remove-choice": number}
    assert owner.post(f"{FIELD}channel/", typed).status_code in {200, 422}
    assert scene.now(users.owner).lock == 1
