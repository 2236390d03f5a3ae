"""Lists as files: this page at once, everything by a worker, what spreadsheets may not run, and who may have the file."""

import csv
import io
import json
import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from python_calamine import CalamineWorkbook

from tests import users as people
from tests.engine.servers import Reply
from tests.resources import samples
from tests.stub_engine import StubEngine, flow, identity, run, text
from tests.users import Users
from workflows_ui.audit.models import AuditEvent
from workflows_ui.credentials.models import Credential
from workflows_ui.jobs.models import Job, JobPart, JobState
from workflows_ui.jobs.services import turns as job_turns
from workflows_ui.members.models import Flavour, Member, Role
from workflows_ui.resource_admin import pagination
from workflows_ui.resource_admin.jobs import exporting, tasks as job_tasks, worker
from workflows_ui.resource_admin.resource import Resource
from workflows_ui.resources import BY_NAME, RESOURCES

pytestmark = pytest.mark.django_db
every = pytest.mark.parametrize("resource", RESOURCES, ids=lambda resource: str(resource.name))
CSV, JSON = "/w/sales/flows/export/csv/", "/w/sales/flows/export/json/"


@pytest.fixture(autouse=True)
def _no_bells(monkeypatch: pytest.MonkeyPatch) -> None:
    """No broker: the tests ring by hand."""
    monkeypatch.setattr(job_tasks.work, "apply_async", lambda *_args: None)


def rows_of(content: bytes) -> list[dict[str, str]]:
    """The rows of a CSV file, with the texts that spreadsheets read from `="0012"`."""
    assert content.startswith(b"\xef\xbb\xbf")
    rows = csv.DictReader(io.StringIO(content.decode("utf-8-sig")))
    return [{name: value.removeprefix('="').removesuffix('"') for name, value in row.items()} for row in rows]


def book_of(content: bytes) -> list[dict[str, Any]]:
    """The rows of a workbook."""
    head, *rows = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python()
    return [dict(zip(map(str, head), row, strict=True)) for row in rows]


def ask(browser: Client, address: str = CSV) -> Job:
    answer = browser.post(address)
    assert answer.status_code == 303
    job = Job.objects.latest("asked_at")
    assert answer.headers["Location"] == f"/w/sales/jobs/{job.pk}/export/"
    return job


def work(job: Job) -> Job:
    worker.turn(job.pk, BY_NAME)
    return Job.objects.get(pk=job.pk)


def file_of(browser: Client, job: Job) -> bytes:
    answer: Any = browser.get(f"/w/sales/jobs/{job.pk}/file/")
    assert answer.streaming
    content = b"".join(answer)
    assert int(answer.headers["Content-Length"]) == len(content)
    return content


def many(stub_engine: StubEngine, number: int) -> None:
    stub_engine.flows = [flow(one, f"Flow {one}") for one in range(1, number + 1)]


# --- This page


@pytest.mark.both_databases
def test_the_page_as_it_is_shown_comes_at_once(owner: Client, stub_engine: StubEngine) -> None:
    many(stub_engine, 30)
    answer = owner.get(f"{CSV}?rows=20")
    rows = rows_of(answer.content)
    assert [row["ID"] for row in rows] == [identity(one) for one in range(1, 21)]
    assert rows[0]["Name"] == "Flow 1"
    assert rows[0]["State"] == "On"
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="flows-')
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert AuditEvent.objects.get(action="flows.export").detail["rows"] == 20


def test_the_links_of_a_list_keep_its_filters_and_its_place(owner: Client, stub_engine: StubEngine) -> None:
    many(stub_engine, 30)
    listed = owner.get("/w/sales/flows/?status=ENABLED&rows=20")
    onward = listed.context["pages"].older_url
    page = owner.get(onward).content.decode()
    assert f'href="{CSV}?{onward.split("?")[1]}"'.replace("&", "&amp;") in page
    assert f'action="{CSV}?status=ENABLED"' in page
    rows = rows_of(owner.get(f"{CSV}?{onward.split('?')[1]}").content)
    assert [row["Name"] for row in rows] == [f"Flow {one}" for one in range(21, 31)]
    assert stub_engine.queries("/flows")[-1]["status"] == ["ENABLED"]


