"""A form that no longer fits its flow is noticed, and what changed between two forms is named."""

from dataclasses import replace
from typing import cast

from tests.launch_forms.test_references import code, flow
from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.form_schema.document import NOTHING, Column, Field, FieldKind, Form, Limits, Why
from workflows_ui.launch_forms import form_fit, messages as form_messages
from workflows_ui.launch_forms.proposal import changes, trigger_fields
from workflows_ui.launch_forms.proposal.proposing import propose

TREE = flow(
    {"settings": {"input": {"to": "{{trigger.body.mail}}", "text": "Dear {{trigger.body.customer.name}}"}}, "displayName": "Send"},
    {"type": "LOOP_ON_ITEMS", "settings": {"items": "{{trigger.body.rows}}"}, "firstLoopAction": {
        "name": "inner", "settings": {"input": {"sku": "{{step_2['item']['sku']}}"}}}},
)  # fmt: skip


def test_a_flow_without_a_trigger_has_no_tree_to_compare_a_form_with() -> None:
    unasked = cast("EngineSession", None)
    assert form_fit.trigger(unasked, {"id": "flow", "version": {"id": "version", "trigger": None}}) is None
    assert form_fit.trigger(unasked, {"id": "flow", "version": {"id": "version", "trigger": TREE}}) is TREE


def test_a_proposed_form_fits_its_flow() -> None:
    form = propose(TREE)
    assert [field.name for field in form.fields] == ["mail", "customer.name", "rows"]
    assert changes.fit(form, TREE).good


def test_what_the_flow_reads_and_no_field_sends_is_missing_with_the_step_that_reads_it() -> None:
    form = Form(
        (Field("mail", ("mail",)), Field("rows", ("rows",), kind=FieldKind.TABLE, columns=(Column("qty", "qty"),)))
    )
    fit = changes.fit(form, TREE)
    assert fit.missing == {("customer", "name"): ["Send"]}
    assert [(table.name, key) for table, key in fit.columns] == [("rows", "sku")]


def test_a_field_of_json_around_a_place_sends_it_too() -> None:
    form = Form((Field("all", (), kind=FieldKind.JSON),))
    assert changes.fit(form, TREE).good
    form = Form(
        (
            Field("c", ("customer",), kind=FieldKind.JSON),
            Field("m", ("mail",)),
            Field("rows", ("rows",), kind=FieldKind.LIST),
        )
    )
    assert changes.fit(form, TREE).missing == {}


def test_a_field_that_was_read_and_is_not_any_more_is_shown_unless_the_flow_takes_everything() -> None:
    old = Field("gone", ("gone",), why=Why(read_by=("Send",)))
    by_hand = Field("extra", ("extra",))
    form = propose(TREE).with_field(old).with_field(by_hand)
    assert [field.name for field in changes.fit(form, TREE).unread] == ["gone"]
    takes_all = flow(code("", given="{{trigger['body']}}"))
    assert changes.fit(form, takes_all).unread == ()


def test_a_flows_own_form_asks_for_its_fields_under_the_keys_that_are_sent() -> None:
    inputs = [
        {"displayName": "Full name", "type": "text", "required": True, "description": "As in the passport"},
        {"displayName": "Your \"photo\"", "type": "file", "required": False},
        {"displayName": "Agree", "type": "toggle"},
        {"displayName": "More", "type": "text_area"},
        {"displayName": "   "},
    ]  # fmt: skip
    settings = {"pieceName": "@activepieces/piece-forms", "triggerName": "form_submission", "input": {"inputs": inputs}}
    tree = flow({"settings": {"input": {"a": "{{trigger['fullName']}}"}}}, settings=settings)
    form = propose(tree)
    assert [(field.path, field.label, field.kind.value, field.required) for field in form.fields] == [
        (("fullName",), "Full name", "text", True),
        (("your photo",), 'Your "photo"', "file", False),
        # Without a toggle's value the engine makes no run (recording `form_submit_missing_toggle`).
        (("agree",), "Agree", "yes_no", True),
        (("more",), "More", "long_text", False),
    ]
    assert [field.default for field in form.fields] == [NOTHING, NOTHING, False, NOTHING]
    before = propose(tree, payloads=[{"fullName": "A"}, {"fullName": "B", "agree": True}])
    assert [(field.required, field.default) for field in before.fields if field.path == ("agree",)] == [(False, False)]
    assert form.fields[0].help == "As in the passport"
    assert form.fields[0].why == Why(read_by=("Step 1",), trigger=True)
    assert changes.fit(form, tree).good
    assert [*changes.fit(form.without("agree"), tree).missing] == [("agree",)]
    assert trigger_fields.key_of("Full name", {"Full name"}) == "Full name"
    assert trigger_fields.key_of("Your Name Here", {"your"}) == "yourNameHere"


def test_what_a_launcher_will_find_different_is_named() -> None:
    before = Form((Field("a", ("a",)), Field("b", ("b",)), Field("c", ("c",), why=Why(seen=1, payloads=2))))
    after = Form(
        (Field("c", ("c",)), replace(before.fields[0], label="All", limits=Limits(max_length=3)), Field("d", ("d",))),
        button="Go",
    )
    found = form_messages.differences(before, after)
    assert [(change.sort, change.name) for change in found] == [
        ("changed", "a"),
        ("added", "d"),
        ("removed", "b"),
        ("changed", ""),
    ]
    assert found[0].what == ("It was called “A”.", "Its limits are: at most 3 characters.")
    assert form_messages.differences(before, before) == []
