"""Files of other workspaces: what takes the place of their apps, connections, tables and flows, and starters, which are matched alike."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from tests.flow_editing.test_flow_imports import NEW, code, exported_flow, imports, new, newest, old, piece, webhook
from tests.practice_engine.fixtures import until
from tests.resources.test_flow_actions import hidden, key_of, names, state, upload, url
from tests.stage import Stage, lead
from tests.stub_engine import text
from workflows_ui.engine import flow_tree
from workflows_ui.flow_editing.imports import contents
from workflows_ui.flow_editing.starters.forms import starters
from workflows_ui.members.models import Flavour

FACTS = Path(__file__).parents[1] / "practice_engine" / "facts"
#: Recorded imports of trees that a real engine exported, by the version of the recording.
RECORDED = [
    ("0.72.4", "flow_import_02_import"),
    ("0.83.0", "op_import_flow_from_template_file"),
    ("0.83.0", "op_import_flow_file_of_0_72_4"),
    ("0.83.0", "op_import_flow_known_piece_wrong_input_valid_true"),
]
STEPS = "/w/sales/flows/{}/?tab=steps"


def recorded(version: str, name: str) -> dict[str, Any]:
    """The flow that the recorded request imports."""
    facts = json.loads((FACTS / f"{version}.json").read_text(encoding="utf-8"))
    (fact,) = (fact for fact in facts if fact["name"] == name)
    flow: dict[str, Any] = fact["body"]["request"]
    return flow


def left_to_do(stage: Stage, flow: str) -> str:
    page = text(stage.browser.get(STEPS.format(flow)).content)
    return page.partition('aria-label="What is missing"')[2].partition("</section>")[0]


def publish(stage: Stage, flow: str) -> None:
    stage.browser.post(url("publish", flow), {"sure": "yes"})
    until(lambda: state(stage, flow)["status"] == "ENABLED")


@pytest.mark.sampled(2)
@pytest.mark.parametrize(("version", "name"), RECORDED, ids=[name for _version, name in RECORDED])
def test_a_recorded_flow_is_imported_checked_and_published(stage: Stage, version: str, name: str) -> None:
    flow = recorded(version, name)
    asked = stage.browser.post(NEW, {"file": upload(flow), "name": "Recorded"})
    assert "Webhook" in text(asked.content)
    key = key_of(stage.browser.post(NEW, hidden(asked)))
    version_now = state(stage, key)["version"]
    walked = [node.name for node in flow_tree.walk(flow["trigger"])]
    assert [node.name for node in flow_tree.walk(version_now["trigger"])] == walked
    complete = "wrong_input" not in name
    assert version_now["valid"] is complete, "as the engine decides, whatever the file says"
    assert (not left_to_do(stage, key)) is complete
    for node in flow_tree.walk(version_now["trigger"]):
        if node.step.get("valid") is False:
            settings = node.step["settings"]
            settings["input"] = settings["input"] | {"authType": "none", "authFields": {}, "fields": {"body": {}}}
            kind = "UPDATE_TRIGGER" if node.name == "trigger" else "UPDATE_ACTION"
            body = {part: node.step[part] for part in ("name", "type", "displayName", "settings", "valid")}
            stage.session.workflows.apply_flow_operation(key, {"type": kind, "request": body})
    publish(stage, key)


def a_file(stage: Stage) -> dict[str, Any]:
    """A flow with an app in another version, connections, a table, and a flow that it calls."""
    gmail = newest(stage, "gmail")
    mail: dict[str, Any] = {
        "receiver": ["a@example.com"],
        "subject": "{{trigger['body']['a']}}",
        "body_type": "plain_text",
    }
    mail |= {"body": "{{connections['not-here']}} connections['not-here']", "draft": False}
    auth = {"auth": "{{connections['not-here']}}"}
    tables, subflows = newest(stage, "tables"), newest(stage, "subflows")
    call = {"flowId": "flow-there", "mode": "simple", "flowProps": {"a": 1}, "waitForResponse": False}
    return old(
        webhook(
            piece("gmail", "send_email", auth | mail, gmail, step="step_1"),
            piece(
                "tables",
                "tables-create-records",
                {"table_id": "table-there", "values": {"a": 1}},
                tables,
                step="step_2",
            ),
            piece("subflows", "callFlow", call, subflows, step="step_3"),
            code("step_4", settings=code()["settings"] | {"input": {"a": 1.0, "b": "{{trigger['body']}}", "c": None}}),
            piece("slack", "send_channel_message", auth | {"text": "x", "channel": "y"}, "99.0.0", step="step_5"),
        ),
        "Of elsewhere",
    )


def test_what_is_chosen_takes_the_place_and_all_else_stays_as_in_the_file(stage: Stage) -> None:
    workflows = stage.session.workflows
    table = workflows.create_table("Orders <b>")
    file = a_file(stage)
    file["template"]["trigger"]["settings"]["pieceVersion"] = newest(stage, "webhook")
    asked = stage.browser.post(NEW, {"file": upload(file)})
    page = text(asked.content)
    assert f"{newest(stage, 'slack')} instead of 99.0.0" in page
    assert "Connection “not-here” of Gmail, Slack" in page
    assert "Orders &lt;b&gt;" in page
    typed = hidden(asked)
    answer = stage.browser.post(
        NEW, typed | {"flow-2": "-", "connection-0": "gmail-sales", "table-1": table["externalId"]}
    )
    (sent,) = imports(stage)
    expected = json.loads(
        json.dumps(file["template"]["trigger"])
        .replace("{{connections['not-here']}}", "{{connections['gmail-sales']}}")
        .replace("table-there", table["externalId"])
        .replace('"99.0.0"', f'"{newest(stage, "slack")}"')
        .replace('"flowId": "flow-there", ', "")
    )
    assert json.dumps(sent["trigger"]) == json.dumps(expected)
    left = left_to_do(stage, key_of(answer))
    assert "Do callFlow" in left
    assert "“Flow” is not filled in." in left
    assert "Do send_email" not in left


def columns(*names: str) -> dict[str, Any]:
    """The fields of a step for the columns of a table, by ids like `id-of-SKU`."""
    return {f"id-of-{name}": {"type": "SHORT_TEXT", "displayName": name, "required": False} for name in names}


def test_columns_of_another_table_are_found_by_name_and_others_are_named_before_anything_is_sent(stage: Stage) -> None:
    workflows = stage.session.workflows
    table, version = workflows.create_table("Orders"), newest(stage, "tables")
    sku, value = (workflows.create_field(table["id"], name, "TEXT") for name in ("SKU", "value"))
    rows = {"values": {"type": "ARRAY", "displayName": "value", "properties": columns("SKU", "Due")}}
    added = {"table_id": "there", "values": {"values": [{"id-of-SKU": "{{a}}", "id-of-Due": "x"}, {"id-of-SKU": "b"}]}}
    changed = {"table_id": "there", "record_id": "1", "values": {"id-of-value": "id-of-value", "unknown": 1}}
    filters = [{"field": {"id": "other", "type": "DATE", "name": name}, "value": "y"} for name in ("SKU", "Gone")]
    found = {"table_id": "there", "filters": {"filters": [*filters, {"field": "{{x}}"}, 7]}}
    steps = [
        piece("tables", f"tables-{action}", given, version, step=f"step_{number}")
        for number, (action, given) in enumerate(
            (("create-records", added), ("update-record", changed), ("find-records", found)), 1
        )
    ]
    for step, schema in zip(steps, (rows, columns("value", "Unused")), strict=False):
        step["settings"]["propertySettings"] = {"values": {"type": "MANUAL", "schema": schema}}
    stage.practice.journal.clear()
    asked = stage.browser.post(NEW, {"file": upload(old(webhook(*steps)))})
    typed = hidden(asked) | {"table-0": "-"}
    assert "has no column" not in text(asked.content)
    again = stage.browser.post(NEW, typed | {"table-0": table["externalId"]})
    assert again.status_code == 200
    page = text(again.content)
    assert "The table that takes the place of another has no column" in page
    for said in (
        "Do tables-create-records: “Due”",
        "Do tables-update-record: “unknown”",
        "Do tables-find-records: “Gone”",
    ):
        assert said in page, said
    assert page.count("“Unused”") == 0
    assert not stage.writes()
    stage.browser.post(NEW, hidden(again) | {"table-0": table["externalId"]})
    (sent,) = imports(stage)
    first, second, third = (node.step["settings"] for node in list(flow_tree.walk(sent["trigger"]))[1:])
    assert first["input"]["values"] == {
        "values": [{sku["externalId"]: "{{a}}", "id-of-Due": "x"}, {sku["externalId"]: "b"}]
    }
    properties = first["propertySettings"]["values"]["schema"]["values"]["properties"]
    assert list(properties) == [sku["externalId"], "id-of-Due"]
    assert second["input"]["values"] == {value["externalId"]: "id-of-value", "unknown": 1}
    assert list(second["propertySettings"]["values"]["schema"]) == [value["externalId"], "id-of-Unused"]
    here = {"id": sku["id"], "type": "TEXT", "name": "SKU"}
    assert third["input"]["filters"] == {"filters": [filters[0] | {"field": here}, filters[1], {"field": "{{x}}"}, 7]}


def test_a_connection_is_chosen_already_where_it_is_likely(stage: Stage) -> None:
    gmail, slack = newest(stage, "gmail"), newest(stage, "slack")
    tree = webhook(
        piece("gmail", "send_email", {"auth": "{{connections['gmail-sales']}}"}, gmail, step="step_1"),
        piece("slack", "send_channel_message", {"auth": "{{connections['elsewhere']}}"}, slack, step="step_2"),
        piece("gmail", "send_email", {"auth": "{{connections['unknown']}}"}, gmail, step="step_3"),
        piece("stripe", "create_customer", {"auth": "{{connections['pay']}}"}, newest(stage, "stripe"), step="step_4"),
    )
    asked = stage.browser.post(NEW, {"file": upload(old(tree))})
    typed = hidden(asked)
    assert typed["connection-0"] == ["gmail-sales"], "the same external id"
    assert typed["connection-1"] == ["slack-team"], "the only one of the app"
    assert typed["connection-2"] == [""], "one of several"
    again = stage.browser.post(NEW, typed | {"again": "1", "connection-1": "-"})
    assert again.status_code == 200
    assert hidden(again)["connection-1"] == ["-"], "what was chosen is kept"
    assert not stage.writes()


@pytest.mark.slow
def test_a_file_that_names_thousands_of_things_makes_a_form_of_bounded_size_and_few_calls(stage: Stage) -> None:
    auths = "".join(f"{{{{connections.c{number}}}}}" for number in range(2000))
    steps = [code("step_1", settings=code()["settings"] | {"input": {"a": auths}})]
    steps += [piece(f"odd-{number}", "do", {}, step=f"step_{number}") for number in range(2, 9)]
    flows = [old(webhook(*steps[:1], *steps[1:]), f"Flow {number}")["template"] for number in range(30)]
    for number, flow in enumerate(flows):
        for node in flow_tree.walk(flow["trigger"]):
            if "odd" in str(node.step["settings"].get("pieceName")):
                node.step["settings"]["pieceName"] += f"-{number}"
    stage.practice.journal.clear()
    asked = stage.browser.post(NEW, {"file": upload({"flows": flows})})
    assert len([name for name in hidden(asked) if name.startswith("connection-")]) == 100
    assert "no room for 1900 more" in text(asked.content)
    asked_for = [one for one in stage.practice.journal.all() if "/v1/pieces/" in one.path and "odd-" in one.path]
    assert len(asked_for) < 120, "of 210 apps, each asked about by several checks"


def test_a_draft_that_was_changed_meanwhile_is_not_replaced_without_a_question(stage: Stage) -> None:
    flow = stage.session.workflows.create_flow("Stays")["id"]
    address = url("import-here", flow)
    asked = stage.browser.post(address, {"file": upload(old(webhook(code(), dated=True)))})
    stage.session.workflows.apply_flow_operation(flow, {"type": "CHANGE_NAME", "request": {"displayName": "Changed"}})
    again = stage.browser.post(address, hidden(asked))
    assert again.status_code == 200
    assert "The flow has been changed since you opened this page." in text(again.content)
    assert not imports(stage)
    assert stage.browser.post(address, hidden(again)).status_code == 303


def test_inputs_that_the_app_does_not_know_are_named(stage: Stage) -> None:
    if stage.users.workspace.flavour == Flavour.IMBRACE:
        pytest.skip("Imbrace's engine leaves them out while it imports.")
    tree = webhook(piece("delay", "delayFor", {"unit": "seconds", "delayFor": 1, "odd<b>": 1}, newest(stage, "delay")))
    tree["settings"]["pieceVersion"] = newest(stage, "webhook")
    asked = stage.browser.post(NEW, {"file": upload(new(exported_flow(tree)))})
    page = text(stage.browser.get(lead(stage.browser.post(NEW, hidden(asked)))).content)
    assert "The app of “Do delayFor” does not know “odd&lt;b&gt;” of the file; the engine left it out." in page


def test_an_engine_that_stops_answering_during_the_check_is_said(stage: Stage) -> None:
    asked = stage.browser.post(NEW, {"file": upload(old(webhook(code(valid=False), dated=True), "Half checked"))})
    stage.practice.engine.faults.add("status", "POST", "/v1/flows/*", status=503, schedule="-x")
    page = text(stage.browser.get(lead(stage.browser.post(NEW, hidden(asked)))).content)
    assert "The engine did not check" in page


@pytest.mark.sampled(3)
@pytest.mark.parametrize("key", starters())
def test_a_starter_becomes_a_flow_that_can_be_published(stage: Stage, key: str) -> None:
    address = f"/w/sales/flows/do/new/?starter={key}"
    table = stage.session.workflows.create_table("Answers")["externalId"]
    typed = hidden(stage.browser.get(address))
    chosen = {"connection": "gmail-sales", "table": table}
    chosen = {name: chosen[name.partition("-")[0]] for name, value in typed.items() if value == [""] and "-" in name}
    answer = stage.browser.post("/w/sales/flows/do/new/", typed | chosen)
    assert lead(answer).endswith("?tab=steps"), text(answer.content)
    flow = state(stage, key_of(answer))
    assert flow["status"] == "DISABLED"
    assert CHOOSE not in json.dumps(flow["version"]["trigger"])
    left = left_to_do(stage, flow["id"])
    assert UNFINISHED[key] in left if key in UNFINISHED else not left
    publish(stage, flow["id"])


CHOOSE = f"'{contents.CHOOSE}'"
#: What a person still has to say.
UNFINISHED = {
    "form-row": "It has no values for the columns of its table.",
    "schedule-slack": "“Channel” is not filled in.",
    "schedule-mail": "“To” is not filled in.",
    "approval": "“To” is not filled in.",
}


def test_starters_are_offered_with_the_apps_that_the_engine_lacks(stage: Stage) -> None:
    address = "/w/sales/flows/do/new/"
    page = text(stage.browser.get(address).content)
    assert "An empty flow" in page
    assert 'href="/w/sales/flows/do/new/?starter=approval"' in page
    assert "Not installed" not in page


@pytest.mark.slow
@pytest.mark.parametrize("stage", ["activepieces"], indirect=True)
def test_a_starter_whose_apps_the_engine_lacks_becomes_a_flow_whose_steps_say_so(stage: Stage) -> None:
    used = {name for starter in starters().values() for name in starter.pieces}
    lacking = sorted(used - {"@activepieces/piece-webhook"})
    stage.practice.engine.settings.missing_pieces = lacking
    for key, starter in starters().items():
        before = len(stage.session.workflows.list_flows(limit=100)["data"])
        typed = hidden(stage.browser.get(f"/w/sales/flows/do/new/?starter={key}"))
        chosen = {name: "-" for name, value in typed.items() if value == [""] and "-" in name}
        answer = stage.browser.post("/w/sales/flows/do/new/", typed | chosen)
        assert lead(answer).endswith("?tab=steps"), (key, text(answer.content)[-1500:])
        assert len(stage.session.workflows.list_flows(limit=100)["data"]) == before + 1
        flow = state(stage, key_of(answer))
        for node in flow_tree.walk(flow["version"]["trigger"]):
            piece_name = node.step["settings"].get("pieceName")
            assert not piece_name or node.step["settings"]["pieceVersion"]
            assert piece_name not in lacking or node.step["valid"] is False
        left = left_to_do(stage, flow["id"])
        assert ("The engine does not have the app" in left) is bool(set(starter.pieces) & set(lacking)), (key, left)


@pytest.mark.parametrize("status", [500, 400, 404, 502])
def test_a_flow_whose_steps_cannot_be_imported_is_not_left_behind(stage: Stage, status: int) -> None:
    before = [row["id"] for row in stage.session.workflows.list_flows(limit=100)["data"]]
    asked = stage.browser.post(NEW, {"file": upload(old(webhook(code()), "Gone again"))})
    stage.practice.engine.faults.add("status", "POST", "/v1/flows/*", status=status, times=1)
    answer = stage.browser.post(NEW, hidden(asked))
    assert answer.status_code == 422
    assert "The flow “Gone again” was not created" in text(answer.content)
    assert [row["id"] for row in stage.session.workflows.list_flows(limit=100)["data"]] == before


def test_a_flow_that_was_imported_although_the_answer_was_lost_is_there_once(stage: Stage) -> None:
    asked = stage.browser.post(NEW, {"file": upload(old(webhook(code()), "Here once"))})
    stage.practice.engine.faults.add("reset_after", "POST", "/v1/flows/*", times=1)
    answer = stage.browser.post(NEW, hidden(asked))
    assert lead(answer).endswith("?tab=steps"), text(answer.content)[-1500:]
    rows = stage.session.workflows.list_flows(limit=100)["data"]
    [row] = [row for row in rows if row["version"]["displayName"] == "Here once"]
    assert state(stage, row["id"])["version"]["trigger"]["nextAction"]["name"] == "step_1"


def test_a_flow_that_cannot_be_deleted_again_is_named(stage: Stage) -> None:
    asked = stage.browser.post(NEW, {"file": upload(old(webhook(code()), "Left over"))})
    stage.practice.engine.faults.add("status", "POST", "/v1/flows/*", status=500, times=1)
    stage.practice.engine.faults.add("status", "DELETE", "/v1/flows/*", status=503)
    answer = stage.browser.post(NEW, hidden(asked))
    assert answer.status_code == 422
    assert "It could not be deleted again" in text(answer.content)


def test_a_tree_is_rewritten_without_touching_the_one_that_was_read() -> None:
    tree = webhook(piece("gmail", "send_email", {"auth": "{{ connections.old }}", "body": '{{connections["old"]}}{{x'}))
    before = copy.deepcopy(tree)
    new_tree = contents.rewrite(tree, contents.Matches(connections={"old": "new"}))
    assert tree == before
    given = new_tree["nextAction"]["settings"]["input"]
    assert given == {"auth": "{{ connections['new'] }}", "body": "{{connections['new']}}{{x"}
    assert names(new_tree) == names(tree)


def test_the_quotes_of_an_external_id_do_not_end_an_expression() -> None:
    tree = webhook(piece("gmail", "send_email", {"auth": "{{connections['old']}}"}))
    for chosen, written in (
        ("it's", """{{connections["it's"]}}"""),
        ("'\"", "{{connections['old']}}"),
        ("}}", "{{connections['old']}}"),
    ):
        rewritten = contents.rewrite(tree, contents.Matches(connections={"old": chosen}))
        assert rewritten["nextAction"]["settings"]["input"]["auth"] == written