def test_json_holds_what_the_engine_sent_with_secrets_masked(owner: Client, stub_engine: StubEngine) -> None:
    stub_engine.flows = [flow(1, "Näme – 流れ", headers={"authorization": "Bearer abcdefghijklm"})]
    content = owner.get(JSON).content.decode()
    (row,) = json.loads(content)
    assert row["version"]["displayName"] == "Näme – 流れ"
    assert "abcdefghijklm" not in content


@pytest.mark.parametrize("name", ["=1+1", "+1+A1", "-1-A1", "@x", "\t=1", "\r=1", "=HYPERLINK(1)"])
def test_a_spreadsheet_runs_nothing(owner: Client, stub_engine: StubEngine, name: str) -> None:
    stub_engine.flows = [flow(1, name)]
    (row,) = rows_of(owner.get(CSV).content)
    assert row["Name"].startswith("'")


def test_text_stays_one_cell_whatever_is_in_it(owner: Client, stub_engine: StubEngine) -> None:
    odd = 'a,"b"\n<script>;‏עברית' + "x" * 10_000
    stub_engine.flows = [flow(1, odd)]
    (row,) = rows_of(owner.get(CSV).content)
    assert row["Name"] == odd


def _placed(users: Users, stub_engine: StubEngine, resource: Resource) -> None:
    """What only Imbrace has is asked for at an Imbrace gateway; to it the stub engine is the same."""
    if samples.sample_for(resource).flavour == Flavour.IMBRACE:
        people.move(users.workspace, flavour=Flavour.IMBRACE, address=stub_engine.url)


@every
@pytest.mark.sampled(3)
def test_every_list_can_be_exported_in_both_kinds(
    users: Users, owner: Client, stub_engine: StubEngine, resource: Resource
) -> None:
    _placed(users, stub_engine, resource)
    samples.sample_for(resource).fill(stub_engine)
    assert f"{resource.url('sales')}export/csv/" in owner.get(resource.url("sales")).content.decode()
    found = rows_of(owner.get(f"{resource.url('sales')}export/csv/").content)
    assert [row["ID"].removeprefix("'") for row in found] == [samples.sample_for(resource).key]
    assert [row["ID"] for row in book_of(owner.get(f"{resource.url('sales')}export/xlsx/").content)] == [
        samples.sample_for(resource).key
    ]
    assert len(json.loads(owner.get(f"{resource.url('sales')}export/json/").content)) == 1


def test_what_is_drawn_is_explained(owner: Client, stub_engine: StubEngine) -> None:
    stub_engine.flows, stub_engine.runs = [flow(1, publishedVersionId="older")], [run(1, "FAILED")]
    stub_engine.rows["/pieces"] = []
    stub_engine.arrays.add("/pieces")
    (row,) = rows_of(owner.get(CSV).content)
    assert row["Last results"].startswith("Failed (")
    assert (row["State"], row["State: note"]) == ("On", "Unpublished changes")
    assert "=" not in "".join(row.values())
    (same,) = book_of(owner.get("/w/sales/flows/export/xlsx/").content)
    assert same["Last results"] == row["Last results"]


@every
@pytest.mark.parametrize("odd", [{}, {"id": 7, "version": [], "status": {}, "created": 5, "\ud800": "\ud800"}], ids=str)
@pytest.mark.sampled(4)
def test_odd_rows_break_no_file(
    users: Users, owner: Client, stub_engine: StubEngine, resource: Resource, odd: dict[str, Any]
) -> None:
    _placed(users, stub_engine, resource)
    samples.sample_for(resource).put(stub_engine, odd)
    assert owner.get(f"{resource.url('sales')}export/csv/").status_code == 200
    assert owner.get(f"{resource.url('sales')}export/json/").status_code == 200


