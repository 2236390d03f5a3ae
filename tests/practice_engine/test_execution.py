"""The parts of an execution: templates, conditions, code behaviours, response steps."""

import itertools
from typing import Any

import pytest

from practice_engine import code_steps, expressions, piece_steps
from practice_engine.execution import Execution, Pause, Sleep
from practice_engine.http import Response
from practice_engine.ids import is_id, named_id
from practice_engine.tree import schedule_for

KNOWN = {"trigger": {"body": {"x": 1, "list": [{"a": "b"}], "đơn hàng": 5}}, "step_1": {"total": 22}}


@pytest.mark.parametrize(
    ("template", "value"),
    [
        ("{{trigger.body.x}}", 1),
        ("{{ trigger['body'][\"x\"] }}", 1),
        ("{{trigger.body.list[0].a}}", "b"),
        ("{{trigger.body['đơn hàng']}}", 5),
        ("{{trigger.body.list.length}}", 1),
        ("{{trigger.body.list}}", [{"a": "b"}]),
        ("{{trigger.body.nothing}}", ""),
        ("{{nobody.x}}", ""),
        ("{{1 + 1}}", ""),
        ("{{}}", ""),
        ("total {{step_1['total']}} of {{trigger.body.list}}!", 'total 22 of [{"a": "b"}]!'),
        ({"a": ["{{step_1.total}}", 7, None]}, {"a": [22, 7, None]}),
        ("no template", "no template"),
    ],
)
def test_templates(template: Any, value: Any) -> None:
    assert expressions.resolve(template, KNOWN) == value


@pytest.mark.parametrize(
    ("operator", "first", "second", "holds"),
    [
        ("TEXT_CONTAINS", "Đơn HÀNG", "hàng", True),
        ("TEXT_DOES_NOT_CONTAIN", "abc", "x", True),
        ("TEXT_EXACTLY_MATCHES", "abc", "ABC", True),
        ("TEXT_DOES_NOT_EXACTLY_MATCH", "abc", "abc", False),
        ("TEXT_START_WITH", "abc", "ab", True),
        ("TEXT_DOES_NOT_START_WITH", "abc", "ab", False),
        ("TEXT_ENDS_WITH", "abc", "bc", True),
        ("TEXT_DOES_NOT_END_WITH", "abc", "bc", False),
        ("LIST_CONTAINS", ["A", "b"], "a", True),
        ("LIST_DOES_NOT_CONTAIN", '["a"]', "a", False),
        ("NUMBER_IS_GREATER_THAN", 12, "10", True),
        ("NUMBER_IS_LESS_THAN", "x", "10", False),
        ("NUMBER_IS_EQUAL_TO", "10.0", 10, True),
        ("DATE_IS_BEFORE", "2025-01-01", "2025-01-02T00:00:00Z", True),
        ("DATE_IS_AFTER", "2025-01-01", "never", False),
        ("DATE_IS_EQUAL", "2025-01-01T00:00:00Z", "2025-01-01", True),
        ("EXISTS", "", None, False),
        ("DOES_NOT_EXIST", None, None, True),
        ("BOOLEAN_IS_TRUE", "true", None, True),
        ("BOOLEAN_IS_FALSE", False, None, True),
        ("LIST_IS_EMPTY", [], None, True),
        ("LIST_IS_NOT_EMPTY", "[1]", None, True),
        ("NO_SUCH_OPERATOR", 1, 1, False),
    ],
)
def test_operators(operator: str, first: Any, second: Any, holds: bool) -> None:
    assert expressions.holds([[{"operator": operator, "firstValue": first, "secondValue": second}]]) is holds


def test_conditions_are_or_of_and() -> None:
    true, false = {"operator": "EXISTS", "firstValue": 1}, {"operator": "EXISTS", "firstValue": ""}
    assert expressions.holds([[false], [true]])
    assert not expressions.holds([[true, false]])
    assert not expressions.holds([[]])
    sensitive = {"operator": "TEXT_EXACTLY_MATCHES", "firstValue": "a", "secondValue": "A", "caseSensitive": True}
    assert not expressions.holds([[sensitive]])


def test_unknown_code_gives_its_inputs_back_and_markers_say_otherwise() -> None:
    assert code_steps.run("export const code = async (inputs) => fetch(inputs.url);", {"a": 1}).output == {"a": 1}
    waited = code_steps.run('// practice: sleep 8\n// practice: return {"ok": true}', {})
    assert (waited.seconds, waited.output) == (8, {"ok": True})
    assert code_steps.run("// practice: fail không được", {}).error == "Error: không được"
    assert "no behaviour" in code_steps.run("// practice: fly", {}).error
    assert code_steps.run("// practice: big 2", {}).output == {"text": "x" * 2000}
    assert code_steps.run("// practice: order-total", {"items": "x"}).error.startswith("TypeError")


