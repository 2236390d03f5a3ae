"""Home puts flows with a published form first, and tells those who look after flows what started elsewhere and which forms to mend."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests import flows
from tests.cast import Cast
from tests.engine.servers import Reply
from tests.forms.filled import ECHO, publish
from tests.pages.launch_scene import Scene, text_of
from tests.resources.test_run_starters import launched
from tests.shelf import Shelf, flow, identity, run, text
from tests.shelf import cast as cast
from tests.shelf import owner as owner
from tests.shelf import shelf as shelf
from workflows_ui.forming.document import Field, Form
from workflows_ui.kit import markdown
from workflows_ui.models import LaunchFormVersion, LaunchRight, State
from workflows_ui.services import audit, launch_forms

HOME = "/w/sales/"
FLOWS = {"HX-Request": "true", "HX-Target": "home-flows"}
ELSEWHERE = {"HX-Request": "true", "HX-Target": "home-elsewhere"}
FORM = Form(
    (Field("name", ("name",), label="Customer"),),
    note="## <Orders> of **today**\nare written into the table.\n\nAnd more.",
    button="Send the <orders>",
)


def _launched(page: str) -> list[str]:
    """The flows that are offered, in their order."""
    return re.findall(r'id="flow-[^"]*" href="/w/sales/flows/([^/]+)/launch/"', page)


def _row(cast: Cast, number: int, form: Form = FORM, name: str = "") -> str:
    """A published form for a flow of the shelf."""
    place, flow_id = cast.place(cast.owner), identity(number)
    row = launch_forms.save(audit.CONSOLE, place, flow_id, name or f"Flow {number}", form, lock=None)
    launch_forms.publish(audit.CONSOLE, place, flow_id, lock=row.lock)
    return flow_id


def _rename(scene: Scene, flow_id: str, name: str) -> None:
    scene.workflows.apply_flow_operation(flow_id, {"type": "CHANGE_NAME", "request": {"displayName": name}})


def test_flows_with_a_form_come_first_with_the_first_line_of_their_note_and_their_button(scene: Scene) -> None:
    plain = flows.make(scene.workflows, "A plain one", ECHO)
    formed = publish(scene, FORM, name="The orders")
    _rename(scene, formed, "A draft of another name")
    for query in ("?flows=1&view=cards", "?flows=1&view=rows"):
        page = text_of(scene.browser.get(HOME + query))
        assert _launched(page) == [formed, plain]
        assert "&lt;Orders&gt; of today<" in page
        assert "are written" not in page
        assert "Send the &lt;orders&gt;" in page
        assert "The orders" in page
        assert "another name" not in page
        assert page.index("Send the") < page.index("Other flows") < page.index("A plain one")
    found = text_of(scene.browser.get(f"{HOME}?q=PLAIN", headers=FLOWS))
    assert _launched(found) == [plain]
    assert "Other flows" not in found
    scene.browser.post(f"{HOME}flows/{plain}/star/")
    assert _launched(text_of(scene.browser.get(HOME, headers=FLOWS))) == [formed, plain]


def test_a_flow_that_is_off_or_unpublished_is_not_offered_although_it_has_a_form(scene: Scene) -> None:
    off = publish(scene, FORM)
    scene.workflows.apply_flow_operation(off, {"type": "CHANGE_STATUS", "request": {"status": "DISABLED"}})
    assert _launched(text_of(scene.browser.get(HOME, headers=FLOWS))) == []


def test_forms_are_there_before_the_engine_was_asked_and_while_it_is_down(cast: Cast, client: Client) -> None:
    first, second = _row(cast, 2, name="Đơn hàng"), _row(cast, 1, Form(FORM.fields), name="")
    client.force_login(cast.colleague)
    page = text(client.get(HOME).content)
    assert _launched(page) == [first, second]
    assert 'hx-trigger="load"' in page
    cast.workspace.address = "http://127.0.0.1:9/api"  # nobody listens there
    cast.workspace.save()
    down = text(client.get(f"{HOME}?q=don", headers=FLOWS).content)
    assert _launched(down) == [first]
    assert "The list of flows cannot be shown just now" in down
    assert "Flows with a form of their own are below" in down


def test_a_form_that_cannot_be_opened_harms_no_home(cast: Cast, client: Client) -> None:
    broken = _row(cast, 1)
    LaunchFormVersion.objects.update(schema="gAAAAAnothing")
    client.force_login(cast.colleague)
    assert _launched(text(client.get(HOME).content)) == [broken]


def test_five_hundred_flows_come_page_by_page_and_are_walked_once_a_minute(
    cast: Cast, client: Client, shelf: Shelf
) -> None:
    shelf.flows = [flow(number, f"Flow {number:03d}") for number in range(500)]
    shelf.flows[7]["version"]["displayName"] = "Đặt hàng"
    formed = {_row(cast, number) for number in (400, 499)}
    client.force_login(cast.colleague)
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
    walked = len(shelf.queries("/flows"))
    assert walked == 5
    assert all(query["versionState"] == ["LOCKED"] for query in shelf.queries("/flows"))
    assert "1 to 60 of 500" in text(client.get(HOME, headers=FLOWS).content)
    assert _launched(text(client.get(f"{HOME}?q=dat+HANG", headers=FLOWS).content)) == [identity(7)]
    assert len(shelf.queries("/flows")) == walked
    assert _launched(text(client.get(f"{HOME}?from=999999&flows=1").content)) == []
    with CaptureQueriesContext(connection) as queries:
        client.get(HOME, headers=FLOWS)
    assert len(queries) < 20


def test_an_engine_that_refuses_live_names_is_asked_for_the_newest(cast: Cast, client: Client, shelf: Shelf) -> None:
    shelf.flows = [flow(1, "Order intake")]
    find = shelf.answer
    assert find is not None
    gone = {"code": "ENTITY_NOT_FOUND", "params": {}}
    shelf.answer = lambda seen: Reply(404, gone) if "LOCKED" in seen.query else find(seen)
    client.force_login(cast.colleague)
    assert _launched(text(client.get(HOME, headers=FLOWS).content)) == [identity(1)]


def test_a_launcher_without_a_flow_is_told_whom_to_ask(cast: Cast, client: Client, shelf: Shelf) -> None:
    client.force_login(cast.colleague)
    page = text(client.get(HOME, headers=FLOWS).content)
    assert "There is nothing to launch here yet" in page
    assert "webhook" not in page


def test_a_guests_card_says_what_the_form_says(scene: Scene) -> None:
    formed = publish(scene, FORM)
    LaunchRight.objects.create(
        workspace=scene.cast.workspace,
        flow_id=formed,
        flow_name="The orders",
        user=scene.cast.stranger,
        created_by=scene.cast.owner,
    )
    page = text_of(scene.sign_in(scene.cast.stranger).get(HOME))
    assert "&lt;Orders&gt; of today<" in page
    assert "Send the &lt;orders&gt;" in page


def test_runs_that_were_started_elsewhere_are_told_to_builders_by_one_call(
    cast: Cast, owner: Client, shelf: Shelf
) -> None:
    now = timezone.now()
    late, early = ((now - timedelta(hours=hours)).isoformat() for hours in (1, 30))
    shelf.runs = [
        run(1, "FAILED", finishTime=late, failedStep={"name": "step_1", "displayName": "Write <b>"}),
        run(2, "FAILED", finishTime=early, flowVersion={"displayName": "Long ago"}),
        run(3, "RUNNING", finishTime="", flowVersion={"displayName": "Still at it"}, parentRunId=identity(9)),
        run(4, "PAUSED", finishTime="", flowVersion={"displayName": "Launched here"}, parentRunId="L" * 21),
        run(5, "TIMEOUT", finishTime=late, flowVersion={}, failedStep=None),
    ]
    launched(cast, pk="L" * 21)
    page = text(owner.get(HOME, headers=ELSEWHERE).content)
    assert "<html" not in page
    assert "Failed within the last day, started elsewhere" in page
    assert "Running, started elsewhere" in page
    assert "At the step “Write &lt;b&gt;”" in page
    assert f'href="/w/sales/runs/{identity(1)}/"' in page
    assert f'href="/w/sales/runs/{identity(5)}/"' in page
    assert "Another run" in page
    assert "Long ago" not in page
    assert "Launched here" not in page
    owner.get(HOME, headers=ELSEWHERE)
    assert len(shelf.queries("/flow-runs")) == 1
    colleague = Client()
    colleague.force_login(cast.colleague)
    assert "home-elsewhere" not in text(colleague.get(f"{HOME}?flows=1").content)


def test_an_engine_that_does_not_tell_its_runs_is_said_so_and_nothing_else_is_lost(
    cast: Cast, owner: Client, shelf: Shelf
) -> None:
    shelf.flows, shelf.faults["/flow-runs"] = [flow(1)], Reply(500, {})
    page = text(owner.get(f"{HOME}?flows=1").content)
    assert "cannot be told just now" in page
    assert _launched(page) == [identity(1)]


def test_forms_that_no_longer_fit_are_told_to_builders_with_the_way_to_mend_them(scene: Scene) -> None:
    reads = flows.code("echo", given="{{trigger.body.name}}")
    good = publish(scene, FORM, flow=flows.make(scene.workflows, "Good", reads))
    bad = publish(scene, FORM, flow=flows.make(scene.workflows, "Changed", reads))
    owner = scene.sign_in(scene.cast.owner)
    assert "no longer fit" not in text_of(owner.get(HOME, headers=FLOWS))
    more = {"name": "step_2", **flows.code("echo", given="{{trigger.body.amount}}")}
    operation = {"type": "ADD_ACTION", "request": {"parentStep": "step_1", "action": more}}
    scene.workflows.apply_flow_operation(bad, operation)
    assert "no longer fit" not in text_of(owner.get(HOME, headers=FLOWS))  # a draft hurts nobody
    scene.workflows.apply_flow_operation(bad, {"type": "LOCK_AND_PUBLISH", "request": {}})
    page = text_of(owner.get(HOME, headers=FLOWS))
    assert "Forms that no longer fit their flow" in page
    assert f'href="/w/sales/flows/{bad}/form/"' in page
    assert f'href="/w/sales/flows/{good}/form/"' not in page
    assert "no longer fit" not in text_of(scene.browser.get(HOME, headers=FLOWS))


def test_the_first_visit_tells_what_failed_within_a_day(scene: Scene) -> None:
    now = timezone.now()
    scene.row(state=State.FAILED, flow_name="Broken", ended_at=now - timedelta(hours=20))
    scene.row(state=State.FAILED, flow_name="Long ago", ended_at=now - timedelta(hours=30))
    page = text_of(scene.sign_in(scene.cast.owner).get(HOME))
    assert "Failed within the last day" in page
    assert "since your last visit" not in page
    assert "Broken" in page
    assert "Long ago" not in page


@pytest.mark.once
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
