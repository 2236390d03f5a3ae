"""The builder of a launch form over HTTP: fields moved, edited, added and removed; two tabs; publishing; versions; files."""

import dataclasses
import json
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from tests.launch_forms import builder_scene as scene
from tests.launch_forms.builder_scene import BASE, FLOW, FORM, filled
from tests.stub_engine import StubEngine, flow, text
from tests.users import Users
from workflows_ui.audit.models import AuditEvent
from workflows_ui.form_schema.document import (
    Blank,
    Choice,
    Column,
    Field,
    FieldKind,
    Form,
    Limits,
    Moment,
    ShowIf,
    TableChoices,
    When,
)
from workflows_ui.launch_forms import messages as form_messages
from workflows_ui.launch_forms.models import LaunchForm
from workflows_ui.launch_forms.services import launch_forms
from workflows_ui.launches.models import Launch

FIELD = f"{BASE}fields/"


@pytest.fixture(autouse=True)
def _flow(stub_engine: StubEngine) -> None:
    stub_engine.flows = [flow()]


def names(users: Users) -> list[str]:
    return [field.name for field in scene.draft(users.owner).fields]


def edited(owner: Client, name: str, **changes: Any) -> Any:
    page = owner.get(f"{FIELD}{name}/")
    assert page.status_code == 200
    return owner.post(f"{FIELD}{name}/", scene.filled(page) | changes)


def test_without_a_form_a_proposal_is_offered(owner: Client) -> None:
    page = text(owner.get(BASE).content)
    assert "This flow has no launch form yet" in page
    assert "Propose a form" in page


def test_each_field_shows_its_kind_its_place_and_why_it_is_there(owner: Client, users: Users) -> None:
    scene.saved(users.owner)
    page = text(owner.get(BASE).content)
    assert "customer › name" in page
    assert "In 48 of 50 past launches; 3 different values seen; read by Send the offer" in page
    assert "2 choices" in page
    assert "Draft: launchers do not see it" in page


def test_the_page_stands_while_the_engine_does_not(owner: Client, users: Users, stub_engine: StubEngine) -> None:
    scene.saved(users.owner)
    stub_engine.flows = []
    page = text(owner.get(BASE).content)
    assert "The engine cannot be reached" in page
    assert "3 fields" in page


def test_a_field_is_moved_up_and_down_and_no_further_than_the_ends(owner: Client, users: Users) -> None:
    scene.saved(users.owner)
    answer = owner.post(f"{BASE}change/", {"lock": 1, "move-down": "customer.name"})
    assert answer.status_code == 303
    assert names(users) == ["amount", "customer.name", "channel"]
    page = text(owner.get(answer["Location"]).content)
    assert "“Name” is now number 2 of 3." in page
    owner.post(f"{BASE}change/", {"lock": 2, "move-up": "amount"})
    assert names(users) == ["amount", "customer.name", "channel"]


def test_a_field_that_is_saved_in_its_row_refreshes_the_page_around_it(owner: Client, users: Users) -> None:
    scene.saved(users.owner)
    url = f"{BASE}fields/amount/"
    typed = filled(owner.get(url)) | {"label": "How much"}
    there = {"HX-Request": "true", "HX-Target": "field-form", "HX-Current-URL": f"http://testserver{BASE}"}
    assert owner.post(url, typed, headers=there)["HX-Refresh"] == "true"
    assert scene.draft(users.owner).fields[1].label == "How much"
    elsewhere = there | {"HX-Current-URL": f"http://testserver{url}"}
    assert owner.post(url, typed | {"lock": 2}, headers=elsewhere)["HX-Redirect"] == f"{BASE}#line-amount"


@pytest.mark.parametrize(
    ("position", "order"),
    [
        ("3", ["customer.name", "channel", "amount"]),
        ("1", ["amount", "customer.name", "channel"]),
        ("999", ["customer.name", "channel", "amount"]),
        ("two", ["customer.name", "amount", "channel"]),
        ("", ["customer.name", "amount", "channel"]),
    ],
)
def test_a_dragged_field_takes_its_new_place(owner: Client, users: Users, position: str, order: list[str]) -> None:
    scene.saved(users.owner)
    answer = owner.post(f"{BASE}change/", {"lock": 1, "move-to": "amount", "position": position})
    assert answer.status_code == 303
    assert names(users) == order


def test_the_form_is_shown_beside_its_fields_as_launchers_see_it(owner: Client, users: Users) -> None:
    scene.saved(users.owner, dataclasses.replace(scene.FORM, effects="Writes to {customer.name}.", button="Go ahead"))
    beside = text(owner.get(BASE).content).partition('id="form-beside"')[2]
    for words in ("Writes to ", 'data-effect="customer.name"', 'name="amount"', "Go ahead"):
        assert words in beside