@every
@pytest.mark.parametrize(
    "role",
    [role if role in (Role.VIEWER, Role.MANAGER) else pytest.param(role, marks=pytest.mark.slow) for role in Role],
    ids=str,
)
@pytest.mark.sampled(3)
def test_who_may_see_the_list_may_have_it_and_nobody_else(
    users: Users, client: Client, stub_engine: StubEngine, resource: Resource, role: Role
) -> None:
    _placed(users, stub_engine, resource)
    samples.sample_for(resource).fill(stub_engine)
    Member.objects.filter(user=users.colleague).update(role=role)
    client.force_login(users.colleague)
    address = f"{resource.url('sales')}export/csv/"
    assert client.get(address).status_code == (200 if role.includes(resource.role) else 403)
    assert client.post(address).status_code == (303 if role.includes(resource.role) else 403)
    client.force_login(users.stranger)
    assert client.get(address).status_code == client.post(address).status_code == 404


@pytest.mark.parametrize("address", ["/w/sales/flows/export/xls/", "/w/sales/nothing/export/csv/"])
def test_a_file_of_no_kind_or_list_is_not_found(owner: Client, stub_engine: StubEngine, address: str) -> None:
    assert owner.get(address).status_code == owner.post(address).status_code == 404
    assert not stub_engine.seen


def test_an_engine_that_is_down_gives_no_file(owner: Client, stub_engine: StubEngine) -> None:
    stub_engine.faults["/flows"] = Reply(502, b"<html>no</html>")
    answer = owner.get(CSV)
    assert answer.status_code == 503
    assert "attachment" not in answer.headers.get("Content-Disposition", "")


def test_filters_that_make_no_sense_lead_to_the_list_that_says_so(owner: Client, stub_engine: StubEngine) -> None:
    answer = owner.get(f"{CSV}?status=NONSENSE")
    assert answer.headers["Location"] == "/w/sales/flows/?status=NONSENSE"
    assert owner.post(f"{CSV}?status=NONSENSE").status_code == 303
    assert not Job.objects.exists()


# --- Everything


@pytest.mark.both_databases
def test_everything_is_written_in_the_order_of_the_page(
    owner: Client, stub_engine: StubEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(BY_NAME["flows"]), "batch_size", 2)
    stub_engine.flows = [flow(one, name) for one, name in enumerate(("Invoices", "Accounts", "Orders"), start=1)]
    form = f'action="{CSV}?sort=-name_of"'
    assert form in owner.get("/w/sales/flows/?sort=-name_of").content.decode()
    job = work(ask(owner, f"{CSV}?sort=-name_of"))
    assert [row["Name"] for row in rows_of(file_of(owner, job))] == ["Orders", "Invoices", "Accounts"]


def test_everything_that_matches_is_written_by_a_worker_and_kept(owner: Client, stub_engine: StubEngine) -> None:
    many(stub_engine, 250)
    job = ask(owner, f"{CSV}?status=ENABLED")
    page = text(owner.get(f"/w/sales/jobs/{job.pk}/export/").content)
    assert "The file is being written" in page
    assert '<progress class="job-progress"' in page, "the bar of all jobs, which moves where the end is not known"
    job = work(job)
    assert (job.state, job.rows, job.cut) == (JobState.ENDED, 250, False)
    page = text(owner.get(f"/w/sales/jobs/{job.pk}/export/").content)
    assert "The file is ready" in page
    assert "250 rows" in page
    assert f'href="/w/sales/jobs/{job.pk}/file/"' in page
    rows = rows_of(file_of(owner, job))
    assert [row["Name"] for row in rows] == [f"Flow {one}" for one in range(1, 251)]
    assert {query["status"][0] for query in stub_engine.queries("/flows")} == {"ENABLED"}
    assert job.parts.count() == 3
    assert list(AuditEvent.objects.order_by("pk").values_list("action", flat=True)) == [
        "job.ask",
        "job.end",
        "job.download",
    ]


