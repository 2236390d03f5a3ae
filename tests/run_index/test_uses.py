"""Where connections, tables, apps and flows are used, by the index: on their pages and before they are deleted."""

import re
from typing import Any

import pytest
from django.test import Client
from django.utils.html import strip_tags

from tests import flows
from tests.run_index.index_scene import start
from tests.run_index.test_objects import read, step
from tests.stage import Stage, stage
from tests.users import credential
from workflows_ui.credentials.models import CredentialShare
from workflows_ui.members.models import Role
from workflows_ui.run_index.models import IndexedKind, RunIndex
from workflows_ui.usage import usage

__all__ = ["stage"]
pytestmark = [
    pytest.mark.django_db,
    pytest.mark.parametrize("stage", ["activepieces"], indirect=True),
]


def page(browser: Client, url: str) -> str:
    """A page as text, in one line."""
    response = browser.get(url)
    assert response.status_code == 200, url
    return re.sub(r"\s+", " ", strip_tags(response.content.decode().replace("&#x27;", "'")))


def html(browser: Client, url: str) -> str:
    """A page as it was sent."""
    return browser.get(url).content.decode()


class Used:
    """A table, a connection, an inner flow, and an outer one that uses all of them; and their pages."""

    def __init__(self, stage: Stage) -> None:
        workflows = stage.session.workflows
        table = workflows.create_table("Orders")
        connection = next(
            row for row in workflows.list_connections(limit=100)["data"] if row["externalId"] == "gmail-sales"
        )
        self.inner = flows.make(workflows, "Inner", flows.code("echo"))
        self.outer = flows.make(
            workflows,
            "Outer <b>",
            step("gmail", "send_email", "Write to the customer", auth="{{connections['gmail-sales']}}"),
            step("tables", "tables-create-records", "Keep it", table_id=table["externalId"]),
            step("subflows", "callFlow", "Call the inner one", flowId=self.inner),
        )
        self.connection = f"/w/sales/connections/{connection['id']}/"
        self.table = f"/w/sales/tables/{table['id']}/?tab=used"
        self.app = "/w/sales/pieces/@activepieces/piece-subflows/?tab=used"
        self.flow = f"/w/sales/flows/{self.inner}/?tab=used"
        self.pages = (self.connection, self.table, self.app, self.flow)
        self.deletions = (
            f"/w/sales/connections/do/delete/{connection['id']}/",
            f"/w/sales/tables/do/delete/{table['id']}/",
            f"/w/sales/flows/do/delete/{self.inner}/",
        )


def calls(stage: Stage) -> int:
    """How often the list of all flows was asked for."""
    return len(stage.practice.journal.all("GET", "/v1/flows"))


@pytest.mark.slow
def test_each_page_names_the_flows_and_steps_that_use_it_without_reading_the_flows(stage: Stage) -> None:
    used = Used(stage)
    start(stage)
    read(stage)
    before = calls(stage)
    titles = ("Write to the customer", "Keep it", "Call the inner one", "Call the inner one")
    for url, title, number in zip(used.pages, titles, (1, 2, 3, 3), strict=True):
        content = html(stage.browser, url)
        assert "Outer &lt;b&gt;" in content, url
        assert f'href="/w/sales/flows/{used.outer}/steps/step_{number}/">{title}</a>' in content, url
        assert "As of" in content
    assert calls(stage) == before
    content = html(stage.browser, f"/w/sales/flows/{used.outer}/")
    assert "Flows that it calls" in content
    assert f'href="/w/sales/flows/{used.inner}/"' in content


@pytest.mark.slow
def test_before_a_deletion_the_users_are_counted_and_named(stage: Stage) -> None:
    used = Used(stage)
    start(stage)
    read(stage)
    before = calls(stage)
    for url in used.deletions:
        asked = page(stage.browser, url)
        assert re.search(r"\d flows? uses? it\.( \d MCP servers? uses? it\.)? As of \d\d:\d\d", asked), url
        assert "Outer &lt;b&gt; (" in html(stage.browser, url), url
    assert calls(stage) == before


