"""Launching by a published form: what is typed becomes the JSON that the flow expects, or is refused at its field; nothing is lost."""

import unicodedata
from dataclasses import dataclass
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tests import flows
from tests.launch_forms.filled import ECHO, hidden, newest, opened, publish, send, sent
from tests.launches.launch_scene import Scene, text_of, unescape
from workflows_ui.form_schema.document import Choice, Column, Field, FieldKind, Form, Limits, ShowIf
from workflows_ui.launch_forms.models import LaunchFormVersion
from workflows_ui.launches.models import CONFIRMED, Launch, LaunchInput, Reason, State
from workflows_ui.launches.services import launches, sending
from workflows_ui.members.models import Member, Role, Workspace

PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(range(256))
ORDER = Form(
    (
        Field(
            "customer",
            ("customer", "name"),
            label="Customer",
            required=True,
            help="As on the invoice.",
            searchable=True,
        ),
        Field("mail", ("customer", "mail"), kind=FieldKind.EMAIL),
        Field("amount", ("amount",), kind=FieldKind.NUMBER, limits=Limits(low=1, high=100), required=True),
        Field("urgent", ("urgent",), kind=FieldKind.YES_NO, default=False),
        Field("reason", ("reason",), show_if=ShowIf("urgent", value=True), required=True),
        Field("day", ("day",), kind=FieldKind.DATE),
        Field(
            "size", ("size",), kind=FieldKind.CHOICE, choices=(Choice("Small", 1), Choice("Large", 2)), group="Delivery"
        ),
        Field("tags", ("tags",), kind=FieldKind.LIST, group="Delivery"),
        Field(
            "rows",
            ("rows",),
            kind=FieldKind.TABLE,
            columns=(Column("sku", "sku", "SKU", required=True), Column("count", "count", kind=FieldKind.INTEGER)),
        ),
        Field("shop", ("shop",), hidden_value={"id": 7}),
        Field("extra", ("extra",), kind=FieldKind.JSON, folded=True),
    ),
    note="Read **this** first.\n\n<script>alert(1)</script>",
    button="Place the order",
)
FORM_TRIGGER = {
    "pieceName": "@activepieces/piece-forms",
    "triggerName": "form_submission",
    "input": {"inputs": [{"displayName": "name", "required": True, "type": "text"}], "response": True},
    "propertySettings": {},
}
GOOD: dict[str, Any] = {"customer": "Nguyễn Văn An", "amount": "12.5", "urgent": "false"}


@pytest.fixture
def order(scene: Scene) -> str:
    return publish(scene, ORDER)


def test_the_page_shows_labels_help_groups_note_and_the_sentence_of_the_button(scene: Scene, order: str) -> None:
    page = opened(scene, order)
    for text in ("Customer", "As on the invoice.", "Delivery", "Read <strong>this</strong> first.", "Place the order"):
        assert text in page
    for text in ("From 1 to 100.", "1 more field", "Used only if “Urgent” is “Yes”."):
        assert text in page
    assert "?_as=json" not in page
    assert "<script>alert(1)" not in text_of(scene.browser.get(scene.url(order)))


def test_what_is_typed_is_sent_typed_and_nested_with_hidden_values_and_without_what_is_empty(
    scene: Scene, order: str
) -> None:
    values = {**GOOD, "mail": " an@example.com ", "day": "2026-03-01", "size": "2", "tags": ["a", "", "b"]}
    values |= {"rows[0][sku]": "A", "rows[0][count]": "3", "rows[5][sku]": "B", "extra": '{"x": [1, null]}'}
    assert sent(scene, order, values) == {
        "customer": {"name": "Nguyễn Văn An", "mail": "an@example.com"},
        "amount": 12.5,
        "urgent": False,
        "day": "2026-03-01",
        "size": 2,
        "tags": ["a", "b"],
        "rows": [{"sku": "A", "count": 3}, {"sku": "B"}],
        "shop": {"id": 7},
        "extra": {"x": [1, None]},
    }
    assert sent(scene, order, GOOD) == {
        "customer": {"name": "Nguyễn Văn An"},
        "amount": 12.5,
        "urgent": False,
        "shop": {"id": 7},
    }


def test_the_launch_keeps_its_forms_version_and_runs(scene: Scene, order: str) -> None:
    assert send(scene, order, GOOD).status_code == 303
    launch = newest()
    assert launch.form_version == LaunchFormVersion.objects.get()
    sending.send(launch.pk)
    assert scene.watch(launch).state == State.SUCCEEDED


