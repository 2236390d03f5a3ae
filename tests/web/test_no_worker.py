"""Pages of what is done in the background say so while nothing works there, and stop when a worker runs."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from tests.stub_engine import (
    StubEngine,
    flow,
    identity,
    owner as owner,
    stub_engine as stub_engine,
    text,
    users as users,
)
from tests.users import Users
from workflows_ui.audit.services import audit_log
from workflows_ui.core import heartbeat
from workflows_ui.launches.models import Launch
from workflows_ui.launches.services import launches

pytestmark = pytest.mark.both_databases

SAID = "Background work is not running right now"
HTMX = {"HX-Request": "true"}


def bulk(owner: Client, _cast: Users) -> tuple[str, str]:
    asked = owner.post("/w/sales/flows/many/turn-off/", {"everything": "1", "next": "/w/sales/flows/"})
    return asked.headers["Location"], "job-live"


def export(owner: Client, _cast: Users) -> tuple[str, str]:
    return owner.post("/w/sales/flows/export/csv/").headers["Location"], "export"


def launch(_owner: Client, users: Users) -> tuple[str, str]:
    order = launches.LaunchRequest(identity(1), "A flow", {"n": 1}, False, launches.ticket(), confirmed=True)
    made = launches.create(audit_log.Actor(users.owner), users.place(users.owner), order).launch
    assert isinstance(made, Launch)
    return f"/w/sales/launches/{made.pk}/", "launch-live"


@pytest.mark.parametrize("begin", [bulk, export, launch])
def test_a_page_says_that_nothing_works_and_takes_it_back(
    users: Users, owner: Client, stub_engine: StubEngine, begin: Callable[[Client, Users], tuple[str, str]]
) -> None:
    stub_engine.flows = [flow()]
    page, live = begin(owner, users)
    assert SAID not in text(owner.get(page).content)
    cache.delete(heartbeat.KEY)
    fragment: Any = owner.get(f"{page}?seen=other", headers=HTMX | {"HX-Target": live})
    assert SAID in text(fragment.content)
    assert "continues automatically once that part runs again" in text(fragment.content)
    heartbeat.beat()
    assert SAID not in text(owner.get(page).content)


def test_a_live_part_is_sent_again_when_the_worker_falls_silent(
    users: Users, owner: Client, stub_engine: StubEngine
) -> None:
    stub_engine.flows = [flow()]
    page, live = bulk(owner, users)
    seen = owner.get(page).context["page"].version
    headers = HTMX | {"HX-Target": live}
    assert owner.get(f"{page}?seen={seen}", headers=headers).status_code == 204
    cache.delete(heartbeat.KEY)
    assert SAID in text(owner.get(f"{page}?seen={seen}", headers=headers).content)


def test_what_is_over_waits_for_nobody(users: Users, owner: Client, stub_engine: StubEngine) -> None:
    page, _live = bulk(owner, users)
    owner.post(f"{page}stop/")
    cache.delete(heartbeat.KEY)
    assert SAID not in text(owner.get(page).content)