@pytest.mark.both_databases
def test_a_workbook_of_many_pages_has_every_row_and_tells_its_filters_and_zone(
    users: Users, owner: Client, stub_engine: StubEngine
) -> None:
    users.owner.time_zone = "Asia/Ho_Chi_Minh"
    users.owner.save()
    many(stub_engine, 250)
    stub_engine.flows[0]["version"]["displayName"] = "0012"
    job = work(ask(owner, "/w/sales/flows/export/xlsx/?status=ENABLED"))
    assert (job.state, job.rows) == (JobState.ENDED, 250)
    content = file_of(owner, job)
    rows = book_of(content)
    assert [row["Name"] for row in rows] == ["0012", *(f"Flow {one}" for one in range(2, 251))]
    assert isinstance(rows[0]["Updated (Asia/Ho_Chi_Minh)"], datetime)
    book = CalamineWorkbook.from_filelike(io.BytesIO(content))
    assert book.sheet_names == ["Flows", "About this file"]
    about = {str(name): value for name, value in book.get_sheet_by_index(1).to_python()}
    assert (about["Workspace"], about["State"], about["Time zone"]) == ("Sales", "On", "Asia/Ho_Chi_Minh")
    answer = owner.get(f"/w/sales/jobs/{job.pk}/file/")
    assert re.search(r'filename="flows-\d{4}-\d\d-\d\d-on.xlsx"', answer.headers["Content-Disposition"])


def test_the_format_that_was_taken_last_is_offered_first(owner: Client, stub_engine: StubEngine) -> None:
    many(stub_engine, 1)

    def offered() -> list[str]:
        return re.findall(r'action="/w/sales/flows/export/(\w+)/"', owner.get("/w/sales/flows/").content.decode())

    assert offered() == ["xlsx", "csv", "semicolon", "data", "json"]
    owner.get("/w/sales/flows/export/data/")
    assert offered()[0] == "data"
    assert "used last" in text(owner.get("/w/sales/flows/").content)
    ask(owner, "/w/sales/flows/export/semicolon/")
    assert offered()[0] == "semicolon"
    owner.cookies["file_format"] = "<script>"
    assert offered()[0] == "xlsx"


@pytest.mark.both_databases
def test_json_of_many_pages_is_one_array(owner: Client, stub_engine: StubEngine) -> None:
    many(stub_engine, 205)
    job = work(ask(owner, JSON))
    assert [row["id"] for row in json.loads(file_of(owner, job))] == [identity(one) for one in range(1, 206)]


@pytest.mark.both_databases
@pytest.mark.parametrize(("address", "rows"), [(CSV, 0), (JSON, 0)])
def test_an_empty_list_is_an_empty_file(owner: Client, stub_engine: StubEngine, address: str, rows: int) -> None:
    content = file_of(owner, work(ask(owner, address)))
    assert len(rows_of(content) if address == CSV else json.loads(content)) == rows


@pytest.mark.both_databases
def test_a_double_click_is_one_export(owner: Client, stub_engine: StubEngine) -> None:
    assert ask(owner) == ask(owner)
    assert Job.objects.count() == 1