def test_mistakes_are_shown_at_their_fields_and_everything_typed_comes_back(scene: Scene, order: str) -> None:
    values = {**GOOD, "customer": "", "amount": "1.000.000", "mail": "nobody", "day": "someday", "tags": ["one", "two"]}
    values |= {"rows[3][sku]": "", "rows[3][count]": "many", "extra": "{"}
    answer = send(scene, order, values)
    page = unescape(text_of(answer))
    assert answer.status_code == 422
    assert not Launch.objects.exists()
    assert "Some fields have to be corrected" in page
    for text in ('value="nobody"', 'value="someday"', 'value="one"', 'value="two"', 'value="many"', "{</textarea>"):
        assert text in page
    assert 'href="#field-0"' in page
    assert "Enter an email address" in page
    assert 'type="text" id="field-5-control" name="day"' in page, "a browser's own control for dates would lose it"
    assert 'name="rows[0][count]" value="many"' in page, "rows are renumbered"


def test_a_field_whose_rule_does_not_hold_is_neither_asked_for_nor_sent(scene: Scene, order: str) -> None:
    assert "reason" not in sent(scene, order, {**GOOD, "reason": "typed before"})
    assert send(scene, order, {**GOOD, "urgent": "true"}).status_code == 422
    assert sent(scene, order, {**GOOD, "urgent": "true", "reason": "now"})["reason"] == "now"


def test_lines_and_rows_are_added_and_removed_without_javascript_and_nothing_is_launched(
    scene: Scene, order: str
) -> None:
    typed = {**GOOD, "customer": "", "tags": ["a", "b"], "rows[0][sku]": "A", "rows[1][sku]": "B"}
    page = text_of(send(scene, order, {**typed, "_add": "tags"}))
    assert page.count('name="tags"') == 3
    page = text_of(send(scene, order, {**typed, "_remove": "tags:0"}))
    assert 'value="a"' not in page
    assert 'name="tags" value="b"' in page
    page = text_of(send(scene, order, {**typed, "_add": "rows"}))
    assert 'name="rows[2][sku]" value=""' in page
    answer = send(scene, order, {**typed, "_remove": "rows:0"})
    assert answer.status_code == 200
    assert 'name="rows[0][sku]" value="B"' in text_of(answer)
    assert 'name="rows[1][sku]"' not in text_of(answer)
    assert send(scene, order, {**typed, "_remove": "nonsense"}).status_code == 200
    assert not Launch.objects.exists()


def test_looking_shows_what_will_be_sent_and_a_link_and_launches_nothing(scene: Scene, order: str) -> None:
    page = unescape(
        text_of(send(scene, order, {"amount": "5", "tags": ["x", "y z"], "rows[0][sku]": "A&B", "_look": "yes"}))
    )
    assert '"amount": 5' in page
    assert f"http://testserver{scene.url(order)}?amount=5&tags=x&tags=y+z&rows%5B0%5D%5Bsku%5D=A%26B" in page
    assert not Launch.objects.exists()
    page = unescape(text_of(send(scene, order, {"amount": "x", "_look": "yes"})))
    assert "Some fields have to be corrected first" in page


# --- Filled from elsewhere -------------------------------------------------------------------------


def test_a_link_fills_fields_of_the_form_only_and_still_needs_the_click(scene: Scene, order: str) -> None:
    query = "?customer=An&amount=abc&tags=a&tags=b&rows[0][sku]=S&shop=8&ticket=x&nothing=1&size=2"
    page = opened(scene, order, query)
    for text in ('name="customer" value="An"', 'value="abc"', 'value="b"', 'name="rows[0][sku]" value="S"'):
        assert text in page
    assert '<option value="2" selected>Large</option>' in page
    assert not Launch.objects.exists()
    assert "nothing" not in hidden(page)
    assert "does not ask for some of what the link names, so it is left out: shop, ticket, nothing." in page
    assert "A value from the link has to be corrected" in page
    assert page.count("Enter a number") == 2, "at the field, and in the list above"
    assert "Fill in" not in page.partition("form-problems")[2].partition("</ul>")[0], (
        "what the link leaves out is no mistake"
    )
    page = opened(scene, order, "?customer=" + "x" * 9000)
    assert "The link was too long" in page


def test_a_link_with_markup_is_text(scene: Scene, order: str) -> None:
    page = text_of(scene.browser.get(scene.url(order) + "?customer=%22%3E%3Cscript%3Ealert(2)%3C/script%3E"))
    assert "<script>alert(2)" not in page


