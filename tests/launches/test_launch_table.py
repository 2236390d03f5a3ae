"""The table of launches: order, inputs, what a reader may do, the file of it, and how it refreshes itself."""

import csv
import io
import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from python_calamine import CalamineWorkbook

from tests.launch_forms.filled import publish
from tests.launches.launch_scene import Scene, text_of, unescape
from workflows_ui.audit.models import AuditEvent
from workflows_ui.form_schema.document import Field, Form
from workflows_ui.launch_forms.models import LaunchForm, LaunchFormVersion
from workflows_ui.launches.models import Launch, LaunchInput, State
from workflows_ui.launches.services import secrets as launch_secrets
from workflows_ui.members.models import Member, Role

pytestmark = pytest.mark.both_databases

URL = "/w/sales/launches/"
HTMX = {"HX-Request": "true", "HX-Target": "results"}


def _shown(browser: Client, query: str = "") -> list[str]:
    return [line["id"] for line in browser.get(f"{URL}?{query}").context["lines"]]


def _file(browser: Client, kind: str, query: str = "") -> str:
    response = browser.get(f"{URL}export/{kind}/?{query}")
    assert response.status_code == 200
    return b"".join(response).decode("utf-8-sig")


def test_headings_sort_in_both_directions_and_say_so(scene: Scene) -> None:
    now = timezone.now()
    ran: dict[str, Any] = {"run_started_at": now, "ended_at": now, "state": State.SUCCEEDED}
    slow = scene.row(flow_name="Beta", run_finished_at=now + timedelta(minutes=3), **ran)
    quick = scene.row(flow_name="Alpha", run_finished_at=now + timedelta(seconds=1), **ran)
    assert _shown(scene.browser, "sort=flow") == [quick.pk, slow.pk]
    assert _shown(scene.browser, "sort=-flow") == [slow.pk, quick.pk]
    assert _shown(scene.browser, "sort=-took") == [slow.pk, quick.pk]
    page = text_of(scene.browser.get(f"{URL}?sort=flow&state=succeeded"))
    assert re.search(r'aria-sort="ascending"><a class="sort" id="sort-flow" href="[^"]*sort=-flow', page)
    assert 'name="sort" value="flow" form="filters"' in page
    assert set(_shown(scene.browser, "sort=nonsense")) == {slow.pk, quick.pk}


def test_flows_are_sorted_as_names_in_vietnamese_and_without_regard_to_capitals(scene: Scene) -> None:
    names = ["apple", "Duyệt", "Đặt hàng", "Email", "Zoo"]
    rows = {name: scene.row(flow_name=name).pk for name in reversed(names)}
    assert _shown(scene.browser, "sort=flow") == [rows[name] for name in names]
    assert _shown(scene.browser, "sort=-flow") == [rows[name] for name in reversed(names)]
    lines = _file(scene.browser, "csv", "sort=flow").splitlines()[1:]
    assert [line.partition(",")[0] for line in lines] == names


def test_how_many_there_are_is_said_and_every_page_has_a_number(scene: Scene) -> None:
    for number in range(45):
        scene.row(asked_at=timezone.now() - timedelta(minutes=number))
    pages = scene.browser.get(URL).context["pages"]
    assert (pages.text, [number for number, _url in pages.links]) == ("1–20 of 45", [1, 2, 3])
    # What is launched meanwhile is on no later page, so that no row comes twice.
    first = _shown(scene.browser)
    scene.row()
    second = scene.browser.get(pages.links[1][1])
    assert second.context["pages"].text == "21–40 of 45"
    assert not {line["id"] for line in second.context["lines"]} & set(first)


def test_a_row_says_what_was_put_in_and_how_long_it_took_as_its_page_does(scene: Scene) -> None:
    now = timezone.now()
    times: dict[str, Any] = {"asked_at": now - timedelta(seconds=9), "run_finished_at": now}
    times["run_started_at"] = now - timedelta(seconds=5)
    launch = scene.row(ended_at=now, state=State.SUCCEEDED, **times)
    LaunchInput.objects.create(launch=launch, name="amount", label="Amount", text="120")
    page = text_of(scene.browser.get(URL))
    assert "Amount: 120" in page
    assert "5.0 s" in page
    assert "5.0 s" in scene.page(launch)


def test_a_row_without_searchable_inputs_sums_up_its_payload_without_secrets_in_one_query(scene: Scene) -> None:
    for number in range(20):
        scene.row(payload=f'{{"amount": {number}, "password": "Zk7q-secret"}}')
    scene.row(user=scene.users.owner, payload='{"amount": 471182930017}')
    scene.browser.get(URL)
    with CaptureQueriesContext(connection) as asked:
        page = text_of(scene.browser.get(URL))
    assert "Amount: 19" in page
    assert "Zk7q" not in page
    assert "471182930017" not in page
    assert len(asked) < 20, "a query for each row"


