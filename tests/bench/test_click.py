"""From a click on "Launch" to the request's arrival at the engine, with a web server and a worker of their own. Adds a figure."""

import json
import time
from pathlib import Path

import pytest
import requests
from django.db import connection

from tests.bench import figures
from tests.chaos.stage import Stage, until
from tests.engine.servers import Reply, Seen
from tests.secrets.forms import filled
from tests.stub_engine import StubEngine, flow, identity, stub_engine, users
from tests.users import Users
from tests.web_server import WebServer, cookie_of

__all__ = ["stub_engine", "users"]
ROUNDS = 60
#: Clicks while the worker starts, and its threads connect to the servers for the first time, which are not counted.
FIRST = 5


@pytest.mark.django_db(transaction=True)
def test_click_to_first_byte(users: Users, stub_engine: StubEngine, tmp_path: Path) -> None:
    usual_answer, arrived, taken = stub_engine.answer, list[float](), list[float]()
    assert usual_answer is not None

    def answer(seen: Seen) -> Reply:
        if "/webhooks/" not in seen.path:
            return usual_answer(seen)
        arrived.append(time.monotonic())
        return Reply(200, {}, (("x-webhook-id", f"{len(arrived)}"),))

    stub_engine.flows, stub_engine.answer = [flow()], answer
    hook, bare = f"{stub_engine.url}/api/v1/webhooks/{identity(1)}", list[float]()
    for _ in range(ROUNDS):
        asked = time.monotonic()
        requests.post(hook, json={}, timeout=60)
        bare.append(arrived.pop() - asked)
    stage = Stage(tmp_path)
    stage.worker()
    server = WebServer(tmp_path, stage.env, WEB_THREADS="8")
    address = f"http://127.0.0.1:{server.port}/w/sales/flows/{identity(1)}/launch/"
    try:
        with requests.Session() as browser:
            browser.headers["Cookie"] = cookie_of(users.owner)
            for number in range(FIRST + ROUNDS):
                page = browser.get(address)
                browser.headers["Cookie"] = f"{cookie_of(users.owner)}; csrftoken={page.cookies['csrftoken']}"
                [form] = [form for form in filled(page.text, address, "") if "ticket" in form.values]
                # Without the fields that the form took from the steps, of which this flow reads nothing, the values are JSON.
                values = {name: value for name, value in form.values.items() if name != "_shape"}
                clicked = time.monotonic()
                answered = browser.post(address, values | {"payload": json.dumps({"n": number})}, allow_redirects=False)
                assert answered.status_code == 303
                until(lambda: len(arrived) > len(taken), "the launch arrives")
                taken.append(arrived[-1] - clicked)
    finally:
        server.kill()
        stage.stop()
    where = "PostgreSQL and Redis" if connection.vendor == "postgresql" else "SQLite and files"
    goal = "30 ms" if connection.vendor == "postgresql" else "60 ms"
    figures.add(f"click to first byte: {where}", figures.spread(taken[FIRST:]), f"95 %: {goal}", figures.spread(bare))
