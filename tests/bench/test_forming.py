"""How long a launch form takes to be proposed, read, filled and checked. Prints figures, asserts only that the work was done."""

import json
import random
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests import flows
from tests.launch_forms.browser import submitted
from tests.users import gather, workspace
from workflows_ui.core import clock, json_text
from workflows_ui.form_schema import checking, schema_in, schema_out
from workflows_ui.launch_forms.proposal import proposing
from workflows_ui.launch_forms.services import sources as form_sources
from workflows_ui.launches.models import Launch, State

FIELDS, PAYLOADS = 100, 10_000


def payload(number: int) -> dict[str, Any]:
    """One of many payloads of 100 fields: texts, numbers, dates, choices, lists, rows, and objects ten levels deep."""
    dice = random.Random(number)
    body: dict[str, Any] = {}
    for at in range(FIELDS - 20):
        kinds: list[Callable[[], Any]] = [
            lambda: f"text {dice.random()}",
            lambda: dice.randint(0, 10**6),
            lambda: f"2026-03-{dice.randint(1, 28):02}",
            lambda: dice.choice(["small", "middle", "large"]),
            lambda: dice.random() < 0.5,
            lambda: f"p{number}@example.com",
            lambda: dice.choice([None, "", "x"]),
            lambda: ["a", "b"],
        ]
        if dice.random() < 0.95:
            body[f"field_{at}"] = kinds[at % len(kinds)]()
    body["rows"] = [{"sku": f"S{n}", "qty": n, "price": n * 1.5} for n in range(3)]
    inner = body
    for level in range(10):
        inner[f"level_{level}"] = {"a": level, "b": f"x{number % 50}"}
        inner = inner[f"level_{level}"]
    return body


def flow() -> dict[str, Any]:
    """A step tree that reads every field."""
    reading = flows.code("echo", **{f"in_{at}": f"{{{{trigger['body']['field_{at}']}}}}" for at in range(FIELDS)})
    return {"name": "trigger", "settings": {}, "nextAction": {**reading, "name": "step_1"}}


def timed(name: str, act: Callable[[], Any]) -> Any:
    """Runs it once, prints the processor's and the clock's seconds, and gives what it gave."""
    wall, cpu = time.perf_counter(), time.process_time()
    result = act()
    print(f"{name:50} {time.process_time() - cpu:6.2f} s CPU   {time.perf_counter() - wall:6.2f} s")
    return result


def test_forming(capsys: pytest.CaptureFixture[str]) -> None:
    many, tree = [payload(number) for number in range(PAYLOADS)], flow()
    with capsys.disabled():
        print()
        form = timed(f"propose from {PAYLOADS} payloads", lambda: proposing.propose(tree, many))
        assert len(form.fields) >= FIELDS
        text = json.dumps(schema_out.to_schema(form))
        assert timed("read the stored form", lambda: schema_in.read_trusted(json.loads(text))) == form
        shown = timed("fill the form", lambda: checking.initial(form, many[0]))
        assert timed("check it", lambda: checking.Checked(form, submitted(form, shown))).good


def test_proposing_from_stored_launches(db: None, capsys: pytest.CaptureFixture[str]) -> None:
    users = gather(workspace("sales"), "a-secret")
    now = clock.now()
    rows = []
    for number in range(PAYLOADS):
        launch = Launch(
            workspace=users.workspace, user=users.owner, ticket=f"ticket-{number:020}", flow_id="F" * 21, state=State.SUCCEEDED,
            payload_digest="x", asked_at=now, not_before=now, send_by=now,
        )  # fmt: skip
        launch.payload = launch.seal("payload", json_text.dump(payload(number)))
        rows.append(launch)
    Launch.objects.bulk_create(rows, batch_size=500)
    with capsys.disabled():
        print()
        found = timed(
            "open the stored launches",
            lambda: [payload for _id, payload in form_sources.launch_payloads(users.workspace, "F" * 21)],
        )
        form = timed("propose from them", lambda: proposing.propose(flow(), found))
    assert len(form.fields) >= FIELDS