def test_sentences_and_the_review_are_saved_and_wrong_names_are_refused(owner: Client, users: Users) -> None:
    scene.saved(users.owner)
    answer = owner.post(f"{BASE}words/", {"lock": 1, "effects": "Writes to {customer.name}.", "review": "on"})
    assert answer.status_code == 303
    form = scene.draft(users.owner)
    assert (form.effects, form.review) == ("Writes to {customer.name}.", True)
    answer = owner.post(f"{BASE}words/", {"lock": 2, "effects": "Writes to {nobody}."})
    assert answer.status_code == 422
    assert "names a field that is not there" in text(answer.content)
    assert "Writes to {nobody}." in text(answer.content)
    page = owner.post(f"{BASE}change/", {"lock": 2, "take-out": "customer.name"}, follow=True)
    assert "is named in what this will do" in text(page.content)
    assert scene.draft(users.owner).names[0] == "customer.name"


def test_with_htmx_only_the_list_comes_back(owner: Client, users: Users) -> None:
    scene.saved(users.owner)
    headers = {"HX-Request": "true", "HX-Target": "fields"}
    answer = owner.post(f"{BASE}change/", {"lock": 1, "move-down": "amount"}, headers=headers, follow=True)
    page = text(answer.content)
    assert page.startswith('<section class="card mb-3 field-list" id="fields"')
    assert 'id="form-beside" aria-labelledby="beside-title" hx-swap-oob="true"' in page
    assert '<input type="hidden" name="lock" value="2">' in page


def test_a_second_tab_is_warned_and_moves_nothing(owner: Client, users: Users) -> None:
    scene.saved(users.owner)
    scene.saved(users.owner, FORM.without("amount"))
    answer = owner.post(f"{BASE}change/", {"lock": 1, "move-down": "customer.name"}, follow=True)
    assert "owner changed this form meanwhile" in text(answer.content)
    assert names(users) == ["customer.name", "channel"]


def test_a_field_is_removed_unless_another_one_depends_on_it(owner: Client, users: Users) -> None:
    form = FORM.with_field(Field("note", ("note",), show_if=ShowIf("channel", When.IS, "mail")))
    scene.saved(users.owner, form)
    answer = owner.post(f"{BASE}change/", {"lock": 1, "take-out": "channel"}, follow=True)
    assert "decides whether “Note” is shown" in text(answer.content)
    owner.post(f"{BASE}change/", {"lock": 1, "take-out": "amount"})
    assert names(users) == ["customer.name", "channel", "note"]


def test_what_was_removed_by_mistake_comes_back_as_it_was(owner: Client, users: Users) -> None:
    own = FORM.with_field(Field("note", ("note",), label="My own", help="Long thought about"))
    scene.saved(users.owner, own)
    assert "Undo the last change" not in text(owner.get(BASE).content)
    owner.post(f"{BASE}change/", {"lock": 1, "take-out": "note"})
    page = text(owner.get(BASE).content)
    assert "Undo the last change" in page
    assert "“My own” is removed from the form. “Undo” brings it back as it was." in page
    assert "My own" not in scene.now(users.owner).before
    stale = owner.post(f"{BASE}change/", {"lock": 1, "undo": "yes"}, follow=True)
    assert "owner changed this form meanwhile" in text(stale.content)
    assert "is undone" in text(owner.post(f"{BASE}change/", {"lock": 2, "undo": "yes"}, follow=True).content)
    assert scene.draft(users.owner) == own
    owner.post(f"{BASE}change/", {"lock": 3, "undo": "yes"})
    assert scene.draft(users.owner).field("note") is None
    assert AuditEvent.objects.filter(action="form.undo").count() == 2


def test_the_first_change_after_publishing_is_taken_back_to_what_is_published(owner: Client, users: Users) -> None:
    row = scene.published(users.owner)
    owner.post(f"{BASE}change/", {"lock": row.lock, "move-down": "amount"})
    owner.post(f"{BASE}change/", {"lock": row.lock + 1, "undo": "yes"})
    assert launch_forms.open_draft(scene.now(users.owner)) is None
    scene.published(users.owner)
    answer = owner.post(f"{BASE}change/", {"lock": scene.now(users.owner).lock, "undo": "yes"}, follow=True)
    assert "There is nothing to undo." in text(answer.content)


def test_note_and_button_are_saved(owner: Client, users: Users) -> None:
    scene.saved(users.owner)
    assert owner.post(f"{BASE}words/", {"lock": 1, "note": "**Read** this", "button": "Send"}).status_code == 303
    found = scene.draft(users.owner)
    assert (found.note, found.button) == ("**Read** this", "Send")
    assert "<strong>Read</strong>" in text(owner.get(f"{BASE}preview/").content)
    stale = owner.post(f"{BASE}words/", {"lock": 1, "note": "Mine", "button": ""})
    assert stale.status_code == 422
    assert "Mine" in text(stale.content)


def test_publishing_says_what_changes_for_launchers(owner: Client, users: Users) -> None:
    scene.published(users.owner)
    scene.saved(users.owner, FORM.without("amount").moved("channel", -1))
    page = text(owner.get(f"{BASE}publish/").content)
    assert "Removed" in page
    assert "Moved" in page
    lock = scene.now(users.owner).lock
    stale = owner.post(f"{BASE}publish/", {"lock": lock - 1, "words": "Shorter"})
    assert stale.status_code == 422
    assert "Shorter" in text(stale.content)
    assert owner.post(f"{BASE}publish/", {"lock": lock, "words": "Shorter"}).status_code == 303
    row = scene.now(users.owner)
    assert row.published is not None
    assert (row.published.number, row.published.words) == (2, "Shorter")
    assert "Shorter" in text(owner.get(BASE).content)
    assert AuditEvent.objects.filter(action="form.publish").count() == 2