def test_an_earlier_launch_fills_the_form_and_says_what_it_has_no_field_for(scene: Scene, order: str) -> None:
    values = {**GOOD, "day": "2026-03-01", "rows[0][sku]": "A", "tags": ["a"]}
    assert send(scene, order, values).status_code == 303
    first = newest()
    page = opened(scene, order, f"?from={first.pk}")
    for text in ('value="Nguyễn Văn An"', 'value="12.5"', 'value="2026-03-01"', 'value="A"', "from an earlier launch"):
        assert text in page
    earlier = unescape(text_of(scene.browser.get(f"{scene.url(order)}earlier/")))
    assert f"?from={first.pk}" in earlier
    assert "Customer: Nguyễn Văn An, Amount: 12.5, Urgent: no, Day: 1 Mar 2026, Tags: a, Rows: 1 row" in earlier
    row = scene.row(flow_id=order, payload='{"other": {"thing": 1}, "amount": 7}')
    page = opened(scene, order, f"?from={row.pk}")
    assert "no field for some of the values, which are left out: other" in page
    assert 'value="7"' in page
    Launch.objects.update(payload="")
    assert "no longer kept" in opened(scene, order, f"?from={first.pk}")
    Launch.objects.update(payload="gAAAA-not-a-ciphertext")
    assert "cannot be opened" in opened(scene, order, f"?from={first.pk}")


def test_another_persons_launch_fills_a_builders_form_only(scene: Scene, order: str) -> None:
    theirs = scene.row(user=scene.users.owner, flow_id=order, payload='{"customer": {"name": "Private"}}')
    page = opened(scene, order, f"?from={theirs.pk}")
    assert "Private" not in page
    assert "was not found" in page
    colleagues = scene.row(flow_id=order, payload='{"customer": {"name": "Known"}}')
    builder = scene.sign_in(scene.users.owner)
    assert "Known" in opened(scene, order, f"?from={colleagues.pk}", builder)


# --- One form, one launch --------------------------------------------------------------------------


@dataclass
class Filled:
    """A form that is filled in: where it is posted, what is posted, and what a page shows that holds what was typed."""

    address: str
    posted: dict[str, Any]
    shown: str


@pytest.fixture(params=["published", "proposed", "json"])
def filled(request: pytest.FixtureRequest, scene: Scene) -> Filled:
    """A form of each kind: published, proposed from the flow's steps, and JSON."""
    if request.param == "published":
        flow = publish(scene, ORDER)
        return Filled(scene.url(flow), {**hidden(opened(scene, flow)), **GOOD}, 'value="12.5"')
    flow = flows.make(scene.workflows, "Reads", flows.code("reads", name="{{trigger.body.name}}"))
    if request.param == "proposed":
        return Filled(scene.url(flow), {**hidden(opened(scene, flow)), "name": "An"}, 'name="name" value="An"')
    return Filled(
        f"{scene.url(flow)}?_as=json", scene.fields(flow) | {"payload": '{"kept": 1}'}, '{"kept": 1}</textarea>'
    )


def test_a_double_click_makes_one_launch(scene: Scene, filled: Filled) -> None:
    first, second = (scene.browser.post(filled.address, filled.posted) for _ in range(2))
    assert first["Location"] == second["Location"] == reverse("launch", args=["sales", newest().pk])
    assert Launch.objects.count() == 1


def test_twins_are_asked_about_with_all_values_kept(scene: Scene, filled: Filled) -> None:
    scene.browser.post(filled.address, filled.posted)
    second = filled.posted | {"ticket": launches.ticket()}
    answer = scene.browser.post(filled.address, second)
    page = unescape(text_of(answer))
    assert answer.status_code == 422
    assert "You launched the same values moments ago" in page
    assert 'name="confirmed" value="yes"' in page
    assert reverse("launch", args=["sales", newest().pk]) in page
    assert filled.shown in page
    assert hidden(page)["ticket"] == second["ticket"]
    assert scene.browser.post(filled.address, second | {"confirmed": "yes"}).status_code == 303
    assert Launch.objects.count() == 2


