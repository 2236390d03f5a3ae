"""What a flow will do, in sentences: the common steps in their own words, others "use X", branches and loops folded, the rest counted."""

from datetime import timedelta
from typing import Any

import pytest
from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone, translation

from practice_engine.samples import sample_flows
from tests import flows, step_trees
from tests.launches.launch_scene import Scene, text_of, unescape
from workflows_ui.flows import story as flow_story
from workflows_ui.flows.story import Known
from workflows_ui.launches.models import Launch, State

KNOWN = Known(
    {"@activepieces/piece-stripe": "Stripe"},
    {"wa-sales": ("c1", "Sales line")},
    {"orders": ("t1", "Orders")},
)


def _lines(story: flow_story.Story) -> list[str]:
    """The story as lines, what is inside further in."""

    def add_lines(sentences: Any, more: int, depth: int) -> list[str]:
        found = []
        for sentence in sentences:
            found.append("  " * depth + "".join(text for text, _name in sentence.parts))
            for branch in sentence.inner:
                if branch.label:
                    found.append("  " * depth + " " + "".join(text for text, _name in branch.label))
                found += add_lines(branch.sentences, branch.more, depth + 1)
        return [*found, "  " * depth + f"+{more}"] if more else found

    return add_lines(story.sentences, story.more, 0)


def _story_lines(*steps: dict[str, Any], known: Known = KNOWN) -> list[str]:
    return _lines(flow_story.build_story(step_trees.chain(step_trees.webhook(), *steps), known))


def _act(piece: str, action: str, title: str = "A step", **inputs: Any) -> dict[str, Any]:
    return step_trees.action("step_9", title, piece, "~0.1.0", action, **inputs)


def test_the_common_steps_have_sentences_of_their_own() -> None:
    assert _story_lines(
        _act("whatsapp", "sendMessage", auth="{{connections['wa-sales']}}"),
        _act("tables", "tables-create-records", table_id="orders"),
        _act("approval", "wait_for_approval"),
        step_trees.delay("step_4", "Wait", 2, "hours"),
        _act("http", "send_request", url="https://api.example.com/x?y={{trigger['body']}}", method="POST"),
        _act("stripe", "create_customer", "Make the customer"),
        step_trees.code("step_7", "Add it up", "return 1"),
    ) == [
        "Sends a WhatsApp message with Sales line",
        "Writes to the table Orders",
        "Waits until someone approves or declines",
        "Waits 2 h",
        "Sends data to api.example.com",
        "Uses Stripe: Make the customer",
        "Add it up (custom code)",
    ]


def test_without_names_the_sentences_do_without() -> None:
    assert _story_lines(
        _act("whatsapp", "sendMessage", auth="{{connections['wa-sales']}}"),
        _act("tables", "tables-find-records", table_id="orders"),
        _act("my-own-app", "do_it", "Do it"),
        known=Known(),
    ) == ["Sends a WhatsApp message", "Looks something up in a table", "Uses My Own App: Do it"]


def test_branches_and_loops_are_folded_into_their_sentence() -> None:
    inner = _act("gmail", "send_email")
    route = step_trees.router(
        "step_2",
        "Route",
        (step_trees.when("VIP customer", "BOOLEAN_IS_TRUE", "{{trigger['body']['vip']}}"), inner),
        (step_trees.when("Branch 2", "NUMBER_IS_GREATER_THAN", "{{trigger['body']['amount']}}", "10"), None),
        (step_trees.otherwise(), step_trees.delay("step_3", "Wait", 3, "days")),
    )
    assert _story_lines(step_trees.loop("step_1", "Each", "{{trigger['body']['items']}}", route)) == [
        "For each of items:",
        "  Finds the first case that applies:",
        "   If VIP customer:",
        "    Sends an email",
        "   If amount is greater than 10:",
        "    Nothing more happens here",
        "   Otherwise:",
        "    Waits 3 days",
    ]
    rest = step_trees.router("step_2", "Route", (step_trees.otherwise() | {"branchName": "Còn lại"}, inner))
    assert _story_lines(rest)[1].strip() == "Otherwise (Còn lại):"
    with translation.override("vi"):
        assert _story_lines(rest)[1].strip() == "Còn lại:"


def test_long_flows_are_shown_as_far_as_people_read_and_the_rest_is_counted() -> None:
    loop = step_trees.loop(
        "step_12", "Each", "", step_trees.chain(_act("gmail", "send_email"), _act("gmail", "send_email"))
    )
    lines = _story_lines(*[_act("gmail", "send_email") for _number in range(10)], loop)
    assert lines == ["Sends an email"] * 8 + ["+5"]


def test_skipped_steps_are_left_out() -> None:
    assert _story_lines({**_act("gmail", "send_email"), "skip": True}, step_trees.delay("s", "Wait", 5, "minutes")) == [
        "Waits 5 min"
    ]