def test_an_old_version_becomes_the_draft_and_differences_are_shown(owner: Client, users: Users) -> None:
    scene.published(users.owner)
    scene.published(users.owner, FORM.without("amount"))
    page = text(owner.get(f"{BASE}difference/?old=1&new=2").content)
    assert "Amount" in page
    assert "Removed" in page
    assert "Use version 1 as the draft" in text(owner.get(f"{BASE}versions/1/restore/").content)
    assert owner.post(f"{BASE}versions/1/restore/", {"lock": scene.now(users.owner).lock}).status_code == 303
    assert scene.draft(users.owner) == FORM
    assert owner.get(f"{BASE}versions/9/restore/").status_code == 404


def test_a_form_is_taken_away_and_a_draft_discarded_after_a_question(owner: Client, users: Users) -> None:
    scene.published(users.owner)
    scene.saved(users.owner, FORM.without("amount"))
    for deed in ("discard", "unpublish"):
        assert "Leave it as it is" in text(owner.get(f"{BASE}{deed}/").content)
        assert owner.post(f"{BASE}{deed}/", {"lock": 1}).status_code == 422
        assert owner.post(f"{BASE}{deed}/", {"lock": scene.now(users.owner).lock}).status_code == 303
    assert scene.now(users.owner).published is None
    assert scene.draft(users.owner) == FORM


def test_a_form_goes_out_as_a_file_and_comes_back_the_same(owner: Client, users: Users) -> None:
    scene.published(users.owner)
    answer = owner.get(f"{BASE}export/?version=1")
    assert answer["Content-Type"].startswith("application/schema+json")
    LaunchForm.objects.update(published=None)
    LaunchForm.objects.all().delete()
    file = SimpleUploadedFile("form.json", answer.content)
    assert owner.post(f"{BASE}import/", {"lock": "", "file": file}).status_code == 303
    assert scene.draft(users.owner) == FORM
    assert AuditEvent.objects.filter(action="form.export").count() == 1


@pytest.mark.parametrize(
    "content", [b"{", b"\xff\xfe", b'{"type": "object", "properties": {"a": {"$ref": "#/b"}}}', b"[]"]
)
def test_a_file_that_is_no_form_is_refused_in_words(owner: Client, users: Users, content: bytes) -> None:
    answer = owner.post(f"{BASE}import/", {"lock": "", "file": SimpleUploadedFile("form.json", content)})
    assert answer.status_code == 422
    assert "invalid-feedback" in text(answer.content)
    assert launch_forms.find_form(users.workspace, FLOW) is None


def test_names_of_any_kind_are_shown_as_text(owner: Client, users: Users) -> None:
    odd = "<script>alert(1)</script>" + "x" * 150
    form = Form((Field("a", (odd,), label=odd, help=odd, group=odd), Field("b", ("Địa chỉ",))))
    scene.saved(users.owner, form)
    for url in (BASE, f"{FIELD}a/", f"{FIELD}b/", f"{BASE}publish/", f"{BASE}preview/"):
        page = owner.get(url)
        assert page.status_code == 200
        assert "<script>alert" not in page.content.decode()


def test_a_preview_is_tried_without_launching_anything(owner: Client, users: Users) -> None:
    scene.saved(users.owner)
    page = text(owner.get(f"{BASE}preview/").content)
    assert "nothing is launched from here" in page
    assert "By mail" in page
    wrong = owner.post(f"{BASE}preview/", {"customer.name": "", "amount": "x"})
    assert wrong.status_code == 422
    assert "Launchers see this message" in text(wrong.content)
    right = owner.post(f"{BASE}preview/", {"customer.name": "Lan", "amount": "12.5", "channel": "7"})
    assert right.status_code == 200
    assert json.loads(right.context["trial"]) == {"customer": {"name": "Lan"}, "amount": 12.5, "channel": 7}
    assert not Launch.objects.exists()
    assert scene.now(users.owner).lock == 1


def test_every_difference_between_two_forms_has_a_sentence() -> None:
    odd: dict[str, Any] = {
        "label": "New",
        "help": "New",
        "path": ("b",),
        "kind": FieldKind.LONG_TEXT,
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
        "item": FieldKind.NUMBER,
        "columns": (Column("a", "a"),),
        "accept": ("pdf",),
        "max_size": 5,
    }
    before = Field("a", ("a",))
    assert set(odd) == {one.name for one in dataclasses.fields(Field)} - {"name", "why"}
    for name, value in odd.items():
        after = dataclasses.replace(before, **{name: value})
        (change,) = form_messages.differences(Form((before,)), Form((after,)))
        assert change.sort == "changed"
        assert change.what, name
