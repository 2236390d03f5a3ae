"""Pieces: a catalogue that is asked for once, and pages that say what an app can do."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from tests import caches
from tests.connection_scene import Scene, scene, shown
from tests.engine.servers import Reply
from tests.practice_engine.fixtures import practice
from tests.resources.samples.pieces import PIECE, piece
from tests.stub_engine import StubEngine, flow, identity, text
from workflows_ui.core.readers import objects_by_name
from workflows_ui.engine_objects.pieces import PieceOperation, Property
from workflows_ui.members.models import Flavour, Role
from workflows_ui.pieces import apps
from workflows_ui.pieces.catalogue import CATEGORIES
from workflows_ui.pieces.fields import operations, property_inputs

__all__ = ["practice", "scene"]

LIST = "/w/sales/pieces/"
ONE = f"{LIST}{PIECE}/"


def fill(stub_engine: StubEngine, *rows: dict[str, Any]) -> None:
    stub_engine.rows["/pieces"] = list(rows)
    stub_engine.arrays.add("/pieces")


def test_the_catalogue_is_asked_for_once_whatever_is_searched_for(scene: Scene) -> None:
    for query in ("", "?search=mail", "?category=CORE", "?can=triggers", "?connection=yes", "?rows=20&at=20"):
        scene.page(f"{LIST}{query}")
    assert scene.called("GET", "/v1/pieces*") == 1


def test_refresh_shows_an_app_that_was_installed_a_moment_ago(owner: Client, stub_engine: StubEngine) -> None:
    fill(stub_engine, piece())
    page = text(owner.get(LIST).content)
    fill(stub_engine, piece(), piece(name="@acme/piece-new", displayName="Brand new"))
    assert "Brand new" not in text(owner.get(LIST).content)
    (url,) = re.findall(r'id="refresh" href="([^"]+)"', page)
    shown = text(owner.get(url, headers={"HX-Request": "true", "HX-Target": "results"}).content)
    assert "Brand new" in shown
    # Links of the page, and the next requests, do not read again.
    assert f'href="{LIST}?refresh' not in shown.replace(f'id="refresh" href="{url}"', "")
    calls = len(stub_engine.queries("/pieces"))
    assert "Brand new" in text(owner.get(LIST).content)
    assert len(stub_engine.queries("/pieces")) == calls


@pytest.mark.parametrize("scene", [Flavour.ACTIVEPIECES], indirect=True)
@pytest.mark.parametrize(
    ("query", "there", "not_there"),
    [
        ("search=GMAIL", "gmail", "twilio"),
        ("search=read+mail", "gmail", "twilio"),
        ("category=ARTIFICIAL_INTELLIGENCE", "openai", "gmail"),
        ("can=triggers", "gmail", "openai"),
        ("connection=no", "webhook", "gmail"),
        ("connection=yes", "gmail", "webhook"),
    ],
)
def test_pieces_are_found_by_words_category_and_what_they_can_do(
    scene: Scene, query: str, there: str, not_there: str
) -> None:
    page = scene.page(f"{LIST}?rows=100&{query}")
    assert f'href="{LIST}@activepieces/piece-{there}/"' in page
    assert f'href="{LIST}@activepieces/piece-{not_there}/"' not in page


def test_no_page_loads_a_logo_from_elsewhere(scene: Scene) -> None:
    for address in (LIST, f"{LIST}@activepieces/piece-gmail/", "/w/sales/connections/", "/w/sales/connections/new/"):
        assert "<img" not in scene.page(address)
    assert "2 actions, 1 trigger" in scene.page(f"{LIST}?search=sheets")
    assert ">GS</span>" in scene.page(f"{LIST}?search=sheets")


def test_the_page_of_a_piece_shows_its_actions_and_triggers_with_their_fields(scene: Scene) -> None:
    page = scene.page(f"{LIST}@activepieces/piece-gmail/") + scene.page(f"{LIST}@activepieces/piece-gmail/?tab=data")
    for words in (
        "Send Email",
        "Kind of text",
        "One of a list",
        "plain_text",
        "New Email",
        "Updates automatically from time to time",
        "One of a list that the app gives",
        "Sign-in at the app (OAuth2)",
        "Office work",
    ):
        assert words in page


def test_the_page_of_a_piece_names_the_flows_with_a_step_of_it(owner: Client, stub_engine: StubEngine) -> None:
    step = {"name": "step_1", "type": "PIECE", "settings": {"pieceName": PIECE}}
    loop = {"name": "loop", "type": "LOOP_ON_ITEMS", "firstLoopAction": step}
    inner = flow(2, "Inside a loop", version={"displayName": "Inside a loop", "trigger": {"nextAction": loop}})
    stub_engine.flows = [flow(1, "Without"), inner]
    stub_engine.faults[PIECE] = Reply(200, piece())
    page = text(owner.get(f"{ONE}?tab=used").content)
    assert f'href="/w/sales/flows/{identity(2)}/">Inside a loop</a>' in page
    assert "Without" not in page


def test_no_flow_is_said_only_where_all_flows_are_known(owner: Client, stub_engine: StubEngine) -> None:
    stub_engine.faults[PIECE] = Reply(200, piece())
    assert "No flow uses this app" in text(owner.get(f"{ONE}?tab=used").content)


def test_flows_that_the_engine_does_not_give_are_admitted(owner: Client, stub_engine: StubEngine) -> None:
    stub_engine.faults[PIECE] = Reply(200, piece())
    stub_engine.faults["/flows"] = Reply(403, {"code": "PERMISSION_DENIED", "params": {}})
    page = text(owner.get(f"{ONE}?tab=used").content)
    assert "No flow uses this app" not in page
    assert "there may be more" in page


def test_a_gap_between_the_pages_of_flows_is_admitted(owner: Client, stub_engine: StubEngine) -> None:
    stub_engine.faults[PIECE] = Reply(200, piece())
    stub_engine.flows = [flow(number) for number in range(1, 102)]
    for count, complete in ((101, True), (102, False)):
        stub_engine.faults["/flows/count"] = Reply(200, count)
        page = text(owner.get(f"{ONE}?tab=used").content)
        assert ("No flow uses this app" in page) is complete
        caches.forget_answers()


@pytest.mark.parametrize("scene", [Flavour.ACTIVEPIECES], indirect=True)
@pytest.mark.parametrize("role", list(Role), ids=str)
def test_only_builders_are_offered_to_connect_an_app(scene: Scene, role: Role) -> None:
    page = shown(scene.sign_in("colleague", role).get(f"{LIST}@activepieces/piece-gmail/"))
    assert ("/pieces/do/connect/@activepieces/piece-gmail/" in page) is role.includes(Role.BUILDER)


def test_an_app_that_needs_no_connection_is_not_connected(owner: Client, stub_engine: StubEngine) -> None:
    stub_engine.faults[PIECE] = Reply(200, piece())
    assert "do/connect" not in text(owner.get(ONE).content)
    assert owner.get(f"{LIST}do/connect/{PIECE}/").status_code == 409


@pytest.mark.parametrize("id", ["a//b", "@activepieces/..", "../x", "@activepieces/ /x"])
def test_names_that_no_address_may_hold_are_not_found(owner: Client, stub_engine: StubEngine, id: str) -> None:
    assert owner.get(f"{LIST}{id}/").status_code == 404


def test_the_recorded_catalogue_is_shown(owner: Client, stub_engine: StubEngine) -> None:
    facts = json.loads((Path(__file__).parent / "pieces_list.json").read_text(encoding="utf-8"))
    fill(stub_engine, *facts)
    page = text(owner.get(f"{LIST}?rows=100").content)
    for row in facts:
        assert f">{row['displayName']}</span>" in page


ODD: list[dict[str, Any]] = [
    {"name": PIECE, "actions": 3, "triggers": None, "categories": "x", "auth": 5},
    {
        "name": PIECE,
        "actions": {"a": None, "b": {}, "c": {"props": []}},
        "triggers": [],
        "categories": [None, "NEW_ONE"],
    },
    {"name": PIECE, "displayName": "م" * 10_000, "description": 5, "auth": [{"type": None}, None]},
    {
        "name": PIECE,
        "displayName": " ",
        "actions": {"a": {"props": {"x": None, "y": {"type": [], "options": {"options": 5}}}}},
    },
    {
        "name": PIECE,
        "triggers": {"t": {"type": [], "displayName": {}, "props": {"z": {"defaultValue": {"deep": [1]}}}}},
    },
]


@pytest.mark.parametrize("odd", ODD, ids=range(len(ODD)))
def test_odd_pieces_are_shown_and_break_nothing(owner: Client, stub_engine: StubEngine, odd: dict[str, Any]) -> None:
    fill(stub_engine, odd)
    stub_engine.faults[PIECE] = Reply(200, odd)
    for address in (LIST, f"{LIST}?search=twilio", f"{LIST}?connection=yes", ONE, "/w/sales/connections/new/"):
        assert owner.get(address).status_code == 200, address
    assert f'href="{ONE}"' in text(owner.get(f"{LIST}?search=twilio").content)


def test_markdown_of_an_app_is_plain_text() -> None:
    about = "Use the **key** from [the page](https://x.example/keys), not `secret`."
    plain = "Use the key from the page (https://x.example/keys), not secret."
    note = {"type": "MARKDOWN", "description": f"### {about}"}
    props = {"note": note, "one": {"type": "SHORT_TEXT", "displayName": "One", "description": about}}
    (found,) = operations(
        {"act": PieceOperation({"displayName": "Act", "description": about, "props": props})}, "action"
    )
    assert found.notes == (plain,)
    assert (found.about, found.fields[0].help) == (plain, plain)
    assert property_inputs(objects_by_name(props, Property))[0].help == f"{plain} {plain}"


def test_fields_are_explained() -> None:
    options = {"options": [{"label": f"Choice {number}", "value": number} for number in range(15)]}
    props = {
        "note": {"type": "MARKDOWN", "description": "Mind this"},
        "yes": {"type": "CHECKBOX", "defaultValue": False, "required": True},
        "one": {"type": "STATIC_DROPDOWN", "displayName": "One", "options": options, "defaultValue": 3},
        "new": {"type": "HOLOGRAM"},
    }
    (found,) = operations({"act": PieceOperation({"displayName": "Act", "props": props})}, "action")
    assert found.notes == ("Mind this",)
    yes, one, new = found.fields
    assert (str(yes.type), yes.required, yes.default) == ("Yes or no", True, "No")
    assert (one.label, one.default, len(one.options), one.more_options) == ("One", "Choice 3", 12, 3)
    assert (str(new.type), new.label) == ("HOLOGRAM", "new")


@pytest.mark.parametrize(
    ("name", "initials"),
    [
        ("Google Sheets", "GS"),
        ("OpenAI", "OP"),
        ("Zalo OA", "ZO"),
        ("x", "X"),
        ("  ", "?"),
        ("日本 語", "日語"),
        ("(a)", "("),
    ],
)
def test_an_app_has_initials_for_a_logo(name: str, initials: str) -> None:
    assert apps.mark(name).initials == initials
    assert apps.mark(name) == apps.mark(name)


def test_every_category_of_the_practice_engine_has_words(scene: Scene) -> None:
    response = scene.practice.call("GET", "/v1/pieces/categories")
    assert set(response.json()) <= set(CATEGORIES)
