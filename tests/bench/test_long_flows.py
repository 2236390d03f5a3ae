"""What a flow of 500 steps takes: its pages, a form, and an edit, without what the engine takes. Prints figures.

The least processor time (`cpu`) counts on a machine that others use, too.
"""

import gzip
import statistics
import time
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from django.template.base import Template
from django.test import Client

from tests.bench import engine_process
from tests.bench.test_speed import CLICK, EngineTime, engine_time
from tests.users import Users, gather, workspace
from workflows_ui.credentials.services import clients

__all__ = ["engine_time"]
ROUNDS, STEPS = 15, 500


@pytest.fixture(autouse=True)
def _uninstrumented(monkeypatch: pytest.MonkeyPatch) -> None:
    """Templates are rendered as in production: tests otherwise copy the context of each."""
    monkeypatch.setattr(Template, "_render", lambda template, context: template.nodelist.render(context))


@pytest.fixture
def scene(db: None) -> Iterator[tuple[Users, str]]:
    with engine_process.running() as engine:
        users = gather(workspace("sales", address=f"{engine.url}/api", project=engine.project_id), engine.token)
        workflows = clients.client_for_credential(users.credential).workflows
        flow = workflows.create_flow("Five hundred steps")
        request = {"displayName": "Five hundred steps", "trigger": tree(), "schemaVersion": None}
        workflows.apply_flow_operation(flow["id"], {"type": "IMPORT_FLOW", "request": request})
        yield users, flow["id"]


def tree() -> dict[str, Any]:
    """Code, loops with two steps, and routers with five in two branches, one after the other."""
    names = iter(f"step_{number}" for number in range(1, STEPS + 1))
    source = {"code": "export const code = async (inputs) => {\n  return inputs;\n};\n", "packageJson": "{}"}
    branches = [
        {
            "branchName": "Large",
            "branchType": "CONDITION",
            "conditions": [
                [{"operator": "NUMBER_IS_GREATER_THAN", "firstValue": "{{trigger.body.sum}}", "secondValue": "9"}]
            ],
        },
        {"branchName": "Otherwise", "branchType": "FALLBACK"},
    ]

    def step(kind: str, settings: dict[str, Any], **more: Any) -> dict[str, Any]:
        name = next(names)
        return {"name": name, "displayName": f"Step {name}", "type": kind, "valid": True, "settings": settings, **more}

    def code() -> dict[str, Any]:
        values = {"order": "{{trigger.body.order}}", "before": "{{step_1.total}}", "text": "Some text"}
        return step("CODE", {"input": values, "sourceCode": source})

    def chain(steps: list[dict[str, Any]]) -> dict[str, Any]:
        for step_, following in pairwise(steps):
            step_["nextAction"] = following
        return steps[0]

    main = []
    for _ in range(STEPS // 10):
        main += [code(), step("LOOP_ON_ITEMS", {"items": "{{trigger.body.lines}}"})]
        main[-1]["firstLoopAction"] = chain([code(), code()])
        main.append(step("ROUTER", {"branches": branches, "executionType": "EXECUTE_FIRST_MATCH"}))
        main[-1]["children"] = [chain([code(), code()]), chain([code(), code(), code()])]
    settings = {
        "pieceName": "@activepieces/piece-webhook",
        "pieceVersion": "~0.1.29",
        "triggerName": "catch_webhook",
        "input": {"authType": "none", "authFields": {}},
        "propertySettings": {},
    }
    trigger = {"name": "trigger", "type": "PIECE_TRIGGER", "valid": True, "displayName": "Webhook"}
    return {**trigger, "settings": settings, "nextAction": chain(main)}


class Measured:
    """A browser whose requests are timed."""

    def __init__(self, users: Users, spent: EngineTime) -> None:
        self._browser, self._spent = Client(), spent
        self._browser.force_login(users.owner)

    def row(self, name: str, path: str, typed: dict[str, str] | None = None, *, target: str = "") -> Any:
        """Print a line for a page, or for a form that is submitted. Return the last response."""
        headers = CLICK | ({"HX-Request": "true", "HX-Target": target} if target else {})

        def send() -> Any:
            if typed is None:
                return self._browser.get(path, headers=headers)
            return self._browser.post(path, typed, headers=headers)

        answer = send()
        assert answer.status_code in (200, 303), (path, answer.status_code, answer.content[:500])
        own, cpu = [], []
        for _ in range(ROUNDS):
            self._spent.seconds, started, worked = 0.0, time.perf_counter(), time.process_time()
            answer = send()
            cpu.append(time.process_time() - worked)
            own.append(time.perf_counter() - started - self._spent.seconds)
        self._print(name, own, cpu, answer)
        return answer

    def edits(self, name: str, path: str, typed: dict[str, str]) -> None:
        """Print a line for edits that are confirmed, each with another name."""
        own, cpu = [], []
        for number in range(ROUNDS):
            values = typed | {"name": f"Name {number}"}
            asked = self._browser.post(path, values).content.decode()
            values["seen"] = asked.partition('name="seen" value="')[2].partition('"')[0]
            self._spent.seconds, started, worked = 0.0, time.perf_counter(), time.process_time()
            done = self._browser.post(path, values)
            cpu.append(time.process_time() - worked)
            own.append(time.perf_counter() - started - self._spent.seconds)
            assert done.status_code == 303
        self._print(name, own, cpu, done)

    def _print(self, name: str, own: list[float], cpu: list[float], answer: Any) -> None:
        sent = answer.content
        body = gzip.decompress(sent) if answer.get("Content-Encoding") == "gzip" else sent
        times = "".join(f"{took * 1000:8.0f}" for took in (statistics.median(own), max(own), min(cpu)))
        print(f"{name:36}{times}{len(body) / 1000:9.0f}{len(sent) / 1000:8.0f}")


def test_long_flows(scene: tuple[Users, str], engine_time: EngineTime, capsys: pytest.CaptureFixture[str]) -> None:
    users, flow = scene
    page, do = f"/w/sales/flows/{flow}/", "/w/sales/flows/do"
    measured = Measured(users, engine_time)
    with capsys.disabled():
        print(f"\n{'500 steps, milliseconds':36}{'own':>8}{'most':>8}{'cpu':>8}{'kB':>9}{'sent':>8}")
        measured.row("overview", page)
        measured.row("steps", f"{page}?tab=steps")
        measured.row("page of a step", f"{page}steps/step_250/")
        measured.row("a step, beside the diagram", f"{page}steps/step_250/", target="action")
        measured.row("page of a form", f"{do}/step-move/{flow}/?step=step_250")
        measured.row("a form, beside the diagram", f"{do}/step-move/{flow}/?step=step_250", target="action")
        typed = {"step": "step_250", "place": "AFTER:step_3"}
        measured.row("what would change", f"{do}/step-move/{flow}/", typed, target="action")
        measured.edits("an edit, confirmed", f"{do}/step-rename/{flow}/", {"step": "step_250"})
