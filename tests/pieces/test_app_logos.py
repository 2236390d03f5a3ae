"""Logos of apps: fetched by the console by the rules for engines, raster pictures only, served from its own origin."""

from collections.abc import Iterator

import pytest
from django.test import Client
from pytest_django import Settings

from tests.engine.servers import Recorder, Reply
from tests.stub_engine import StubEngine, flow, identity, text
from workflows_ui.core.caching import answers
from workflows_ui.engine.images import LARGEST, NoImage
from workflows_ui.pieces.logos import load_logo

PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 500
LOGO = "/w/sales/pieces/logo/@activepieces/piece-gmail/"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


def _has_gmail(stub_engine: StubEngine, logo: str) -> None:
    piece = {"name": "@activepieces/piece-gmail", "displayName": "Gmail", "version": "0.1.0", "logoUrl": logo}
    stub_engine.rows["/pieces"] = [piece | {"actions": 1, "triggers": 1, "categories": []}]
    stub_engine.arrays.add("/pieces")


@pytest.fixture
def cdn(settings: Settings) -> Iterator[Recorder]:
    settings.APP_LOGOS = True
    answers.clear()
    with Recorder(Reply(200, PNG, (("Content-Type", "text/html"),))) as server:
        yield server


def test_a_logo_is_fetched_once_and_served_so_that_it_can_do_nothing(
    owner: Client, stub_engine: StubEngine, cdn: Recorder
) -> None:
    _has_gmail(stub_engine, f"{cdn.url}/gmail.png")
    assert f'src="{LOGO}"' in text(owner.get("/w/sales/pieces/").content)
    for _time in range(2):
        answer = owner.get(LOGO)
        assert (answer.status_code, answer["Content-Type"], answer.content) == (200, "image/png", PNG)
        assert answer["Content-Security-Policy"] == "default-src 'none'; sandbox"
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert answer["Cache-Control"] == "private, max-age=86400"
    (asked,) = cdn.seen
    assert not {"authorization", "cookie", "referer"} & {name.lower() for name in asked.headers}


def test_a_flows_diagram_has_the_logos_of_its_apps(owner: Client, stub_engine: StubEngine, cdn: Recorder) -> None:
    _has_gmail(stub_engine, f"{cdn.url}/gmail.png")
    stub_engine.flows = [flow()]
    send = {"name": "step_1", "type": "PIECE", "displayName": "Send", "valid": True}
    send["settings"] = {"pieceName": "@activepieces/piece-gmail", "pieceVersion": "0.1.0", "input": {}}
    stub_engine.flows[0]["version"]["trigger"]["nextAction"] = send
    owner.get("/w/sales/pieces/")
    assert f'<image href="{LOGO}"' in text(owner.get(f"/w/sales/flows/{identity(1)}/").content)


@pytest.mark.parametrize(
    "reply",
    [
        Reply(200, SVG, (("Content-Type", "image/png"),)),
        Reply(200, PNG + b"0" * LARGEST),
        Reply(404, PNG),
        Reply(302, PNG, (("Location", "http://169.254.169.254/"),)),
    ],
    ids=["SVG", "too large", "gone", "a redirect"],
)
def test_what_is_no_small_raster_picture_is_not_served_and_not_asked_for_again(
    owner: Client, stub_engine: StubEngine, cdn: Recorder, reply: Reply
) -> None:
    cdn.replies = [reply]
    _has_gmail(stub_engine, f"{cdn.url}/gmail.png")
    for _time in range(2):
        assert owner.get(LOGO).status_code == 204
    assert len(cdn.seen) == 1


def test_an_inside_address_is_not_asked(cdn: Recorder, settings: Settings) -> None:
    settings.ENGINE_PRIVATE_NETWORKS = []
    for url in (f"{cdn.url}/gmail.png", "http://169.254.169.254/latest/", "ftp://cdn.example/gmail.png"):
        with pytest.raises(NoImage):
            load_logo(url)
    assert cdn.seen == []


def test_without_the_setting_apps_have_initials_and_nothing_is_fetched(
    owner: Client, stub_engine: StubEngine, cdn: Recorder, settings: Settings
) -> None:
    settings.APP_LOGOS = False
    _has_gmail(stub_engine, f"{cdn.url}/gmail.png")
    page = text(owner.get("/w/sales/pieces/").content)
    assert "app-logo" not in page
    assert ">GM</span>" in page
    assert owner.get(LOGO).status_code == 204
    assert cdn.seen == []