def test_a_launch_that_may_have_run_is_launched_again_only_after_a_question(scene: Scene, order: str) -> None:
    send(scene, order, GOOD)
    earlier, now = newest(), timezone.now()
    long_ago = now - launches.TWIN_WINDOW * 2
    Launch.objects.update(
        state=State.UNKNOWN, reason=Reason.NO_TRACE, misses=CONFIRMED, ended_at=now, asked_at=long_ago
    )
    address = reverse("launch", args=["sales", earlier.pk])
    assert "Launch again…" in text_of(scene.browser.get(address))
    page = opened(scene, order, f"?from={earlier.pk}")
    answer = send(scene, order, GOOD | {"amount": "13"}, page=page)
    assert answer.status_code == 422
    for shown in (page, unescape(text_of(answer))):
        assert "Launched again, the flow may run twice" in shown
        assert address in shown
        assert 'name="repeated" value="yes"' in shown
    assert Launch.objects.count() == 1
    assert send(scene, order, GOOD | {"repeated": "yes"}, page=page).status_code == 303
    # The same values once more within minutes are another question.
    page = opened(scene, order, f"?from={earlier.pk}")
    twin = send(scene, order, GOOD | {"repeated": "yes"}, page=page)
    assert (twin.status_code, Launch.objects.count()) == (422, 2)
    assert 'name="confirmed" value="yes"' in unescape(text_of(twin))
    assert '<input type="hidden" name="repeated" value="yes">' in unescape(text_of(twin))
    # Once it is known that it did not run, nobody is asked.
    Launch.objects.filter(pk=earlier.pk).update(state=State.NOT_SENT, reason=Reason.SETTLED_NOT_RUN)
    assert "may run twice" not in opened(scene, order, f"?from={earlier.pk}")


def test_without_a_credential_nothing_is_launched_and_nothing_is_lost(scene: Scene, filled: Filled) -> None:
    scene.users.colleague.credentials.all().delete()
    answer = scene.browser.post(filled.address, filled.posted)
    assert answer.status_code == 422
    assert "You have no credential here" in text_of(answer)
    assert filled.shown in unescape(text_of(answer))
    assert not Launch.objects.exists()


def test_going_back_and_changing_a_value_keeps_it_and_offers_a_new_launch(scene: Scene, order: str) -> None:
    page = opened(scene, order)
    send(scene, order, GOOD, page=page)
    answer = send(scene, order, {**GOOD, "amount": "13"}, page=page)
    again = text_of(answer)
    assert answer.status_code == 422
    assert f"Already launched at {timezone.localtime(newest().asked_at):%H:%M}" in again
    assert reverse("launch", args=["sales", newest().pk]) in again
    assert 'value="13"' in again
    assert hidden(again)["ticket"] != hidden(page)["ticket"]
    assert send(scene, order, {**GOOD, "amount": "13"}, page=again).status_code == 303
    assert Launch.objects.count() == 2


def test_a_pause_is_said_before_and_after_and_nothing_typed_is_lost(scene: Scene, order: str) -> None:
    page = opened(scene, order)
    Workspace.objects.update(launching_paused=True)
    answer = send(scene, order, GOOD, page=page)
    assert answer.status_code == 422
    assert "Launching is paused" in text_of(answer)
    assert 'value="12.5"' in text_of(answer)
    assert not Launch.objects.exists()
    assert "Launching is paused" in opened(scene, order)


@pytest.mark.parametrize("ticket", ["", "short", "ö" * 30, "x" * 65])
def test_a_ticket_that_does_not_exist_is_replaced(scene: Scene, order: str, ticket: str) -> None:
    answer = send(scene, order, {**GOOD, "ticket": ticket})
    assert answer.status_code == 422
    assert "The form was incomplete" in text_of(answer)
    assert 'value="12.5"' in text_of(answer)
    assert send(scene, order, GOOD, page=text_of(answer)).status_code == 303


def test_a_form_that_was_republished_meanwhile_is_shown_with_what_was_typed(scene: Scene, order: str) -> None:
    page = opened(scene, order)
    publish(scene, Form((*ORDER.fields[:3], Field("new", ("new",), required=True))), flow=order)
    answer = send(scene, order, GOOD, page=page)
    again = unescape(text_of(answer))
    assert answer.status_code == 422
    assert "The form was changed meanwhile" in again
    assert 'value="12.5"' in again
    assert send(scene, order, {**GOOD, "new": "x"}, page=again).status_code == 303


# --- When something is in the way ------------------------------------------------------------------


def test_with_the_engine_down_the_form_opens_and_a_launch_can_be_asked_for(scene: Scene, order: str) -> None:
    scene.server.stop()
    page = opened(scene, order)
    assert "The engine cannot be reached" in page
    assert send(scene, order, GOOD, page=page).status_code == 303
    assert newest().flow_name == "Orders"


def test_a_form_that_cannot_be_opened_leaves_the_json_form(scene: Scene, order: str) -> None:
    LaunchFormVersion.objects.update(schema="gAAAA-not-a-ciphertext")
    assert 'name="payload"' in text_of(scene.browser.get(scene.url(order)))


def test_builders_may_type_json_all_the_same_and_launchers_may_not(scene: Scene, order: str) -> None:
    builder = scene.sign_in(scene.users.owner)
    assert "?_as=json" in opened(scene, order, browser=builder)
    assert 'name="payload"' in opened(scene, order, "?_as=json", builder)
    assert 'name="payload"' not in opened(scene, order, "?_as=json")


