"""Lists and pages of the engine's objects from the index, while the engine does not answer; and the search by name."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from django.utils.html import strip_tags

from tests import flows
from tests.run_index.index_scene import read_all, start, turn
from tests.run_index.test_objects import read, step
from tests.stage import Stage, stage
from tests.users import credential
from workflows_ui.core.caching import answers
from workflows_ui.credentials.models import CredentialShare
from workflows_ui.engine import Timeouts
from workflows_ui.members.models import Role
from workflows_ui.run_index.models import IndexedObject, RunIndex
from workflows_ui.run_index.services import indexes

__all__ = ["stage"]
pytestmark = [
    pytest.mark.django_db,
    pytest.mark.parametrize("stage", ["activepieces"], indirect=True),
]
KINDS = ("flows", "connections", "tables", "folders", "mcp-servers")
DOWN = "The engine does not answer. This is what the run index knew at"


def page(browser: Client, url: str, status: int = 200) -> str:
    """A page as text, in one line."""
    response = browser.get(url)
    assert response.status_code == status, url
    return re.sub(r"\s+", " ", strip_tags(response.content.decode().replace("&#x27;", "'")))


def go_down(stage: Stage) -> None:
    """The engine is stopped, and the index's reader has found out."""
    stage.practice.server.stop()
    turn(stage)
    assert RunIndex.objects.get().failures
    answers.clear()


@pytest.fixture
def indexed(stage: Stage) -> Stage:
    """A workspace whose objects were read."""
    start(stage)
    read(stage)
    return stage


@pytest.mark.slow
def test_every_list_and_page_comes_from_the_index_while_the_engine_is_down(indexed: Stage) -> None:
    go_down(indexed)
    for kind in KINDS:
        content = page(indexed.browser, f"/w/sales/{kind}/")
        assert DOWN in content, kind
        rows = IndexedObject.objects.filter(kind=kind, gone_at=None)
        assert f"of {rows.count()}" in content or rows.count() <= 20
        row = rows.exclude(name="").first() or rows[0]
        one = page(indexed.browser, f"/w/sales/{kind}/{row.object_id}/")
        assert DOWN in one, kind
        assert row.name[:40] in one
    assert "Not available now: the engine does not answer." in page(indexed.browser, "/w/sales/flows/")


@pytest.mark.slow
def test_the_board_of_triggers_is_counted_from_the_index_while_the_engine_is_down(indexed: Stage) -> None:
    url = "/w/sales/triggers/"
    read_all(indexed)
    go_down(indexed)
    RunIndex.objects.update(failures=0, trouble="")
    for _found_out in (False, True):
        content = page(indexed.browser, url)
        assert DOWN in content
        assert "The engine's own figures cannot be read now." in content
        assert "This engine counts no triggers" not in content
        assert "Webhook" in content
        one = page(indexed.browser, f"{url}@activepieces/piece-webhook/")
        assert "The engine's own figures cannot be read now." in one
        turn(indexed)
    # Who may not see the index sees nothing of it.
    CredentialShare.objects.all().delete()
    page(indexed.as_role(Role.BUILDER), url, status=503)


@pytest.mark.slow
def test_an_engine_that_hangs_is_not_waited_for_and_is_tried_again_soon(indexed: Stage) -> None:
    RunIndex.objects.update(failures=9, trouble="Unavailable")
    flow = IndexedObject.objects.filter(kind="flows")[0].object_id
    before = len(indexed.practice.journal.all())
    for url in (
        *(f"/w/sales/{kind}/" for kind in KINDS),
        f"/w/sales/flows/{flow}/",
        f"/w/sales/flows/{flow}/?tab=used",
    ):
        assert DOWN in page(indexed.browser, url), url
    found = page(indexed.browser, "/w/sales/search/?q=a")
    assert "The engine does not answer. Above is what the run index knew before." in found
    assert indexed.practice.journal.all()[before:] == []
    index = RunIndex.objects.get()
    turn(indexed)
    assert DOWN not in page(indexed.browser, "/w/sales/flows/")
    assert index.due_at != RunIndex.objects.get().due_at


@pytest.mark.slow
def test_an_engine_that_has_just_begun_to_hang_is_waited_for_shortly_and_the_reader_finds_out(
    indexed: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexes, "PATIENCE", Timeouts(connect=0.2, read=0.2, total=0.2, pause=0))
    flow = IndexedObject.objects.filter(kind="flows")[0].object_id
    answers.clear()
    indexed.practice.engine.faults.add("delay", "GET", "*", seconds=1)
    RunIndex.objects.update(due_at=timezone.now() + timedelta(minutes=1))
    assert DOWN in page(indexed.browser, "/w/sales/flows/")
    assert RunIndex.objects.get().due_at <= timezone.now()
    assert DOWN in page(indexed.browser, f"/w/sales/flows/{flow}/")


