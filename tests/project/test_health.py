"""/healthz, /readyz and /metrics: what they answer, and to whom."""

import time
from pathlib import Path

import pytest
from django.conf import settings
from django.core.cache import cache
from django.test import Client

from workflows_ui.core.heartbeat import KEY

pytestmark = pytest.mark.both_databases

TOKEN = "a-token-of-a-collector-0123"


@pytest.fixture
def _worker_alive() -> None:
    cache.set(KEY, int(time.time()), 60)


def test_healthz_depends_on_nothing(client: Client) -> None:
    answer = client.get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


@pytest.mark.django_db
@pytest.mark.usefixtures("_worker_alive")
def test_readyz_is_200_when_every_part_works(client: Client) -> None:
    answer = client.get("/readyz")
    ok = dict.fromkeys(["status", "database", "cache", "broker", "worker"], "ok")
    assert (answer.status_code, answer.json()) == (200, ok)
    assert "no-store" in answer["Cache-Control"]


@pytest.mark.django_db
@pytest.mark.parametrize("heard", [None, 31])
def test_readyz_is_503_without_a_recent_heartbeat_of_a_worker(client: Client, heard: int | None) -> None:
    cache.delete(KEY)
    if heard is not None:
        cache.set(KEY, int(time.time()) - heard, 60)
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert (answer.json()["worker"], answer.json()["status"]) == ("down", "down")
    assert answer.json()["database"] == "ok"


@pytest.mark.django_db
@pytest.mark.usefixtures("_worker_alive")
def test_readyz_names_a_broker_that_is_down_and_no_detail(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    if "data_folder_out" in settings.CELERY_BROKER_TRANSPORT_OPTIONS:
        file = Path(settings.VAR_DIR) / "a-file"
        file.touch()
        monkeypatch.setitem(settings.CELERY_BROKER_TRANSPORT_OPTIONS, "data_folder_out", str(file / "messages"))
    else:
        monkeypatch.setattr("celery.current_app.conf.broker_write_url", "redis://127.0.0.1:1/0")
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["broker"] == "down"
    assert set(answer.json().values()) == {"ok", "down"}


def test_without_a_token_metrics_exist_for_nobody(client: Client) -> None:
    """A proxy on the same machine calls from the loopback address, and nginx adds no header that would reveal it."""
    for headers in ({}, {"HTTP_HOST": "localhost"}, {"HTTP_AUTHORIZATION": "Bearer "}):
        assert client.get("/metrics", REMOTE_ADDR="127.0.0.1", **headers).status_code == 404  # type: ignore[arg-type]


@pytest.mark.parametrize("credentials", ["", "Bearer", "Bearer ", "Bearer wrong", f"Basic {TOKEN}", TOKEN])
def test_metrics_do_not_exist_without_the_right_token(
    client: Client, monkeypatch: pytest.MonkeyPatch, credentials: str
) -> None:
    monkeypatch.setattr(settings, "METRICS_TOKEN", TOKEN)
    assert client.get("/metrics", REMOTE_ADDR="127.0.0.1", HTTP_AUTHORIZATION=credentials).status_code == 404


def test_metrics_are_read_with_the_token(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "METRICS_TOKEN", TOKEN)
    answer = client.get("/metrics", REMOTE_ADDR="192.0.2.7", HTTP_AUTHORIZATION=f"Bearer {TOKEN}")
    assert answer.status_code == 200
    assert b"django_http_requests_total_by_method_total" in answer.content


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
def test_only_reading_is_allowed(client: Client, path: str) -> None:
    assert client.post(path).status_code == 405
