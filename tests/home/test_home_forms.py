"""Home puts flows with a published form first, and tells those who look after flows what started elsewhere and which forms to mend."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests import flows
from tests.engine.servers import Reply
from tests.launch_forms.filled import ECHO, publish
from tests.launches.launch_scene import Scene, text_of
from tests.runs.test_run_starters import launched
from tests.stub_engine import (
    StubEngine,
    flow,
    identity,
    owner as owner,
    run,
    stub_engine as stub_engine,
    text,
    users as users,
)
from tests.users import Users, move
from workflows_ui.audit.services import audit_log
from workflows_ui.core.caching import answers
from workflows_ui.form_schema.document import Field, Form
from workflows_ui.launch_forms.models import LaunchFormVersion
from workflows_ui.launch_forms.services import launch_forms
from workflows_ui.members.models import LaunchRight, Workspace
from workflows_ui.web import markdown

HOME = "/w/sales/"
FLOWS = {"HX-Request": "true", "HX-Target": "home-flows"}
ATTENTION = {"HX-Request": "true", "HX-Target": "home-attention"}
FORM = Form(
    (Field("name", ("name",), label="Customer"),),
    note="## <Orders> of **today**\nare written into the table.\n\nAnd more.",
    button="Send the <orders>",
)


def _launched(page: str) -> list[str]:
    """The flows that are offered, in their order."""
    return re.findall(r'id="flow-[^"]*" href="/w/sales/flows/([^/]+)/launch/"', page)


def _row(users: Users, number: int, form: Form = FORM, name: str = "") -> str:
    """A published form for a flow of the stub engine."""
    place, flow_id = users.place(users.owner), identity(number)
    row = launch_forms.save(audit_log.CONSOLE, place, flow_id, name or f"Flow {number}", form, lock=None)
    launch_forms.publish(audit_log.CONSOLE, place, flow_id, lock=row.lock)
    return flow_id


def _rename(scene: Scene, flow_id: str, name: str) -> None:
    scene.workflows.apply_flow_operation(flow_id, {"type": "CHANGE_NAME", "request": {"displayName": name}})


def test_flows_with_a_form_come_first_with_the_first_line_of_their_note(scene: Scene) -> None:
    plain = flows.make(scene.workflows, "A plain one", ECHO)
    formed = publish(scene, FORM, name="The orders")
    _rename(scene, formed, "A draft of another name")
    page = text_of(scene.browser.get(HOME + "?flows=1"))
    assert _launched(page) == [formed, plain]
    assert "&lt;Orders&gt; of today<" in page
    assert "are written" not in page
    assert "The orders" in page
    assert "another name" not in page
    assert _launched(text_of(scene.browser.get(f"{HOME}?q=PLAIN", headers=FLOWS))) == [plain]
    scene.browser.post(f"{HOME}flows/{plain}/star/")
    assert _launched(text_of(scene.browser.get(HOME, headers=FLOWS))) == [formed, plain]


def test_a_flow_that_is_off_or_unpublished_is_not_offered_although_it_has_a_form(scene: Scene) -> None:
    off = publish(scene, FORM)
    scene.workflows.apply_flow_operation(off, {"type": "CHANGE_STATUS", "request": {"status": "DISABLED"}})
    assert _launched(text_of(scene.browser.get(HOME, headers=FLOWS))) == []


def test_forms_are_there_before_the_engine_was_asked_and_while_it_is_down(users: Users, client: Client) -> None:
    first, second = _row(users, 2, name="Đơn hàng"), _row(users, 1, Form(FORM.fields), name="")
    client.force_login(users.colleague)
    page = text(client.get(HOME).content)
    assert _launched(page) == [first, second]
    assert 'hx-trigger="load"' in page
    move(users.workspace, address="http://127.0.0.1:9/api")  # nobody listens there
    down = text(client.get(f"{HOME}?q=don", headers=FLOWS).content)
    assert _launched(down) == [first]
    assert "The list of flows cannot be shown right now" in down
    assert "flows with their own form below" in down


def test_nothing_is_said_to_be_sent_later_where_the_address_was_changed_outside(users: Users, client: Client) -> None:
    formed = _row(users, 1)
    Workspace.objects.filter(pk=users.workspace.pk).update(address="http://127.0.0.1:9/api")
    client.force_login(users.colleague)
    page = text(client.get(HOME, headers=FLOWS).content)
    assert _launched(page) == [formed]
    assert "No secret is sent there." in page
    assert "as soon as the engine answers" not in page


def test_a_form_that_cannot_be_opened_harms_no_home(users: Users, client: Client) -> None:
    broken = _row(users, 1)
    LaunchFormVersion.objects.update(schema="gAAAAAnothing")
    client.force_login(users.colleague)
    assert _launched(text(client.get(HOME).content)) == [broken]


def test_five_hundred_flows_come_page_by_page_and_are_walked_once_a_minute(
    users: Users, client: Client, stub_engine: StubEngine
) -> None:
    stub_engine.flows = [flow(number, f"Flow {number:03d}") for number in range(500)]
    stub_engine.flows[7]["version"]["displayName"] = "Đặt hàng"
    formed = {_row(users, number) for number in (400, 499)}
    client.force_login(users.colleague)
    seen: list[str] = []
    address = HOME
    for _ in range(9):
        answer = client.get(address, headers=FLOWS if address == HOME else {})
        page = text(answer.content)
        seen += _launched(page)
        older = re.search(r'rel="next" href="(\?[^"]*)"', page)
        address = HOME + older[1] if older else ""
    assert address == ""
    assert (len(seen), len(set(seen)), set(seen[:2])) == (500, 500, formed)
    walked = len(stub_engine.queries("/flows"))
    assert walked == 5
    assert all(query["versionState"] == ["LOCKED"] for query in stub_engine.queries("/flows"))
    assert "1 to 60 of 500" in text(client.get(HOME, headers=FLOWS).content)
    assert _launched(text(client.get(f"{HOME}?q=dat+HANG", headers=FLOWS).content)) == [identity(7)]
    assert len(stub_engine.queries("/flows")) == walked
    assert _launched(text(client.get(f"{HOME}?from=999999&flows=1").content)) == []
    with CaptureQueriesContext(connection) as queries:
        client.get(HOME, headers=FLOWS)
    assert len(queries) < 20


def test_an_engine_that_refuses_live_names_is_asked_for_the_newest(
    users: Users, client: Client, stub_engine: StubEngine
) -> None:
    stub_engine.flows = [flow(1, "Order intake")]
    usual_answer = stub_engine.answer
    assert usual_answer is not None
    gone = {"code": "ENTITY_NOT_FOUND", "params": {}}
    stub_engine.answer = lambda seen: Reply(404, gone) if "LOCKED" in seen.query else usual_answer(seen)
    client.force_login(users.colleague)
    assert _launched(text(client.get(HOME, headers=FLOWS).content)) == [identity(1)]


def test_a_launcher_without_a_flow_is_informed_whom_to_ask(
    users: Users, client: Client, stub_engine: StubEngine
) -> None:
    client.force_login(users.colleague)
    page = text(client.get(HOME, headers=FLOWS).content)
    assert "There is nothing to launch here yet" in page
    assert "webhook" not in page


def test_a_guests_card_says_what_the_form_says(scene: Scene) -> None:
    formed = publish(scene, FORM)
    LaunchRight.objects.create(
        workspace=scene.users.workspace,
        flow_id=formed,
        flow_name="The orders",
        user=scene.users.stranger,
        created_by=scene.users.owner,
    )
    page = text_of(scene.sign_in(scene.users.stranger).get(HOME))
    assert "&lt;Orders&gt; of today<" in page
    assert "Send the &lt;orders&gt;" in page


def test_runs_that_were_started_elsewhere_are_shown_to_builders_by_one_call(
    users: Users, owner: Client, stub_engine: StubEngine
) -> None:
    now = timezone.now()
    late, early = ((now - timedelta(hours=hours)).isoformat() for hours in (1, 30))
    stub_engine.runs = [
        run(1, "FAILED", finishTime=late, failedStep={"name": "step_1", "displayName": "Write <b>"}),
        run(2, "FAILED", finishTime=early, flowVersion={"displayName": "Long ago"}),
        run(3, "RUNNING", finishTime="", flowVersion={"displayName": "Still at it"}, parentRunId=identity(9)),
        run(4, "PAUSED", finishTime="", flowVersion={"displayName": "Launched here"}, parentRunId="L" * 21),
        run(5, "TIMEOUT", finishTime=late, flowVersion={}, failedStep=None),
    ]
    launched(users, pk="L" * 21)
    page = text(owner.get(HOME, headers=ATTENTION).content)
    assert "<html" not in page
    assert "Started elsewhere, failed in the last 24 hours" in page
    assert "1 run in progress was started elsewhere" in page
    assert "Write &lt;b&gt;" in page
    assert f'href="/w/sales/runs/{identity(1)}/"' in page
    assert f'href="/w/sales/runs/{identity(5)}/"' in page
    assert "Long ago" not in page
    assert "Launched here" not in page
    owner.get(HOME, headers=ATTENTION)
    assert len(stub_engine.queries("/flow-runs")) == 1
    colleague = Client()
    colleague.force_login(users.colleague)
    assert "started elsewhere" not in text(colleague.get(f"{HOME}?flows=1").content).lower()
    assert len(stub_engine.queries("/flow-runs")) == 1


def test_an_engine_that_does_not_list_its_runs_is_shown_as_such_and_nothing_else_is_lost(
    users: Users, owner: Client, stub_engine: StubEngine
) -> None:
    stub_engine.flows, stub_engine.faults["/flow-runs"] = [flow(1)], Reply(500, {})
    page = text(owner.get(f"{HOME}?flows=1").content)
    assert "The engine does not answer, so runs that were started elsewhere are missing here." in page
    assert _launched(page) == [identity(1)]


def test_forms_that_no_longer_fit_are_shown_to_builders_with_the_way_to_mend_them(scene: Scene) -> None:
    reads = flows.code("echo", given="{{trigger.body.name}}")
    good = publish(scene, FORM, flow=flows.make(scene.workflows, "Good", reads))
    bad = publish(scene, FORM, flow=flows.make(scene.workflows, "Changed", reads))
    owner = scene.sign_in(scene.users.owner)
    assert "no longer fits" not in text_of(owner.get(HOME, headers=ATTENTION))
    answers.clear()
    more = {"name": "step_2", **flows.code("echo", given="{{trigger.body.amount}}")}
    operation = {"type": "ADD_ACTION", "request": {"parentStep": "step_1", "action": more}}
    scene.workflows.apply_flow_operation(bad, operation)
    assert "no longer fits" not in text_of(owner.get(HOME, headers=ATTENTION))  # a draft hurts nobody
    answers.clear()
    scene.workflows.apply_flow_operation(bad, {"type": "LOCK_AND_PUBLISH", "request": {}})
    page = text_of(owner.get(HOME, headers=ATTENTION))
    assert "The form no longer fits the flow" in page
    assert "Correct the form" in page
    assert f'href="/w/sales/flows/{bad}/form/"' in page
    assert f'href="/w/sales/flows/{good}/form/"' not in page
    assert "no longer fits" not in text_of(scene.browser.get(HOME + "?flows=1"))


@pytest.mark.parametrize(
    ("note", "line"),
    [
        ("", ""),
        ("\n  \n***\n\n", ""),
        ("# A *head*\ntext", "A head"),
        ("- [one](https://x.example/)  `two`\n- three", "one two"),
        ("![](x.png)\n\n**Then** this", "Then this"),
        ("| a | b |\n|---|---|\n| c | d |", "a"),
        ("<script>alert(1)</script>", "<script>alert(1)</script>"),
    ],
)
def test_the_first_line_of_a_note_is_its_text_without_marks(note: str, line: str) -> None:
    assert markdown.first_line(note) == line
