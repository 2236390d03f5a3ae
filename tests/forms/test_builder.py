"""The builder of a launch form over HTTP: fields moved, edited, added and removed; two tabs; publishing; versions; files."""

import dataclasses
import json
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from tests.cast import Cast
from tests.forms import builder_scene as scene
from tests.forms.builder_scene import BASE, FLOW, FORM
from tests.shelf import Shelf, flow, text
from workflows_ui.forming.document import (
    NOTHING,
    Blank,
    Choice,
    Column,
    Field,
    Form,
    Kind,
    Limits,
    Moment,
    ShowIf,
    TableChoices,
    When,
)
from workflows_ui.kit import form_words
from workflows_ui.models import AuditEvent, Launch, LaunchForm
from workflows_ui.services import launch_forms

FIELD = f"{BASE}fields/"


@pytest.fixture(autouse=True)
def _flow(shelf: Shelf) -> None:
    shelf.flows = [flow()]


def names(cast: Cast) -> list[str]:
    return [field.name for field in scene.draft(cast.owner).fields]


def edited(owner: Client, name: str, **changes: Any) -> Any:
    page = owner.get(f"{FIELD}{name}/")
    assert page.status_code == 200
    return owner.post(f"{FIELD}{name}/", scene.filled(page) | changes)


def test_without_a_form_a_proposal_is_offered(owner: Client) -> None:
    page = text(owner.get(BASE).content)
    assert "This flow has no launch form yet" in page
    assert "Propose a form" in page


def test_each_field_shows_its_kind_its_place_and_why_it_is_there(owner: Client, cast: Cast) -> None:
    scene.saved(cast.owner)
    page = text(owner.get(BASE).content)
    assert "customer › name" in page
    assert "In 48 of 50 past launches; 3 different values seen; read by Send the offer" in page
    assert "2 choices" in page
    assert "Draft: launchers do not see it" in page


def test_the_page_stands_while_the_engine_does_not(owner: Client, cast: Cast, shelf: Shelf) -> None:
    scene.saved(cast.owner)
    shelf.flows = []
    page = text(owner.get(BASE).content)
    assert "The engine cannot be asked about the flow" in page
    assert "3 fields" in page


def test_a_field_is_moved_up_and_down_and_no_further_than_the_ends(owner: Client, cast: Cast) -> None:
    scene.saved(cast.owner)
    answer = owner.post(f"{BASE}change/", {"lock": 1, "move-down": "customer.name"})
    assert answer.status_code == 303
    assert names(cast) == ["amount", "customer.name", "channel"]
    page = text(owner.get(answer["Location"]).content)
    assert "“Name” now stands at place 2 of 3." in page
    owner.post(f"{BASE}change/", {"lock": 2, "move-up": "amount"})
    assert names(cast) == ["amount", "customer.name", "channel"]


def test_with_htmx_only_the_list_comes_back(owner: Client, cast: Cast) -> None:
    scene.saved(cast.owner)
    headers = {"HX-Request": "true", "HX-Target": "fields"}
    answer = owner.post(f"{BASE}change/", {"lock": 1, "move-down": "amount"}, headers=headers, follow=True)
    page = text(answer.content)
    assert page.startswith('<form class="card mb-3 field-list" id="fields"')
    assert '<input type="hidden" name="lock" value="2">' in page


def test_a_second_tab_is_told_and_moves_nothing(owner: Client, cast: Cast) -> None:
    scene.saved(cast.owner)
    scene.saved(cast.owner, FORM.without("amount"))
    answer = owner.post(f"{BASE}change/", {"lock": 1, "move-down": "customer.name"}, follow=True)
    assert "owner changed this form meanwhile" in text(answer.content)
    assert names(cast) == ["customer.name", "channel"]