def test_only_searchable_inputs_are_kept_in_plain_text(scene: Scene, order: str) -> None:
    send(scene, order, {**GOOD, "mail": "private@example.com"})
    assert [(row.name, row.label, row.text) for row in LaunchInput.objects.all()] == [
        ("customer", "Customer", "Nguyễn Văn An")
    ]


# --- Who may ---------------------------------------------------------------------------------------


def test_viewers_and_strangers_do_not_fill_in_forms(scene: Scene, order: str) -> None:
    page = opened(scene, order)
    stranger = scene.sign_in(scene.users.stranger)
    assert stranger.get(scene.url(order)).status_code == 404
    assert send(scene, order, GOOD, page=page, browser=stranger).status_code == 404
    Member.objects.filter(user=scene.users.colleague).update(role=Role.VIEWER)
    for response in (scene.browser.get(scene.url(order)), send(scene, order, GOOD, page=page)):
        assert response.status_code == 403
        assert "This needs the role of a launcher." in text_of(response)
    assert not Launch.objects.exists()


def test_signed_out_in_between_what_was_typed_comes_back(scene: Scene, order: str) -> None:
    page = opened(scene, order)
    answer = Client().post(scene.url(order), {**hidden(page), **GOOD})
    text = unescape(text_of(answer))
    assert answer.status_code == 403
    assert "Nguyễn Văn An" in text
    assert hidden(page)["_flow"] not in text


def test_launches_are_found_by_a_searchable_input_and_by_the_flows_name(scene: Scene, order: str) -> None:
    send(scene, order, GOOD)
    send(scene, order, {**GOOD, "customer": "Trần Thị Bình", "confirmed": "yes"})
    url = "/w/sales/launches/"

    def search(text: str) -> list[str]:
        lines = scene.browser.get(url, {"search": text}).context["lines"]
        return [Launch.objects.get(pk=line["id"]).inputs.get().text for line in lines]

    assert search("bình") in (["Trần Thị Bình"], []), "letters with marks: as far as the database folds them"
    assert search("Thị B") == ["Trần Thị Bình"]
    assert len(search("orders")) == 2
    assert search("12.5") == []
    assert search(unicodedata.normalize("NFD", "Thị B")) == ["Trần Thị Bình"], "as a Mac spells it"
    page = unescape(text_of(scene.browser.get(url, {"search": "Văn"})))
    assert "Customer: Nguyễn Văn An" in page


def test_a_flow_that_reads_more_than_the_form_asks_for_is_shown_to_the_launcher(scene: Scene) -> None:
    flow = flows.make(
        scene.workflows, "Reads", flows.code("reads", a="{{trigger.body.name}}", b="{{trigger.body.phone}}")
    )
    publish(scene, Form((Field("name", ("name",)),)), flow=flow)
    assert "The flow also reads: phone." in opened(scene, flow)
    publish(scene, Form((Field("name", ("name",)), Field("phone", ("phone",)))), flow=flow)
    assert "The flow also reads" not in opened(scene, flow)


def test_a_line_just_added_is_where_one_goes_on_typing_and_the_engine_is_not_asked(scene: Scene, order: str) -> None:
    page = opened(scene, order)
    calls = scene.engine.journal.count()
    headers = {"HX-Request": "true", "HX-Target": "field-7"}
    values = {**hidden(page), **GOOD, "tags": ["one"], "_add": "tags"}
    added = text_of(scene.browser.post(scene.url(order), values, headers=headers))
    assert scene.engine.journal.count() == calls
    assert added.count(" data-focus") == 1
    assert 'value="" dir="auto" autocomplete="off" data-focus' in added


def test_a_flow_that_starts_with_its_form_is_launched_by_ours(scene: Scene) -> None:
    flow = flows.make(scene.workflows, "Advice", ECHO)
    trigger = {**flows.WEBHOOK, "displayName": "Web Form", "settings": dict(FORM_TRIGGER)}
    scene.workflows.apply_flow_operation(
        flow, {"type": "UPDATE_TRIGGER", "request": flows.installed(scene.workflows, trigger)}
    )
    scene.workflows.apply_flow_operation(flow, {"type": "LOCK_AND_PUBLISH", "request": {}})
    publish(scene, Form((Field("name", ("name",), required=True),)), flow=flow)
    page = opened(scene, flow)
    assert "starts with its form" not in page
    assert "Launch anyway" not in page
    assert send(scene, flow, {"name": "An"}, page=page).status_code == 303
    launch = newest()
    sending.send(launch.pk)
    assert scene.watch(launch).state == State.SUCCEEDED
