"""What a flow reads of its trigger's data is found wherever a step can say it."""

from typing import Any

import pytest

from workflows_ui.form_schema.document import FieldKind
from workflows_ui.launch_forms.proposal import references
from workflows_ui.launch_forms.proposal.code_reading import ITEM


def flow(*steps: dict[str, Any], **trigger: Any) -> dict[str, Any]:
    """A flow of these steps, one after the other."""
    tree: dict[str, Any] = {"name": "trigger", "type": "PIECE_TRIGGER", "settings": {}, **trigger}
    last = tree
    for number, step in enumerate(steps, start=1):
        last["nextAction"] = {"name": f"step_{number}", "type": "PIECE", "displayName": f"Step {number}", **step}
        last = last["nextAction"]
    return tree


def code(source: str, **inputs: Any) -> dict[str, Any]:
    """A step of code."""
    return {"type": "CODE", "settings": {"input": inputs, "sourceCode": {"code": source, "packageJson": "{}"}}}


def read(tree: dict[str, Any], *, body_is_output: bool = False) -> set[str]:
    """The places as texts; `*` is any item of a list."""
    found = references.find_references(tree, body_is_output=body_is_output)
    return {".".join("*" if key == ITEM else str(key) for key in one.path) for one in found}


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("{{trigger.body.x}}", {"x"}),
        ("{{trigger['body']['x y']}}", {"x y"}),
        ('{{trigger["body"]["x"]}}', {"x"}),
        ("{{ trigger?.body?.x }}", {"x"}),
        ("{{trigger['body']['đơn hàng'].mã}}", {"đơn hàng.mã"}),
        ("Hello {{trigger.body.a}}, and {{trigger.body.b}}", {"a", "b"}),
        ("{{trigger.body.a + trigger.body.b}}", {"a", "b"}),
        ("{{trigger.body.list[0].sku}}", {"list.*.sku"}),
        ("{{trigger.body.list.length}}", {"list"}),
        ("{{trigger.body.name.toUpperCase()}}", {"name"}),
        ("{{JSON.stringify(trigger.body.x)}}", {"x"}),
        ("{{trigger['body']['it\\'s']}}", {"it's"}),
        ("{{trigger.output.body.x}}", {"x"}),
        ("{{trigger.body}}", {""}),
        ("{{trigger}}", {""}),
        ("{{trigger.headers.host}}", set()),
        ("{{step_9.trigger.body.x}}", set()),
        ("{{my_trigger.body.x}}", set()),
        ("trigger.body.x", set()),
        ("{{", set()),
        ("{{}}", set()),
        pytest.param("{{" * 100_000, set(), id="many that are never closed"),
    ],
)
def test_each_way_to_write_a_template_is_understood(text: str, places: set[str]) -> None:
    assert read(flow({"settings": {"input": {"deep": [{"in": text}]}}})) == places


def test_keys_conditions_and_steps_in_branches_and_loops_are_read_too() -> None:
    tree = flow(
        {"type": "LOOP_ON_ITEMS", "settings": {"items": "{{trigger['body']['rows']}}"}, "firstLoopAction": {
            "name": "inner", "type": "PIECE", "settings": {"input": {"to": "{{step_1['item']['mail']}}"}}}},
        {"type": "ROUTER", "settings": {"branches": [{"conditions": [[
            {"firstValue": "{{trigger.body.amount}}", "operator": "NUMBER_IS_GREATER_THAN", "secondValue": "1"},
            {"firstValue": "{{trigger.body.vip}}", "operator": "BOOLEAN_IS_TRUE"}]]}]},
         "children": [{"name": "b", "settings": {"input": {"{{trigger.body.key}}": "x"}}}, None]},
    )  # fmt: skip
    assert read(tree) == {"rows", "rows.*.mail", "amount", "vip", "key"}
    hints = {one.path: one.hint for one in references.find_references(tree) if one.hint}
    assert hints == {("rows",): FieldKind.LIST, ("amount",): FieldKind.NUMBER, ("vip",): FieldKind.YES_NO}


BODY = "{{trigger['body']}}"


@pytest.mark.parametrize(
    ("source", "places"),
    [
        ("export const code = async (inputs) => inputs.b.x + inputs['b'].y", {"x", "y"}),
        ("export const code = async (i) => i.b?.x", {"x"}),
        ("export const code = async ({ b, other }) => b.x", {"x"}),
        ("export const code = async ({ b: all }) => all.x", {"x"}),
        ("export const code = async (inputs) => { const { x, 'y z': y, v = 1 } = inputs.b; return x }", {"x", "y z", "v"}),
        ("export const code = async (inputs) => { const { b } = inputs; return b.x }", {"x"}),
        ("export const code = async (inputs) => { const rows = inputs.b.rows ?? []; return rows.map((r) => r.sku) }",
         {"rows", "rows.*", "rows.*.sku"}),
        ("export const code = async (inputs) => (inputs.b.rows || []).reduce((s, r) => s + r.qty, 0)",
         {"rows", "rows.*", "rows.*.qty"}),
        ("export const code = async (inputs) => { for (const r of inputs.b.rows) log(r.sku) }", {"rows", "rows.*", "rows.*.sku"}),
        ("export const code = async (inputs) => { if (inputs.b.x == inputs.b.y) {} }", {"x", "y"}),
        ("export const code = async (inputs) => outputs.inputs.b.x", set()),
        ("const inputs_b = 1;", set()),
    ],
)  # fmt: skip
def test_what_code_reads_of_an_input_is_found(source: str, places: set[str]) -> None:
    assert read(flow(code(source, b=BODY))) == places | {""}


def test_a_trigger_that_hands_on_the_body_itself_is_read_without_body() -> None:
    tree = flow({"settings": {"input": {"a": "{{trigger['fullName']}}"}}})
    assert read(tree, body_is_output=True) == {"fullName"}
    assert read(tree) == set()


@pytest.mark.parametrize(
    "tree",
    [
        None,
        [],
        {},
        {"settings": 1},
        {"nextAction": {"settings": {"branches": [1, {"conditions": [[3]]}], "sourceCode": 5}}},
    ],
)
def test_odd_trees_are_read_without_a_crash(tree: Any) -> None:
    assert references.find_references(tree) == []


def test_half_letters_reach_no_page() -> None:
    tree = flow(
        {"displayName": "a\ud800b", "settings": {"input": {"x": "{{trigger.body.ok}}{{trigger['body']['\ud800']}}"}}}
    )
    assert [(one.path, one.step) for one in references.find_references(tree)] == [(("ok",), "a\ufffdb")]