@pytest.mark.slow
def test_objects_that_only_the_live_version_uses_are_marked_so(stage: Stage) -> None:
    used = Used(stage)
    request = {"names": ["step_2"]}
    stage.session.workflows.apply_flow_operation(used.outer, {"type": "DELETE_ACTION", "request": request})
    start(stage)
    read(stage)
    assert "Keep it (only in the version that runs)" in page(stage.browser, used.table)
    assert f'href="/w/sales/flows/{used.outer}/?tab=steps">Keep it</a>' in html(stage.browser, used.table)


@pytest.mark.slow
@pytest.mark.both_databases
def test_after_a_change_by_the_console_uses_come_from_the_engine_until_the_index_was_read(stage: Stage) -> None:
    used = Used(stage)
    start(stage)
    read(stage)
    url = f"/w/sales/flows/do/rename/{used.outer}/"
    form = stage.browser.get(url)
    posted = {"name": "Renamed", form.context["ticket_name"]: form.context["ticket"]}
    assert stage.browser.post(url, posted).status_code == 303
    assert set(IndexedKind.objects.exclude(changed_at=None).values_list("kind", flat=True)) == {"flows"}
    asked = page(stage.browser, used.deletions[1])
    assert "Flow: Renamed (Keep it)" in asked
    assert "As of" not in asked
    read(stage)
    assert not IndexedKind.objects.exclude(changed_at=None).exists()
    usage.forget(stage.session)
    assert "As of" in page(stage.browser, used.deletions[1])


def test_without_an_index_the_engines_flows_are_read_and_gaps_are_named(stage: Stage) -> None:
    used = Used(stage)
    content = html(stage.browser, used.table)
    assert f'href="/w/sales/flows/{used.outer}/steps/step_2/">Keep it</a>' in content
    stage.practice.engine.faults.add("status", "GET", "/v1/flows", status=403)
    usage.forget(stage.session)
    assert "Managers start one in the settings of the workspace" in page(stage.browser, used.deletions[1])
    assert stage.browser.get("/w/sales/used-by/tables/xyz/").headers["Location"] == "/w/sales/tables/xyz/"
    assert stage.browser.get("/w/sales/used-by/runs/xyz/").status_code == 404


def test_uses_are_shown_only_to_people_who_may_open_the_flows(stage: Stage) -> None:
    used = Used(stage)
    start(stage)
    read(stage)
    # A colleague who may not use the index's credential sees what the engine gives to their own.
    credential(stage.users.workspace, stage.users.colleague, stage.secret, name="Mine")
    CredentialShare.objects.all().delete()
    before = calls(stage)
    browser = stage.as_role(Role.VIEWER)
    content = html(browser, used.connection)
    assert calls(stage) > before
    assert f"/w/sales/flows/{used.outer}/steps/" not in content, "who may not edit a step is led to the tab of steps"
    stage.users.workspace.hidden_pages = ["flows"]
    stage.users.workspace.save()
    assert "Outer" not in page(stage.as_role(Role.LAUNCHER), used.connection)


@pytest.mark.slow
def test_long_lists_are_cut_with_a_link_to_all_of_them(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    used = Used(stage)
    workflows = stage.session.workflows
    for number in range(3):
        flows.make(workflows, f"More {number}", step("subflows", "callFlow", "Call", flowId=used.inner), publish=False)
    monkeypatch.setattr(usage, "_IN_PANEL", 2)
    monkeypatch.setattr(usage, "_IN_QUESTION", 2)
    start(stage)
    read(stage)
    link = f'href="/w/sales/used-by/flows/{used.inner}/"'
    content = html(stage.browser, used.flow)
    assert "Show 2 more" in content
    assert link in content
    assert link in html(stage.browser, used.deletions[2])
    everything = page(stage.browser, f"/w/sales/used-by/flows/{used.inner}/")
    assert all(f"More {number}" in everything for number in range(3))


def test_an_mcp_server_that_offers_a_flow_is_named(stage: Stage) -> None:
    stage.practice.engine.settings.version = "0.72.4"
    servers: list[dict[str, Any]] = stage.session.workflows.list_mcp_servers(limit=100)["data"]
    flow = next(tool["flowId"] for server in servers for tool in server["tools"] if tool.get("flowId"))
    start(stage)
    read(stage)
    assert (
        "/w/sales/mcp-servers/" in html(stage.browser, f"/w/sales/flows/{flow}/?tab=used").split("Where it is used")[-1]
    )
    assert RunIndex.objects.get().trouble == ""