@pytest.mark.slow
def test_the_parts_of_the_home_page_are_not_waited_for_until_the_browser_gives_up(
    indexed: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexes, "PATIENCE", Timeouts(connect=0.2, read=0.2, total=0.2, pause=0))
    answers.clear()
    indexed.practice.engine.faults.add("delay", "GET", "*", seconds=1)
    for part, said in (
        ("home-flows", "The list of flows cannot be shown right now"),
        ("home-attention", "The engine does not answer"),
    ):
        headers = {"HX-Request": "true", "HX-Target": part}
        assert said in indexed.browser.get("/w/sales/", headers=headers).content.decode(), part


@pytest.mark.slow
@pytest.mark.both_databases
def test_filters_and_orders_choose_the_same_flows_as_the_engine(indexed: Stage) -> None:
    flow = indexed.session.workflows.list_flows(limit=100)["data"][0]
    name = flow["version"]["displayName"].split()[0].lower()
    folder = next(row.folder_id for row in IndexedObject.objects.filter(kind="flows").exclude(folder_id=""))
    queries = ("?status=ENABLED", f"?folder={folder}", "?folder=NULL", "?connection=gmail-sales")
    named = ids(indexed.browser, f"?name={name}")
    found = [ids(indexed.browser, query) for query in queries]
    assert all(found)
    RunIndex.objects.update(failures=1, trouble="Unreachable")
    assert [ids(indexed.browser, query) for query in queries] == found
    # Accents make no difference here.
    assert named <= ids(indexed.browser, f"?name={name}")
    assert len(ids(indexed.browser, "?sort=-name&rows=50")) == IndexedObject.objects.filter(kind="flows").count()


def ids(browser: Client, query: str) -> set[str]:
    """The flows of a page of the list."""
    response = browser.get(f"/w/sales/flows/{query}")
    assert response.status_code == 200
    return set(re.findall(r'/w/sales/flows/(\w{21})/"', response.content.decode()))


@pytest.mark.slow
def test_without_an_index_or_without_the_right_to_it_the_error_is_shown_as_before(indexed: Stage) -> None:
    credential(indexed.users.workspace, indexed.users.colleague, indexed.secret, name="Mine")
    CredentialShare.objects.all().delete()
    browser = indexed.as_role(Role.VIEWER)
    go_down(indexed)
    for kind in ("flows", "tables"):
        assert DOWN not in page(browser, f"/w/sales/{kind}/", 503)
    assert "Orders" not in page(browser, "/w/sales/search/?q=orders")


@pytest.mark.slow
def test_an_object_that_the_index_lacks_is_read_from_the_engine(indexed: Stage) -> None:
    go_down(indexed)
    page(indexed.browser, f"/w/sales/flows/{'x' * 21}/", 503)


@pytest.mark.slow
@pytest.mark.both_databases
def test_the_search_finds_indexed_objects_by_name_and_the_engine_adds_only_others(indexed: Stage) -> None:
    workflows = indexed.session.workflows
    made = flows.make(workflows, "Đơn hàng <b>", step("gmail", "send_email", "x"), publish=False)
    read(indexed)
    later = flows.make(workflows, "Đơn hàng 2", publish=False)
    answers.clear()
    before = len(indexed.practice.journal.all())
    local = indexed.browser.get(
        "/w/sales/search/?q=don+hang", headers={"HX-Request": "true", "HX-Target": "search-results"}
    )
    content = local.content.decode()
    assert indexed.practice.journal.all()[before:] == []
    assert f'/w/sales/flows/{made}/"' in content
    assert "<b>" not in content
    assert later not in content
    answer = indexed.browser.get(
        "/w/sales/search/?q=don+hang", headers={"HX-Request": "true", "HX-Target": "search-engine"}
    )
    found = answer.content.decode()
    assert later in found
    assert f'/w/sales/flows/{made}/"' not in found
    assert made not in page(indexed.as_role(Role.LAUNCHER), "/w/sales/search/?q=nothing")


@pytest.mark.slow
def test_pages_that_are_hidden_from_launchers_are_not_found(indexed: Stage) -> None:
    name = IndexedObject.objects.filter(kind="tables", gone_at=None)[0].name
    indexed.users.workspace.hidden_pages = ["tables"]
    indexed.users.workspace.save()
    url = f"/w/sales/search/?q={name.split()[0]}"
    assert "/w/sales/tables/" in indexed.browser.get(url).content.decode()
    assert "/w/sales/tables/" not in indexed.as_role(Role.LAUNCHER).get(url).content.decode()