@pytest.mark.both_databases
def test_a_killed_worker_leaves_no_row_twice(
    owner: Client, stub_engine: StubEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    many(stub_engine, 250)
    job = ask(owner)
    walk = pagination.walk

    def dies(*args: Any, **more: Any) -> Any:
        stretches = walk(*args, **more)
        yield next(stretches)
        raise SystemExit

    monkeypatch.setattr(pagination, "walk", dies)
    with pytest.raises(SystemExit):
        worker.turn(job.pk, BY_NAME)
    assert JobPart.objects.filter(job=job).count() == 1
    monkeypatch.setattr(pagination, "walk", walk)
    # Its claim still holds: nobody else takes it up.
    assert work(job).state == JobState.COLLECTING
    Job.objects.filter(pk=job.pk).update(claim_until=timezone.now() - timedelta(seconds=1))
    job = work(job)
    assert (job.state, job.rows) == (JobState.ENDED, 250)
    assert len({row["ID"] for row in rows_of(file_of(owner, job))}) == 250


@pytest.mark.both_databases
def test_an_engine_slower_than_the_lease_is_not_asked_for_ever(
    owner: Client, stub_engine: StubEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    many(stub_engine, 5)
    job = ask(owner)
    walk = pagination.walk

    def slow(*args: Any, **more: Any) -> Any:
        Job.objects.update(claim_until=timezone.now() - timedelta(seconds=1))
        yield from walk(*args, **more)

    monkeypatch.setattr(pagination, "walk", slow)
    job = work(job)
    assert (job.state, job.tries, job.claim) == (JobState.COLLECTING, 1, "")
    assert job.not_before is not None
    Job.objects.update(tries=job_turns.TRIES - 1, not_before=None)
    assert work(job).state == JobState.FAILED


@pytest.mark.both_databases
def test_an_engine_that_is_down_on_the_way_is_asked_again_later(owner: Client, stub_engine: StubEngine) -> None:
    many(stub_engine, 5)
    stub_engine.faults["/flows"] = Reply(503, {"message": "no"})
    job = work(ask(owner))
    assert job.state == JobState.COLLECTING
    assert job.not_before is not None
    assert "The console tries again automatically." in text(owner.get(f"/w/sales/jobs/{job.pk}/export/").content)
    stub_engine.faults.clear()
    Job.objects.filter(pk=job.pk).update(not_before=None)
    assert work(job).state == JobState.ENDED


@pytest.mark.both_databases
@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (Reply(401, {"code": "INVALID_BEARER_TOKEN", "params": {}}), "the engine refuses the credential"),
        (Reply(403, {"code": "PERMISSION_DENIED", "params": {}}), "the engine does not allow it"),
    ],
)
def test_what_no_waiting_mends_ends_it_with_words(
    owner: Client, stub_engine: StubEngine, reply: Reply, said: str
) -> None:
    stub_engine.faults["/flows"] = reply
    job = work(ask(owner))
    assert job.state == JobState.FAILED
    page = text(owner.get(f"/w/sales/jobs/{job.pk}/export/").content)
    assert said in page
    assert "There is no file" in page
    assert owner.get(f"/w/sales/jobs/{job.pk}/file/").status_code == 410


@pytest.mark.both_databases
def test_who_lost_their_place_gets_nothing_more(users: Users, owner: Client, stub_engine: StubEngine) -> None:
    many(stub_engine, 5)
    job = ask(owner)
    Member.objects.filter(user=users.owner).delete()
    assert work(job).state == JobState.FAILED
    assert not stub_engine.seen


@pytest.mark.both_databases
def test_without_a_credential_no_export_is_begun(users: Users, owner: Client, stub_engine: StubEngine) -> None:
    Credential.objects.all().delete()
    assert owner.post(CSV).status_code == owner.get(CSV).status_code == 403
    assert not Job.objects.exists()