def test_a_redirect_gets_a_scheme_where_it_has_none() -> None:
    done = piece_steps.run(
        piece_steps.WEBHOOK, "return_response", {"responseType": "redirect", "fields": {"body": "a.example"}}
    )
    assert done.response is not None
    assert (done.response.status, done.response.headers["location"]) == (301, "https://a.example")


def step(name: str, kind: str, following: Any = None, **settings: Any) -> dict[str, Any]:
    found: dict[str, Any] = {"name": name, "displayName": name, "type": kind, "valid": True, "settings": settings}
    return {**found, **({"nextAction": following} if following else {})}


def code(name: str, marker: str, following: Any = None, **values: Any) -> dict[str, Any]:
    return step(name, "CODE", following, sourceCode={"code": f"// practice: {marker}"}, input=values)


def test_an_execution_yields_its_effects_and_continues_after_a_pause() -> None:
    last = code("step_3", "echo", x="{{step_1.slept}}")
    delay = step(
        "step_2",
        "PIECE",
        last,
        pieceName=piece_steps.DELAY,
        actionName="delayFor",
        input={"unit": "minutes", "delayFor": 2},
    )
    trigger = step("trigger", "PIECE_TRIGGER", code("step_1", "sleep 3", delay))
    execution = Execution(trigger, {"body": {}})
    effects = execution.effects
    assert [next(effects), next(effects)] == [Sleep(3.0), Pause(120.0)]
    again = Execution(trigger, {"body": {}}, execution.steps)
    assert list(again.effects) == []
    assert again.steps["step_3"]["output"] == {"x": 3}


def test_an_execution_continues_in_a_loop_where_it_failed() -> None:
    inner = code("step_2", "order-total", items="{{step_1.item}}")
    trigger = step(
        "trigger",
        "PIECE_TRIGGER",
        {**step("step_1", "LOOP_ON_ITEMS", items="{{trigger.body}}"), "firstLoopAction": inner},
    )
    execution = Execution(trigger, {"body": [[], "no list"]})
    assert list(execution.effects) == []
    assert execution.failed_step is not None
    assert (execution.status, execution.failed_step["name"]) == ("FAILED", "step_2")
    iterations = execution.steps["step_1"]["output"]["iterations"]
    assert [one["step_2"]["status"] for one in iterations] == ["SUCCEEDED", "FAILED"]
    again = Execution(trigger, {"body": [[], []]}, execution.steps)
    list(again.effects)
    assert again.steps["step_1"]["output"]["iterations"][0]["step_2"] is iterations[0]["step_2"]
    assert again.steps["step_1"]["output"]["iterations"][1]["step_2"]["status"] == "SUCCEEDED"


def test_all_matching_branches_run_and_skipped_steps_do_not() -> None:
    true = [[{"operator": "EXISTS", "firstValue": "x"}]]
    branches: list[dict[str, Any]] = [
        {"branchType": "CONDITION", "branchName": name, "conditions": true} for name in "AB"
    ]
    branches.append({"branchType": "FALLBACK", "branchName": "Rest"})
    router = step("step_1", "ROUTER", branches=branches, executionType="EXECUTE_ALL_MATCH")
    router["children"] = [code("step_2", "echo"), {**code("step_3", "echo"), "skip": True}, code("step_4", "echo")]
    execution = Execution(step("trigger", "PIECE_TRIGGER", router), {})
    list(execution.effects)
    assert list(execution.steps) == ["trigger", "step_1", "step_2"]
    assert [one["evaluation"] for one in execution.steps["step_1"]["output"]["branches"]] == [True, True, False]


def test_only_the_triggers_own_piece_answers() -> None:
    answer = {"input": {"fields": {"body": {}}}, "actionName": "return_response"}
    for piece, effects in ((piece_steps.WEBHOOK, 1), (piece_steps.FORMS, 0)):
        trigger = step(
            "trigger",
            "PIECE_TRIGGER",
            step("step_1", "PIECE", code("step_2", "echo"), pieceName=piece, **answer),
            pieceName=piece_steps.WEBHOOK,
        )
        execution = Execution(trigger, {})
        yielded = execution.effects
        assert sum(isinstance(effect, Response) for effect in itertools.islice(yielded, effects)) == effects
        assert list(yielded) == []
        assert list(execution.steps) == ["trigger", "step_1"]


def test_schedules_and_ids() -> None:
    daily = step("trigger", "PIECE_TRIGGER", pieceName="@activepieces/piece-schedule", triggerName="every_day")
    daily["settings"]["input"] = {"hour_of_the_day": 9, "timezone": "Asia/Ho_Chi_Minh", "run_on_weekends": True}
    assert schedule_for(daily) == {
        "type": "CRON_EXPRESSION",
        "cronExpression": "0 9 * * *",
        "timezone": "Asia/Ho_Chi_Minh",
    }
    assert schedule_for({"settings": {}}) is None
    assert is_id(named_id("flow quick"))
    assert named_id("flow quick") == named_id("flow quick") != named_id("flow orders")