def test_an_unfinished_list_refreshes_itself_and_costs_nothing_while_it_is_the_same(scene: Scene) -> None:
    launch = scene.row(state=State.RUNNING)
    page = text_of(scene.browser.get(URL))
    assert "Updates automatically." in page
    seen = re.search(r'id="results"[^>]* hx-get="[^"]*[?;]seen=(\w+)"', page)
    assert seen is not None
    same = scene.browser.get(URL, {"seen": seen[1]}, headers=HTMX)
    assert (same.status_code, same.content) == (204, b"")
    type(launch).objects.filter(pk=launch.pk).update(state=State.SUCCEEDED, ended_at=timezone.now())
    changed = text_of(scene.browser.get(URL, {"seen": seen[1]}, headers=HTMX))
    assert "Succeeded" in changed
    assert "Updates automatically." not in changed


def test_the_file_has_a_column_for_each_input_and_the_answer_of_ones_own_launches(scene: Scene) -> None:
    values = '{"amount": "=1+1", "password": "Zk7q-secret"}'
    answer = {
        "answer": '{"total": 240}',
        "answer_from": "flow",
        "answer_type": "application/json",
        "answer_status": 200,
    }
    launch = scene.row(None, payload=values, state=State.SUCCEEDED, **answer)
    Launch.objects.update(
        asked_at=datetime(2026, 3, 1, 8, 30, tzinfo=UTC),
        run_started_at=datetime(2026, 3, 1, 8, 31, tzinfo=UTC),
        run_finished_at=datetime(2026, 3, 1, 8, 32, 30, tzinfo=UTC),
    )
    scene.row(user=scene.users.owner, flow_name="Not mine")
    rows = list(csv.DictReader(io.StringIO(_file(scene.browser, "csv"))))
    assert [row["ID"] for row in rows] == [launch.pk]
    moments = ["Launched (Asia/Ho_Chi_Minh)", "Ended (Asia/Ho_Chi_Minh)", "Duration (seconds)"]
    last = ["Why", "Other inputs", "Answer", "ID of the run", "ID"]
    assert list(rows[0]) == ["Flow", "State", "Failed step", "Launched by", *moments, *last]
    assert [rows[0][name] for name in moments] == ["2026-03-01 15:30:00", "", "90"]
    assert (rows[0]["State"], rows[0]["Launched by"]) == ("Succeeded", launch.user.label)
    others = json.loads(rows[0]["Other inputs"])
    assert others["amount"] == "=1+1"
    assert "Zk7q" not in json.dumps(rows)
    response = scene.browser.get(f"{URL}export/xlsx/")
    sheet = CalamineWorkbook.from_filelike(io.BytesIO(b"".join(response))).get_sheet_by_index(0).to_python()
    assert sheet[0] == list(rows[0])
    assert sheet[1][sheet[0].index("Duration (seconds)")] == 90
    assert "Zk7q" not in str(sheet)
    (record,) = json.loads(_file(scene.browser, "json"))
    assert (record["inputs"]["amount"], record["answer"]) == ("=1+1", {"total": 240})
    assert "Zk7q" not in json.dumps(record)
    event = AuditEvent.objects.filter(action="launches.export").latest("at")
    assert event.detail["format"] == "json"


@pytest.mark.parametrize("kind", ["csv", "json"])
def test_a_file_of_many_launches_takes_as_many_queries_as_one_of_few(scene: Scene, kind: str) -> None:
    flow_id = publish(scene, Form((Field("amount", ("amount",)),)))
    version = LaunchFormVersion.objects.get(form__flow_id=flow_id)
    counts = []
    for more in (1, 1, 20):
        for number in range(more):
            answer: dict[str, Any] = {
                "answer": '{"total": 1}',
                "answer_from": "flow",
                "answer_type": "application/json",
            }
            values = f'{{"amount": "{number}"}}'
            scene.row(payload=values, form_version=version, state=State.SUCCEEDED, answer_status=200, **answer)
        with CaptureQueriesContext(connection) as queries:
            assert _file(scene.browser, kind).count("total") == Launch.objects.count()
        counts.append(len(queries))
    # The first file also reads the workspace's mask, which is kept in memory.
    assert counts[1] == counts[2]


def test_cells_of_the_file_start_no_formula(scene: Scene) -> None:
    scene.row(flow_name="=HYPERLINK(1)")
    assert "'=HYPERLINK(1)" in _file(scene.browser, "csv")


def test_the_file_has_the_filters_and_the_order_of_the_page(scene: Scene) -> None:
    one = scene.row(flow_name="B", state=State.FAILED, failed_step="")
    two = scene.row(flow_name="A", state=State.FAILED, failed_step="")
    scene.row(flow_name="C", state=State.SUCCEEDED)
    page = text_of(scene.browser.get(f"{URL}?state=failed&sort=flow"))
    assert "/launches/export/csv/?state=failed&amp;sort=flow" in page
    rows = json.loads(_file(scene.browser, "json", "state=failed&sort=flow"))
    assert [row["id"] for row in rows] == [two.pk, one.pk]
    assert scene.browser.get(f"{URL}export/csv/?state=nonsense").status_code == 303
    assert scene.browser.get(f"{URL}export/xml/").status_code == 404


