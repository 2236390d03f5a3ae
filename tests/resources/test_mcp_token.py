"""The token of an MCP server: shown in one place, for a reason that is kept, and in no other page, file, log, cache or audit row."""

import logging
from typing import Any

import pytest
from django.core.cache import caches
from django.test import Client

from tests.connection_scene import Scene, scene, shown
from tests.engine.servers import Reply
from tests.practice_engine.fixtures import Practice, practice
from tests.resources.samples.mcp_servers import TOKEN, flow_tool, server
from tests.resources.test_mcp_servers import LIST, ONE, REASON, page_of, row, token_of
from tests.stub_engine import StubEngine, identity, text
from workflows_ui.audit.models import AuditEvent
from workflows_ui.core.redaction import MASK
from workflows_ui.members.models import Flavour, Role

__all__ = ["practice", "scene"]


@pytest.fixture(autouse=True)
def _several_servers(practice: Practice) -> None:
    """These are about engines with several servers; the one of a project has its own tests."""
    practice.engine.settings.version = "0.72.4"


def test_the_token_is_shown_for_a_reason_once_and_written_down(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    token, address = token_of(scene), f"{page_of(scene)}token/"
    asked = scene.browser.get(address)
    assert asked.status_code == 200
    assert "no-store" in asked["Cache-Control"]
    assert token not in shown(asked)
    for reason in ("", "because", "please show", "   a          b     "):
        refused = scene.browser.post(address, {"reason": reason})
        assert refused.status_code == 422
        assert token not in shown(refused)
    assert not AuditEvent.objects.filter(action="mcp.reveal").exists()
    answer = scene.browser.post(address, {"reason": f"  {REASON}\n"})
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
    assert 'hx-history="false"' in shown(answer)
    assert f">{token}</pre>" in shown(answer)
    assert f"/v1/mcp/{token}/sse" in shown(answer)
    event, end = AuditEvent.objects.filter(action="mcp.reveal").order_by("pk")
    assert (event.outcome, end.outcome, end.begun) == ("begun", "done", event)
    assert event.reason == REASON
    assert event.detail["credential"] == str(scene.users.credential.pk)
    assert (event.user, event.object_id) == (scene.users.owner, row(scene)["id"])
    assert (event.object_name, event.workspace) == ("Trợ lý bán hàng", scene.users.workspace)
    for page in (page_of(scene), address, LIST):
        assert token not in scene.page(page)
    assert token not in caplog.text
    assert token not in repr(list(AuditEvent.objects.values()))
    assert token not in repr(dict(scene.browser.session))


@pytest.mark.slow
def test_the_token_is_on_no_other_page_and_in_no_place(
    scene: Scene, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.DEBUG)
    remembered: list[str] = []
    for cache in caches.all():

        def noted(key: str, value: object, *more: Any, keep: Any = cache.set, **named: Any) -> None:
            remembered.append(repr(value))
            keep(key, value, *more, **named)

        monkeypatch.setattr(cache, "set", noted)
    known = {token_of(scene)}
    addresses = [LIST, page_of(scene), f"{page_of(scene)}apps/", f"{page_of(scene)}token/"]
    addresses += [page_of(scene, name) for name in ("rename", "add-flow", "remove-tool", "rotate-token", "delete")]
    pages = [scene.page(address) for address in addresses]
    scene.fill(page_of(scene, "rename"), name="Anders")
    scene.fill(page_of(scene, "rotate-token", "Anders"))
    known.add(token_of(scene, "Anders"))
    begun, ended = AuditEvent.objects.filter(action="mcp-servers.rotate-token").order_by("pk")
    assert (begun.outcome, ended.outcome, ended.begun) == ("begun", "done", begun)
    pages += [scene.page(page_of(scene, "", "Anders")), scene.page(LIST)]
    logged = caplog.text + repr(list(AuditEvent.objects.values()))
    for token in known:
        assert all(token not in page for page in pages)
        assert token not in logged
        assert not any(token in one for one in remembered)
    assert remembered, "something was remembered"


@pytest.mark.parametrize("kind", ["csv", "json"])
def test_a_list_as_a_file_has_no_token_either(scene: Scene, kind: str) -> None:
    answer = scene.browser.get(f"{LIST}export/{kind}/")
    assert answer.status_code == 200
    content = answer.content.decode()
    assert "Send Email" in content
    assert token_of(scene) not in content


@pytest.mark.parametrize("scene", [Flavour.ACTIVEPIECES], indirect=True)
@pytest.mark.parametrize("role", list(Role), ids=str)
def test_only_builders_see_the_token_and_change_servers(scene: Scene, role: Role) -> None:
    browser, may = scene.sign_in("colleague", role), role.includes(Role.BUILDER)
    token = f"{page_of(scene)}token/"
    assert browser.get(token).status_code == (200 if may else 403)
    answer = browser.post(token, {"reason": REASON})
    assert answer.status_code == (200 if may else 403)
    assert (token_of(scene) in shown(answer)) is may
    assert AuditEvent.objects.filter(action="mcp.reveal").exists() is may
    page = shown(browser.get(page_of(scene)))
    assert ("token/" in page) is may
    assert ("do/remove-tool/" in page) is may
    assert "YOUR_TOKEN" in shown(browser.get(f"{page_of(scene)}?tab=clients"))


def test_a_token_that_the_engine_repeats_elsewhere_is_hidden_too(owner: Client, stub_engine: StubEngine) -> None:
    keys = {"url": f"https://engine.example/other/{TOKEN}", "deep": [{"x": f"is {TOKEN}."}]}
    one = server(f"Called {TOKEN}", tools=[flow_tool(name=f"Flow {TOKEN}", toolName=TOKEN)], more=keys)
    stub_engine.rows["/mcp-servers"] = [one]
    stub_engine.faults[f"/mcp-servers/{identity(1)}"] = Reply(200, one)
    for address in (LIST, ONE, f"{LIST}do/delete/{identity(1)}/", f"{LIST}do/remove-tool/{identity(1)}/"):
        page = text(owner.get(address).content)
        assert TOKEN not in page
        assert MASK in page


def test_a_server_without_a_token_says_so(owner: Client, stub_engine: StubEngine) -> None:
    stub_engine.faults[f"/mcp-servers/{identity(1)}"] = Reply(200, server(token=None))
    page = text(owner.post(f"{ONE}token/", {"reason": REASON}).content)
    assert "The engine gives no token" in page


@pytest.mark.parametrize("scene", [Flavour.ACTIVEPIECES], indirect=True)
@pytest.mark.parametrize("kind", ["html", "too_many", "invalid_json", "garbage"])
def test_an_engine_at_fault_is_shown_and_no_token_is_written_down_as_shown(scene: Scene, kind: str) -> None:
    address = f"{page_of(scene)}token/"
    scene.practice.engine.faults.add(kind, "GET", "/v1/mcp-servers/*")
    answer = scene.browser.post(address, {"reason": REASON})
    assert answer.status_code in (503, 429, 502)
    assert not AuditEvent.objects.exists()