@pytest.mark.parametrize(
    "tree",
    [None, [], "x", {}, {"nextAction": "x"}, {"nextAction": {"type": "PIECE"}}, {"nextAction": {"type": "ROUTER", "children": "x"}},
     {"nextAction": {"type": "ROUTER", "children": [1, None, {}], "settings": {"branches": [None, 7, {"conditions": [[{}], 3]}]}}},
     {"nextAction": {"type": "LOOP_ON_ITEMS", "settings": {"items": {"a": 1}}, "firstLoopAction": {"type": "NEW"}}},
     {"nextAction": {"type": "PIECE", "displayName": "x" * 10_000, "settings": {"pieceName": "@a/piece-http", "input": {"url": "http://[x"}}}},
     {"nextAction": {"settings": {"pieceName": "piece-delay", "actionName": "delayFor", "input": {"delayFor": "1e999", "unit": None}}}},
     {"nextAction": {"settings": {"pieceName": "piece-delay", "actionName": "delayFor", "input": {"delayFor": -5, "unit": "hours"}}}}],
)  # fmt: skip
def test_odd_trees_are_shown_too(tree: Any) -> None:
    _lines(flow_story.build_story(tree, KNOWN))


def test_a_tree_that_bites_its_tail_ends() -> None:
    first: dict[str, Any] = {"type": "PIECE"}
    first["nextAction"] = {"type": "LOOP_ON_ITEMS", "firstLoopAction": first, "nextAction": first}
    assert _lines(flow_story.build_story({"nextAction": first}))


@pytest.mark.parametrize("sample", sample_flows().values(), ids=lambda sample: sample.slug)
def test_every_sample_flow_has_a_story(sample: Any) -> None:
    lines = _lines(flow_story.build_story(sample.trigger))
    assert lines
    assert all(line.strip() for line in lines)


# --- On the launch form ------------------------------------------------------------------------------


def _second_look(scene: Scene, flow: str) -> str:
    headers = {"HX-Request": "true", "HX-Target": "will-do"}
    return text_of(scene.browser.get(reverse("flow_does", args=["sales", flow]), headers=headers))


def test_the_launch_form_says_what_it_will_do_and_how_it_has_done(scene: Scene) -> None:
    flow = flows.make(scene.workflows, "Quick", flows.delay(60), flows.response({"ok": True}))
    now = timezone.now()
    for number, state in enumerate([State.SUCCEEDED] * 4 + [State.FAILED]):
        scene.row(
            flow_id=flow,
            state=state,
            user=scene.users.owner,
            run_started_at=now,
            run_finished_at=now + timedelta(seconds=3),
            asked_at=now - timedelta(minutes=number),
        )
    page = unescape(text_of(scene.browser.get(scene.url(flow))))
    assert "What this will do" in page
    assert "Answers the launcher" in page
    assert "4 of its last 5 finished launches from here succeeded" in page
    assert "3.0 s" in page.partition("Usually takes")[2][:60]
    assert "owner" in page.partition("Last launch")[2].partition("</dl>")[0]
    assert 'hx-get="' + reverse("flow_does", args=["sales", flow]) in page


def test_the_second_look_counts_the_engines_runs_and_asks_no_more(scene: Scene) -> None:
    flow = flows.make(scene.workflows, "Quick", flows.response({"ok": True}))
    for _number in range(3):
        scene.workflows.trigger_flow_sync(flow, {})
    part = _second_look(scene, flow)
    assert "<html" not in part
    assert "All of the last 3 finished runs succeeded" in part
    assert "less than a second" in part.partition("Usually takes")[2][:60]
    assert "hx-get" not in part
    assert "What this will do" in text_of(scene.browser.get(reverse("flow_does", args=["sales", flow])))


def test_the_flows_page_and_its_launch_form_show_one_figure_and_what_it_counts(scene: Scene) -> None:
    flow = flows.make(scene.workflows, "Quick", flows.response({"ok": True}))
    scene.row(flow_id=flow, state=State.FAILED)
    for _number in range(3):
        scene.workflows.trigger_flow_sync(flow, {})
    figure = "All of the last 3 finished runs succeeded"
    assert figure in _second_look(scene, flow)
    page = text_of(scene.browser.get(reverse("resource_detail", args=["sales", "flows", flow])))
    assert figure in page
    assert "finished launches" not in page


def test_a_second_look_that_fails_changes_nothing(scene: Scene) -> None:
    flow = flows.make(scene.workflows, "Quick", flows.response({"ok": True}))
    scene.server.stop()
    headers = {"HX-Request": "true", "HX-Target": "will-do"}
    response = scene.browser.get(reverse("flow_does", args=["sales", flow]), headers=headers)
    assert isinstance(response, HttpResponse)
    assert response.status_code == 204


def test_a_flow_that_was_never_launched_says_no_more_than_what_it_does(scene: Scene) -> None:
    flow = flows.make(scene.workflows, "New", flows.response({"ok": True}))
    page = text_of(scene.browser.get(scene.url(flow)))
    assert "Answers the launcher" in page
    assert "It succeeded" not in page
    assert not Launch.objects.exists()


def test_names_in_a_story_stay_text(scene: Scene) -> None:
    step = {**flows.code("echo"), "displayName": "<img src=x> " + "n" * 10_000}
    flow = flows.make(scene.workflows, "Odd", step)
    page = text_of(scene.browser.get(scene.url(flow)))
    assert "<img src=x>" not in page
    assert "&lt;img src=x&gt;" in page


def test_the_flows_own_page_shows_it_too(scene: Scene) -> None:
    flow = flows.make(scene.workflows, "Quick", flows.response({"ok": True}))
    page = text_of(scene.sign_in(scene.users.owner).get(reverse("resource_detail", args=["sales", "flows", flow])))
    assert "What this will do" in page
    assert "Answers the launcher" in page
