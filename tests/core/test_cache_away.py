"""A cache that is away makes pages slower and nothing else: every address answers, and what is counted is counted."""

import contextlib
import sys
import types
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.cache import caches
from django.test import Client

from practice_engine.samples import sample_flows
from tests.accounts.sign_in import sign_in
from tests.core.cache_away import AWAY, Hanging, cache_at, cache_away
from tests.launches.launch_scene import Scene, text_of as text
from tests.logs import lines
from tests.practice_engine.fixtures import Practice, practice
from tests.stub_engine import stub_engine, users
from tests.users import Users, person
from workflows_ui.core import caching
from workflows_ui.core.models import ExpiringValue
from workflows_ui.launches.models import State

pytestmark = pytest.mark.both_databases

__all__ = ["practice", "stub_engine", "users"]

RIGHT = "correct horse battery"
away = pytest.mark.parametrize("how", AWAY)


@pytest.fixture
def _away(how: str, tmp_path: Path) -> Iterator[None]:
    with cache_away(how, tmp_path):
        yield


@away
@pytest.mark.django_db
@pytest.mark.usefixtures("_away")
def test_readiness_names_a_cache_that_is_away_and_stays(how: str) -> None:
    answer = Client().get("/readyz")
    status = {"status": "degraded", "database": "ok", "cache": "down", "broker": "ok", "worker": "ok"}
    assert (answer.status_code, answer.json()) == (200, status)


@away
@pytest.mark.usefixtures("_away")
def test_people_sign_in_and_wrong_passwords_are_counted_without_the_cache(users: Users, how: str) -> None:
    browser = Client()
    assert sign_in(browser, "owner", RIGHT).status_code == 302
    assert browser.get("/profile/").status_code == 200
    for _ in range(5):
        assert "Too many attempts" not in text(sign_in(Client(), "owner", "wrong"))
    assert "Too many attempts" in text(sign_in(Client(), "owner", RIGHT))


@away
@pytest.mark.usefixtures("_away")
@pytest.mark.sampled(3)
def test_tests_of_credentials_are_counted_without_the_cache(db: None, practice: Practice, how: str) -> None:
    browser = Client()
    browser.force_login(person("ada"))
    sent = {"engine": "gateway", "address": practice.gateway, "name": "Mine", "kind": "api_key", "secret": "api_guess"}
    for _ in range(20):
        assert "many credentials" not in text(browser.post("/credentials/add/", sent))
    assert "many credentials" in text(browser.post("/credentials/add/", sent))


@away
@pytest.mark.usefixtures("_away")
def test_a_sign_in_at_the_engine_waits_for_its_choice_without_the_cache(db: None, practice: Practice, how: str) -> None:
    browser = Client()
    browser.force_login(person("ada"))
    known = practice.credentials
    sent = {"engine": "gateway", "address": practice.gateway, "name": "Mine", "kind": "sign_in", "email": known.email}
    answer = browser.post("/credentials/add/", sent | {"password": known.password})
    where = answer["Location"]
    assert "/organization/" in where
    assert browser.get(where).status_code == 200
    assert browser.post(where, {"organization": known.organization_id}).status_code == 303
    # The login token is spent.
    assert "Sign in again" in text(browser.get(where, follow=True))


@away
@pytest.mark.usefixtures("_away")
def test_a_flow_is_launched_without_the_cache(db: None, how: str) -> None:
    scene = Scene(samples=True)
    try:
        flow = next(iter(sample_flows().values()))
        launch = scene.launch(flow.id, "{}")
        assert launch.state not in {State.QUEUED, State.NOT_SENT, State.REFUSED}
        assert "A flow" not in scene.page(launch)
    finally:
        scene.close()


def test_a_cache_that_hangs_is_waited_for_once_and_then_left_alone(db: None) -> None:
    hanging = Hanging()
    with contextlib.closing(hanging), cache_at(f"redis://127.0.0.1:{hanging.port}/0"):
        for number in range(50):
            assert caches["answers"].get(f"key-{number}", "none") == "none"
            caches["answers"].set(f"key-{number}", number, 60)
    assert len(hanging.taken) == 1


def test_that_the_cache_is_away_is_logged_once_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    with cache_at("redis://127.0.0.1:1/0"):
        for _ in range(20):
            caches["answers"].get("key")
            # The pause is over: it is tried again.
            caching.availability.down_until = min(caching.availability.down_until, 1e-9)
        assert [line["event"] for line in lines(caplog)] == ["cache.away"]
        caching.availability.logged_at -= caching.LOG_EVERY
        caches["answers"].get("key")
        assert [line["event"] for line in lines(caplog)] == ["cache.away", "cache.away"]


def test_what_was_changed_while_the_cache_was_away_does_not_come_back() -> None:
    answers = caches["answers"]
    answers.set("name", "old", 600)
    answers.set("other", "same", 600)
    caching.availability.down_until = float("inf")
    answers.delete_many(["name"])
    assert answers.get("other") is None
    caching.availability.down_until = 1e-9
    assert (answers.get("name"), answers.get("other")) == (None, "same")


@pytest.mark.django_db
def test_values_that_must_not_get_lost_are_rows_that_end() -> None:
    cache = caches["default"]
    cache.clear()
    assert cache.add("a", [1.5], 60) is True
    assert cache.add("a", [2], 60) is False
    assert cache.get("a") == [1.5]
    cache.set("a", {"b": "c"}, 60)
    assert cache.get("a") == {"b": "c"}
    ExpiringValue.objects.update(expires_at="2020-01-01T00:00:00Z")
    assert cache.get("a", "none") == "none"
    assert cache.add("a", 2, 60) is True
    assert cache.touch("a", 0) is True
    assert cache.get("a") is None
    assert caching.prune() == 1
    assert not ExpiringValue.objects.exists()
    cache.set("b", 1)
    assert (cache.delete("b"), cache.delete("b"), cache.touch("b")) == (True, False, False)


@pytest.mark.parametrize("left", [True, False], ids=["the class is gone", "the module is gone"])
def test_an_answer_that_another_release_stored_in_a_shape_that_is_gone_is_a_miss(
    left: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = types.ModuleType("module_of_another_release")
    stored = type("Answer", (), {"__module__": module.__name__})
    module.__dict__["Answer"] = stored
    monkeypatch.setitem(sys.modules, module.__name__, module)
    caching.answers.set("other-release", stored(), 60)
    assert caching.answers.get("other-release") is not None
    if left:
        monkeypatch.delattr(module, "Answer")
    else:
        monkeypatch.delitem(sys.modules, module.__name__)
    assert caching.answers.get("other-release", "nothing") == "nothing"
    assert caching.availability.down_until == 0, "the cache is not away"