@pytest.mark.both_databases
def test_a_list_longer_than_a_file_says_so(
    owner: Client, stub_engine: StubEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    many(stub_engine, 250)
    monkeypatch.setattr(exporting, "ROWS", 150)
    job = work(ask(owner))
    assert (job.rows, job.cut) == (150, True)
    assert "The list is longer" in text(owner.get(f"/w/sales/jobs/{job.pk}/export/").content)
    assert len(rows_of(file_of(owner, job))) == 150
    monkeypatch.setattr(exporting, "BYTES", 1)
    job = work(ask(owner, JSON))
    assert (job.rows, job.cut) == (100, True)
    assert len(json.loads(file_of(owner, job))) == 100


@pytest.mark.both_databases
def test_an_export_is_stopped_and_leaves_nothing(
    owner: Client, stub_engine: StubEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    many(stub_engine, 250)
    job = ask(owner)
    walk = pagination.walk

    def stopped_meanwhile(*args: Any, **more: Any) -> Any:
        stretches = walk(*args, **more)
        yield next(stretches)
        answer = owner.post(f"/w/sales/jobs/{job.pk}/export/stop/")
        assert answer.headers["Location"] == f"/w/sales/jobs/{job.pk}/export/"
        yield from stretches

    monkeypatch.setattr(pagination, "walk", stopped_meanwhile)
    assert work(job).state == JobState.STOPPED
    assert JobPart.objects.count() == 1
    job_turns.purge()
    assert not JobPart.objects.exists()
    assert "There is no file." in text(owner.get(f"/w/sales/jobs/{job.pk}/export/").content)
    owner.post(f"/w/sales/jobs/{job.pk}/export/stop/")
    assert "It had already ended." in text(owner.get(f"/w/sales/jobs/{job.pk}/export/").content)


@every
@pytest.mark.sampled(3)
def test_no_secret_of_a_list_is_in_a_file(
    users: Users, owner: Client, stub_engine: StubEngine, resource: Resource
) -> None:
    _placed(users, stub_engine, resource)
    samples.sample_for(resource).fill(stub_engine, **dict.fromkeys(resource.secrets, "this-is-the-secret"))
    for kind in ("csv", "json"):
        answer = owner.get(f"{resource.url('sales')}export/{kind}/")
        assert answer.status_code == 200
        assert "this-is-the-secret" not in answer.content.decode()


# --- Who, and how long


@pytest.mark.both_databases
def test_the_file_is_its_persons_and_the_managers(users: Users, client: Client, stub_engine: StubEngine) -> None:
    many(stub_engine, 2)
    client.force_login(users.colleague)
    job = work(ask(client))
    addresses = [f"/w/sales/jobs/{job.pk}/export/", f"/w/sales/jobs/{job.pk}/file/"]
    assert [client.get(address).status_code for address in addresses] == [200, 200]
    client.force_login(users.owner)
    assert [client.get(address).status_code for address in addresses] == [200, 200]
    assert "Requested by" in text(client.get(addresses[0]).content)
    Member.objects.filter(user=users.owner).update(role=Role.BUILDER)
    assert [client.get(address).status_code for address in addresses] == [404, 404]
    client.force_login(users.stranger)
    assert [client.get(address).status_code for address in addresses] == [404, 404]
    elsewhere = [address.replace("/sales/", "/elsewhere/") for address in addresses]
    assert [client.get(address).status_code for address in elsewhere] == [404, 404]


@pytest.mark.both_databases
def test_the_file_is_removed_after_some_days_and_the_job_stays(owner: Client, stub_engine: StubEngine) -> None:
    many(stub_engine, 2)
    job = work(ask(owner))
    Job.objects.filter(pk=job.pk).update(keep_until=timezone.now() - timedelta(seconds=1))
    assert owner.get(f"/w/sales/jobs/{job.pk}/file/").status_code == 410
    job_turns.purge()
    assert not JobPart.objects.exists()
    assert "This file no longer exists" in text(owner.get(f"/w/sales/jobs/{job.pk}/export/").content)


@pytest.mark.both_databases
def test_the_fragment_of_the_page_stops_asking_once_the_file_is_there(owner: Client, stub_engine: StubEngine) -> None:
    job = ask(owner)
    headers = {"HX-Request": "true", "HX-Target": "export"}
    address = f"/w/sales/jobs/{job.pk}/export/"
    assert "hx-trigger" in owner.get(address, headers=headers).content.decode()
    work(job)
    fragment = owner.get(address, headers=headers).content.decode()
    assert "hx-trigger" not in fragment
    assert "<html" not in fragment


def test_writing_needs_the_forms_proof(users: Users, stub_engine: StubEngine) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(users.owner)
    assert browser.post(CSV).status_code == 403
    assert not Job.objects.exists()