def test_a_field_is_removed_unless_another_one_depends_on_it(owner: Client, cast: Cast) -> None:
    form = FORM.with_field(Field("note", ("note",), show_if=ShowIf("channel", When.IS, "mail")))
    scene.saved(cast.owner, form)
    answer = owner.post(f"{BASE}change/", {"lock": 1, "take-out": "channel"}, follow=True)
    assert "decides whether “Note” is shown" in text(answer.content)
    owner.post(f"{BASE}change/", {"lock": 1, "take-out": "amount"})
    assert names(cast) == ["customer.name", "channel", "note"]


def test_a_field_is_saved_as_it_was_where_nothing_was_changed(owner: Client, cast: Cast) -> None:
    scene.saved(cast.owner)
    for field in FORM.fields:
        answer = edited(owner, field.name)
        assert answer.status_code == 303, text(answer.content)
    assert scene.draft(cast.owner).fields == FORM.fields


def test_label_help_limits_group_place_and_search_are_kept(owner: Client, cast: Cast) -> None:
    scene.saved(cast.owner)
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
    found = scene.draft(cast.owner).fields[0]
    assert (found.name, found.label, found.help, found.required) == ("amount", "Amount in VND", "Without tax", True)
    assert (found.limits.low, found.limits.high, found.default) == (10, 5000.5, 250)
    assert (found.group, found.folded, found.searchable) == ("Money", True, True)


def test_a_field_can_be_hidden_with_a_fixed_value(owner: Client, cast: Cast) -> None:
    scene.saved(cast.owner)
    assert edited(owner, "amount", start="hidden", value="12", required="on").status_code == 303
    found = scene.draft(cast.owner).field("amount")
    assert found is not None
    assert (found.hidden_value, found.default, found.required) == (12, NOTHING, False)


def test_choices_are_typed_in_rows_and_sent_as_what_they_are(owner: Client, cast: Cast) -> None:
    scene.saved(cast.owner)
    rows = {
        "choice_label": ["By mail", "", "Never", ""],
        "choice_value": ["mail", "12", "false", ""],
        "choice_sort": ["text", "number", "yes_no", "text"],
        "choice_was": ["", "", "", ""],
    }
    assert edited(owner, "channel", **rows).status_code == 303
    found = scene.draft(cast.owner).field("channel")
    assert found is not None
    assert found.choices == (Choice("By mail", "mail"), Choice("12", 12), Choice("Never", False))


def test_rows_are_added_and_removed_by_buttons_and_nothing_is_saved_by_that(owner: Client, cast: Cast) -> None:
    scene.saved(cast.owner)
    page = owner.get(f"{FIELD}channel/")
    added = owner.post(f"{FIELD}channel/", scene.filled(page) | {"add-choice": "yes", "label": "Another name"})
    assert added.status_code == 200
    assert len(added.context["editor"].choice_rows) == 3
    assert "Another name" in text(added.content)
    removed = owner.post(f"{FIELD}channel/", scene.filled(added) | {"remove-choice": "0"})
    assert [row.label for row in removed.context["editor"].choice_rows] == ["Zalo", ""]
    assert scene.now(cast.owner).lock == 1


def test_another_kind_shows_its_settings_before_anything_is_saved(owner: Client, cast: Cast) -> None:
    scene.saved(cast.owner)
    page = owner.get(f"{FIELD}amount/")
    shown = owner.post(f"{FIELD}amount/", scene.filled(page) | {"kind": "table", "look": "yes"})
    assert "Columns of each row" in text(shown.content)
    assert "Correct what is marked" not in text(shown.content)
    rows = {
        "column_key": ["sku", "qty"],
        "column_label": ["Article", ""],
        "column_kind": ["text", "integer"],
        "column_name": ["", ""],
        "column_required": ["0"],
    }
    assert owner.post(f"{FIELD}amount/", scene.filled(shown) | rows).status_code == 303
    found = scene.draft(cast.owner).field("amount")
    assert found is not None
    assert found.kind is Kind.TABLE
    assert found.columns == (Column("sku", "sku", "Article", Kind.TEXT, True), Column("qty", "qty", "", Kind.INTEGER))


