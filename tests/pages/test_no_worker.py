"""Pages of what is done in the background say so while nothing works there, and stop saying it by themselves."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from redis.exceptions import ConnectionError as RedisDown

from tests.cast import Cast
from tests.shelf import Shelf, flow, identity, text
from tests.shelf import cast as cast
from tests.shelf import owner as owner
from tests.shelf import shelf as shelf
from workflows_ui.models import Launch
from workflows_ui.services import audit, heartbeat, launches

SAID = "Nothing works in the background just now"
HTMX = {"HX-Request": "true"}


def bulk(owner: Client, _cast: Cast) -> tuple[str, str]:
    asked = owner.post("/w/sales/flows/many/turn-off/", {"everything": "1", "next": "/w/sales/flows/"})
    return asked.headers["Location"], "job-live"


def export(owner: Client, _cast: Cast) -> tuple[str, str]:
    return owner.post("/w/sales/flows/export/csv/").headers["Location"], "export"


def launch(_owner: Client, cast: Cast) -> tuple[str, str]:
    order = launches.Order(identity(1), "A flow", {"n": 1}, False, launches.ticket(), confirmed=True)
    made = launches.ask(audit.Actor(cast.owner), cast.place(cast.owner), order).launch
    assert isinstance(made, Launch)
    return f"/w/sales/launches/{made.pk}/", "launch-live"


@pytest.mark.parametrize("begin", [bulk, export, launch])
def test_a_page_says_that_nothing_works_and_takes_it_back(
    cast: Cast, owner: Client, shelf: Shelf, begin: Callable[[Client, Cast], tuple[str, str]]
) -> None:
    shelf.flows = [flow()]
    page, live = begin(owner, cast)
    assert SAID not in text(owner.get(page).content)
    cache.delete(heartbeat.KEY)
    fragment: Any = owner.get(f"{page}?seen=other", headers=HTMX | {"HX-Target": live})
    assert SAID in text(fragment.content)
    assert "goes on by itself once that part runs again" in text(fragment.content)
    heartbeat.beat()
    assert SAID not in text(owner.get(page).content)


def test_a_live_part_is_sent_anew_when_the_worker_falls_silent(cast: Cast, owner: Client, shelf: Shelf) -> None:
    shelf.flows = [flow()]
    page, live = bulk(owner, cast)
    seen = owner.get(page).context["page"].version
    headers = HTMX | {"HX-Target": live}
    assert owner.get(f"{page}?seen={seen}", headers=headers).status_code == 204
    cache.delete(heartbeat.KEY)
    assert SAID in text(owner.get(f"{page}?seen={seen}", headers=headers).content)


def test_what_is_over_waits_for_nobody(cast: Cast, owner: Client, shelf: Shelf) -> None:
    page, _live = bulk(owner, cast)
    owner.post(f"{page}stop/")
    cache.delete(heartbeat.KEY)
    assert SAID not in text(owner.get(page).content)


def test_a_cache_that_is_down_says_nothing_about_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    def down(*_args: object) -> None:
        raise RedisDown

    monkeypatch.setattr(cache, "get", down)
    assert heartbeat.silent() is False