@pytest.mark.sampled(2)
@pytest.mark.parametrize("role", [Role.VIEWER, Role.LAUNCHER, Role.BUILDER, Role.MANAGER])
def test_no_link_of_the_list_leads_its_reader_nowhere(scene: Scene, role: Role) -> None:
    Member.objects.filter(user=scene.users.colleague).update(role=role)
    flow = str(scene.workflows.create_flow("Greet")["id"])
    scene.row(flow_id=flow, state=State.SUCCEEDED)
    page = text_of(scene.browser.get(URL))
    links = {unescape(link) for link in re.findall(r'href="(/[^"#]*)"', page) if not link.startswith("/static/")}
    assert f"/w/sales/flows/{flow}/" in links
    answers = {link: scene.browser.get(link).status_code for link in links if "/export/" not in link}
    assert {link: status for link, status in answers.items() if status >= 400} == {}


NEWS = {"HX-Request": "true", "HX-Target": "news"}


def _question(browser: Client) -> dict[str, str]:
    """What the list asks with later. In the URL alone: htmx would send inherited values when the list is read again, too."""
    page = text_of(browser.get(URL))
    found = re.search(r'<span id="news" data-live hx-get="[^"?]*\?([^"]*)" hx-trigger', page)
    assert found is not None
    assert "hx-vals" not in page
    return dict(parse_qsl(unescape(found[1])))


def test_a_list_that_has_ended_says_how_many_launches_came_since(scene: Scene) -> None:
    scene.row(state=State.SUCCEEDED)
    question = _question(scene.browser)
    assert scene.browser.get(URL, question, headers=NEWS).status_code == 204
    for _number in range(2):
        scene.row(state=State.FAILED, ended_at=timezone.now())
    with CaptureQueriesContext(connection) as queries:
        said = text_of(scene.browser.get(URL, question, headers=NEWS))
    assert len([query for query in queries if "COUNT" in query["sql"]]) == 1
    assert "2 new" in said
    assert "<html" not in said
    assert scene.browser.get(URL, question | {"seen": "2"}, headers=NEWS).status_code == 204
    assert scene.browser.get(URL, question | {"state": "succeeded"}, headers=NEWS).status_code == 204
    assert scene.browser.get(URL, question).headers["Location"] == URL


def test_an_empty_list_says_what_came_and_a_sorted_or_a_later_page_does_not(scene: Scene) -> None:
    question = _question(scene.browser)
    for _number in range(21):
        scene.row(state=State.SUCCEEDED)
    assert "21 new" in text_of(scene.browser.get(URL, question, headers=NEWS))
    page = scene.browser.get(URL)
    assert scene.browser.get(page.context["pages"].older_url).context["news"] is None
    assert scene.browser.get(f"{URL}?sort=flow").context["news"] is None


def test_the_form_of_several_launches_is_opened_once(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    form = Form((Field("amount", ("amount",), label="Amount"),))
    version = LaunchForm.objects.get(flow_id=publish(scene, form)).published
    for number in range(3):
        scene.row(payload=json.dumps({"amount": f"of row {number}"}), form_version=version)
    opened, open_form = list[str](), LaunchFormVersion.open_form

    def counted(version: LaunchFormVersion) -> Form:
        opened.append(version.pk)
        return open_form(version)

    monkeypatch.setattr(LaunchFormVersion, "open_form", counted)
    page = text_of(scene.browser.get(URL))
    assert all(f"Amount: of row {number}" in page for number in range(3))
    assert len(opened) == 1
    opened.clear()
    assert "of row 2" in _file(scene.browser, "csv")
    assert len(opened) == 2, "once for the headings, once for the rows"


def test_the_list_says_who_launched_and_why_it_failed_also_on_phones(scene: Scene) -> None:
    failed = {"state": State.FAILED, "failed_step": "Read the rows", "failure": "Error: Row 7: no sku <b>"}
    scene.row(None, **failed)
    scene.row(None, state=State.NOT_SENT, reason="flow_off", flow_name="Off")
    Member.objects.filter(user=scene.users.colleague).update(role=Role.BUILDER)
    page = scene.browser.get(URL).content.decode()
    assert '<td class="kind-text" data-label="Launched by">' in page
    assert "Why: " in page
    assert "Row 7: no sku &lt;b&gt; · Read the rows" in page
    assert "Not sent: the flow is off" in page


def test_why_launches_failed_is_masked_and_takes_one_query_for_all(scene: Scene) -> None:
    marks = launch_secrets.marks([(("password",), "Zk7q-secret-9")])
    secret: dict[str, Any] = {"failure": "wrong password Zk7q-secret-9", "secret_marks": marks}
    secret["payload"] = '{"password": "Zk7q-secret-9"}'
    scene.row(None, state=State.FAILED, failed_step="Sign in", **secret)
    scene.browser.get(URL)
    with CaptureQueriesContext(connection) as one:
        page = scene.browser.get(URL).content.decode()
    assert "· Sign in</span>" in page
    assert "wrong password" in page
    assert "Zk7q" not in page
    for _number in range(5):
        scene.row(None, state=State.FAILED, failed_step="Sign in", **secret)
    with CaptureQueriesContext(connection) as many:
        scene.browser.get(URL)
    assert len(many) == len(one)