def test_choices_come_from_a_tables_records(owner: Client, cast: Cast, shelf: Shelf) -> None:
    shelf.rows["/tables"] = [{"id": "T1", "name": "Warehouses"}]
    shelf.rows["/fields"] = [{"id": "C1", "name": "Name", "type": "TEXT"}, {"id": "C2", "name": "Code", "type": "TEXT"}]
    shelf.arrays.add("/fields")
    scene.saved(cast.owner)
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
    found = scene.draft(cast.owner).field("channel")
    assert found is not None
    assert found.choices_from == TableChoices("T1", "C1", "C2")


def test_a_pattern_is_tried_before_it_is_saved(owner: Client, cast: Cast) -> None:
    scene.saved(cast.owner)
    page = owner.get(f"{FIELD}customer.name/")
    trying = scene.filled(page) | {"pattern": "[A-Z]{2}-\\d+", "pattern_try": "HN-12", "try": "yes"}
    assert "“HN-12” fits." in text(owner.post(f"{FIELD}customer.name/", trying).content)
    failing = trying | {"pattern_try": "hn"}
    assert "“hn” does not fit." in text(owner.post(f"{FIELD}customer.name/", failing).content)
    broken = edited(owner, "customer.name", pattern="([a")
    assert broken.status_code == 422
    assert "This pattern cannot be read" in text(broken.content)


@pytest.mark.parametrize(
    ("name", "typed", "said"),
    [
        ("amount", {"low": "5", "high": "3"}, "The lower limit is above the upper one."),
        ("amount", {"low": "a lot"}, "id_low_error"),
        ("amount", {"start": "filled", "value": ""}, "Type the value that the field starts with."),
        ("amount", {"start": "filled", "value": "1.500"}, "This could be two numbers."),
        ("amount", {"kind": "date", "start": "filled", "value": "31.31.2026"}, "id_value_error"),
        ("amount", {"kind": "email", "start": "filled", "value": "x"}, "Type an e-mail address"),
        ("amount", {"kind": "choice", "source": "app"}, "Choose the field of an app"),
        ("amount", {"kind": "choice", "source": "table"}, "Choose the table that the choices come from."),
        ("amount", {"kind": "choice", "source": "typed"}, "There are no choices yet."),
        ("amount", {"kind": "table"}, "A table of rows needs at least one column."),
        ("amount", {"kind": "file", "accept": "pdf, *.*"}, "is no ending of a file name"),
        ("amount", {"rule_field": "channel", "rule_test": "is", "rule_value": "fax"}, "is not among the choices"),
        ("channel", {"start": "filled", "value": "fax"}, "is not among the choices (By mail, Zalo)"),
        (
            "channel",
            {"choice_value": ["mail", "mail"], "choice_sort": ["text", "text"]},
            "This value stands above already.",
        ),
        ("channel", {"choice_sort": ["number", "text"]}, "choice-error-0"),
    ],
)
def test_what_makes_no_sense_is_refused_at_its_place_and_nothing_typed_is_lost(
    owner: Client, cast: Cast, name: str, typed: dict[str, Any], said: str
) -> None:
    scene.saved(cast.owner)
    answer = edited(owner, name, help="Do not lose this", **typed)
    page = text(answer.content)
    assert answer.status_code == 422
    assert said in page
    assert "Do not lose this" in page
    assert scene.now(cast.owner).lock == 1


def test_a_rule_shows_a_field_only_sometimes_and_never_in_a_circle(owner: Client, cast: Cast) -> None:
    scene.saved(cast.owner)
    assert edited(owner, "amount", rule_field="channel", rule_test="is", rule_value="Zalo").status_code == 303
    found = scene.draft(cast.owner).field("amount")
    assert found is not None
    assert found.show_if == ShowIf("channel", When.IS, 7)
    assert "Only where “Channel” is “7”" in text(owner.get(BASE).content)
    circle = edited(owner, "channel", rule_field="amount", rule_test="filled")
    assert circle.status_code == 422
    assert "Choose another one" in text(circle.content)


def test_a_field_is_added_by_hand_also_where_there_is_no_form_yet(owner: Client, cast: Cast) -> None:
    page = owner.get(FIELD)
    typed = scene.filled(page) | {"where": "customer.phone", "kind": "phone", "label": "Phone"}
    assert owner.post(FIELD, typed).status_code == 303
    (found,) = scene.draft(cast.owner).fields
    assert (found.name, found.path, found.kind) == ("customer.phone", ("customer", "phone"), Kind.PHONE)
    again = owner.post(FIELD, scene.filled(owner.get(FIELD)) | {"where": "customer", "kind": "text"})
    assert again.status_code == 422
    assert "already fills this place" in text(again.content)


def test_somebody_elses_change_is_told_and_what_was_typed_is_kept_and_can_be_saved(owner: Client, cast: Cast) -> None:
    scene.saved(cast.owner)
    page = owner.get(f"{FIELD}amount/")
    scene.saved(cast.owner, scene.draft(cast.owner).without("channel"))
    typed = scene.filled(page) | {"label": "Price"}
    told = owner.post(f"{FIELD}amount/", typed)
    assert told.status_code == 422
    assert "owner changed this form meanwhile" in text(told.content)
    assert "Price" in text(told.content)
    assert owner.post(f"{FIELD}amount/", typed | {"lock": told.context["lock"]}).status_code == 303
    assert [field.shown_label for field in scene.draft(cast.owner).fields] == ["Name", "Price"]


def test_note_and_button_are_saved(owner: Client, cast: Cast) -> None:
    scene.saved(cast.owner)
    assert owner.post(f"{BASE}words/", {"lock": 1, "note": "**Read** this", "button": "Send"}).status_code == 303
    found = scene.draft(cast.owner)
    assert (found.note, found.button) == ("**Read** this", "Send")
    assert "<strong>Read</strong>" in text(owner.get(f"{BASE}preview/").content)
    stale = owner.post(f"{BASE}words/", {"lock": 1, "note": "Mine", "button": ""})
    assert stale.status_code == 422
    assert "Mine" in text(stale.content)


def test_publishing_says_what_changes_for_launchers(owner: Client, cast: Cast) -> None:
    scene.published(cast.owner)
    scene.saved(cast.owner, FORM.without("amount").moved("channel", -1))
    page = text(owner.get(f"{BASE}publish/").content)
    assert "Removed" in page
    assert "Moved" in page
    lock = scene.now(cast.owner).lock
    stale = owner.post(f"{BASE}publish/", {"lock": lock - 1, "words": "Shorter"})
    assert stale.status_code == 422
    assert "Shorter" in text(stale.content)
    assert owner.post(f"{BASE}publish/", {"lock": lock, "words": "Shorter"}).status_code == 303
    row = scene.now(cast.owner)
    assert row.published is not None
    assert (row.published.number, row.published.words) == (2, "Shorter")
    assert "Shorter" in text(owner.get(BASE).content)
    assert AuditEvent.objects.filter(action="form.publish").count() == 2


def test_an_old_version_becomes_the_draft_and_differences_are_told(owner: Client, cast: Cast) -> None:
    scene.published(cast.owner)
    scene.published(cast.owner, FORM.without("amount"))
    page = text(owner.get(f"{BASE}difference/?old=1&new=2").content)
    assert "Amount" in page
    assert "Removed" in page
    assert "Use version 1 as the draft" in text(owner.get(f"{BASE}versions/1/restore/").content)
    assert owner.post(f"{BASE}versions/1/restore/", {"lock": scene.now(cast.owner).lock}).status_code == 303
    assert scene.draft(cast.owner) == FORM
    assert owner.get(f"{BASE}versions/9/restore/").status_code == 404


def test_a_form_is_taken_away_and_a_draft_discarded_after_a_question(owner: Client, cast: Cast) -> None:
    scene.published(cast.owner)
    scene.saved(cast.owner, FORM.without("amount"))
    for deed in ("discard", "unpublish"):
        assert "Leave it as it is" in text(owner.get(f"{BASE}{deed}/").content)
        assert owner.post(f"{BASE}{deed}/", {"lock": 1}).status_code == 422
        assert owner.post(f"{BASE}{deed}/", {"lock": scene.now(cast.owner).lock}).status_code == 303
    assert scene.now(cast.owner).published is None
    assert scene.draft(cast.owner) == FORM


def test_a_form_goes_out_as_a_file_and_comes_back_the_same(owner: Client, cast: Cast) -> None:
    scene.published(cast.owner)
    answer = owner.get(f"{BASE}export/?version=1")
    assert answer["Content-Type"].startswith("application/schema+json")
    LaunchForm.objects.update(published=None)
    LaunchForm.objects.all().delete()
    file = SimpleUploadedFile("form.json", answer.content)
    assert owner.post(f"{BASE}import/", {"lock": "", "file": file}).status_code == 303
    assert scene.draft(cast.owner) == FORM
    assert AuditEvent.objects.filter(action="form.export").count() == 1


@pytest.mark.parametrize(
    "content", [b"{", b"\xff\xfe", b'{"type": "object", "properties": {"a": {"$ref": "#/b"}}}', b"[]"]
)
def test_a_file_that_is_no_form_is_refused_in_words(owner: Client, cast: Cast, content: bytes) -> None:
    answer = owner.post(f"{BASE}import/", {"lock": "", "file": SimpleUploadedFile("form.json", content)})
    assert answer.status_code == 422
    assert "invalid-feedback" in text(answer.content)
    assert launch_forms.of(cast.workspace, FLOW) is None


def test_names_of_any_kind_are_shown_as_text(owner: Client, cast: Cast) -> None:
    odd = "<script>alert(1)</script>" + "x" * 150
    form = Form((Field("a", (odd,), label=odd, help=odd, group=odd), Field("b", ("Địa chỉ",))))
    scene.saved(cast.owner, form)
    for url in (BASE, f"{FIELD}a/", f"{FIELD}b/", f"{BASE}publish/", f"{BASE}preview/"):
        page = owner.get(url)
        assert page.status_code == 200
        assert "<script>alert" not in page.content.decode()


def test_a_preview_is_tried_without_launching_anything(owner: Client, cast: Cast) -> None:
    scene.saved(cast.owner)
    page = text(owner.get(f"{BASE}preview/").content)
    assert "nothing is launched from here" in page
    assert "By mail" in page
    wrong = owner.post(f"{BASE}preview/", {"customer.name": "", "amount": "x"})
    assert wrong.status_code == 422
    assert "A launcher would be told" in text(wrong.content)
    right = owner.post(f"{BASE}preview/", {"customer.name": "Lan", "amount": "12.5", "channel": "7"})
    assert right.status_code == 200
    assert json.loads(right.context["trial"]) == {"customer": {"name": "Lan"}, "amount": 12.5, "channel": 7}
    assert not Launch.objects.exists()
    assert scene.now(cast.owner).lock == 1


def test_every_difference_between_two_forms_has_a_sentence() -> None:
    odd: dict[str, Any] = {
        "label": "New",
        "help": "New",
        "path": ("b",),
        "kind": Kind.LONG_TEXT,
        "required": True,
        "default": "x",
        "example": "x",
        "choices": (Choice("x", "x"),),
        "other": True,
        "choices_from": TableChoices("T", "A", "B"),
        "group": "x",
        "folded": True,
        "limits": Limits(max_length=3),
        "show_if": ShowIf("other", When.FILLED),
        "hidden_value": "x",
        "searchable": True,
        "blank": Blank.NULL,
        "moment": Moment.UTC,
        "item": Kind.NUMBER,
        "columns": (Column("a", "a"),),
        "accept": ("pdf",),
        "max_size": 5,
    }
    before = Field("a", ("a",))
    assert set(odd) == {one.name for one in dataclasses.fields(Field)} - {"name", "why"}
    for name, value in odd.items():
        after = dataclasses.replace(before, **{name: value})
        (change,) = form_words.differences(Form((before,)), Form((after,)))
        assert change.sort == "changed"
        assert change.what, name
