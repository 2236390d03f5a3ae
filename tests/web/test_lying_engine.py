"""An engine that answers with JSON of another shape, on every page that reads flows and runs: words, or the page without it."""

import copy
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from tests.engine.servers import Reply
from tests.launches.launch_scene import form_of
from tests.stub_engine import StubEngine, flow, identity, run
from tests.users import Users
from workflows_ui.credentials.services import clients
from workflows_ui.engine import Timeouts
from workflows_ui.launches.models import Launch

ONE = identity(1)
LISTS = {"/flows": "/w/sales/flows/", "/flow-runs": "/w/sales/runs/"}
OBJECTS = {f"/flows/{ONE}": f"/w/sales/flows/{ONE}/", f"/flow-runs/{ONE}": f"/w/sales/runs/{ONE}/"}
FORM = f"/w/sales/flows/{ONE}/launch/"

#: Instead of a page of rows: another shape altogether.
NO_PAGES: list[Any] = [
    [],
    "text",
    5,
    None,
    True,
    {},
    {"data": None},
    {"data": {}},
    {"data": "rows"},
    {"data": [1]},
    {"data": [None]},
    {"data": [[]]},
    {"rows": []},
]
#: A page, with odd things beside its rows.
ODD_PAGES: list[dict[str, Any]] = [
    {"data": []},
    {"data": [], "next": 5, "previous": {}},
    {"data": [{}], "next": {"cursor": 1}},
    {"data": [{}, {}, {}], "next": "x" * 10_000},
]
_MISSING = object()
DEEP: Any = "bottom"
for _ in range(300):
    DEEP = {"inner": [DEEP]}
#: What may stand where something else is expected.
ODD: dict[str, Any] = {
    "null": None,
    "yes": True,
    "number": 12_345,
    "negative": -1,
    "fraction": 1e300,
    "huge number": 10**400,
    "empty": "",
    "long": "x" * 10_000,
    "html": "<img src=x onerror=alert(1)>\"'><script>alert(1)</script>",
    "right to left": "\u202eمرحبا بالعالم\u202c",
    "lines": "a\nb\r\nc",
    "controls": "a\x00b\x07\x1b[31m\u2028\ufeff",
    "half a character": "\ud800 alone",
    "template": "{{ secret }}{% now %} %(name)s %s {0}",
    "last moment": "9999-12-31T23:59:59.999Z",
    "first moment": "0001-01-01T00:00:00.000Z",
    "unknown word": "SOMETHING_NEW",
    "list": [],
    "list of lists": [[[]], None, 5],
    "object": {},
    "object of objects": {"a": {"b": None}, "": 5, "id": {"id": 1}},
    "deep": DEEP,
}
#: Each way once for each value; and once, values are left out. Quickly, every fourth turn: each value then stands in every fourth place.
TURNS = [turn if turn % 4 == 0 else pytest.param(turn, marks=pytest.mark.slow) for turn in range(len(ODD) + 1)]


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    """So little time that a read which failed is not tried again."""
    monkeypatch.setattr(clients, "Timeouts", lambda: Timeouts(connect=2.0, read=2.0, total=2.0))


def sound(answer: Any) -> HttpResponse:
    """What holds of every answer of the console."""
    assert isinstance(answer, HttpResponse)
    assert answer.status_code != 500
    assert answer["Content-Type"] == "text/html; charset=utf-8"
    page = answer.content.decode()
    assert "<script>alert" not in page
    assert "<img src=x" not in page
    return answer


def both(browser: Client, path: str) -> HttpResponse:
    """A page, asked for whole and as the fragment that its live part asks for; neither is an error of the console."""
    target = "results" if path.partition("?")[0] in LISTS.values() else "live"
    sound(browser.get(path, headers={"HX-Request": "true", "HX-Target": target}))
    return sound(browser.get(path))


@pytest.mark.parametrize("odd", NO_PAGES, ids=range(len(NO_PAGES)))
@pytest.mark.sampled(3)
def test_a_list_that_does_not_exist_is_explained(owner: Client, stub_engine: StubEngine, odd: Any) -> None:
    for route, page in LISTS.items():
        stub_engine.faults = {route: Reply(200, odd)}
        answer = both(owner, page)
        assert answer.status_code == 503
        assert "The engine does not answer properly" in answer.content.decode()


@pytest.mark.parametrize("odd", ODD_PAGES, ids=range(len(ODD_PAGES)))
def test_odd_things_beside_the_rows_do_no_harm(owner: Client, stub_engine: StubEngine, odd: Any) -> None:
    for route, page in LISTS.items():
        stub_engine.faults = {route: Reply(200, odd)}
        assert both(owner, page).status_code == 200


@pytest.mark.parametrize("odd", [[], "text", 5, None, True, [{}]], ids=repr)
@pytest.mark.sampled(3)
def test_an_object_that_does_not_exist_is_explained(owner: Client, stub_engine: StubEngine, odd: Any) -> None:
    for route, page in [*OBJECTS.items(), (f"/flows/{ONE}", FORM)]:
        stub_engine.faults = {route: Reply(200, odd)}
        answer = both(owner, page)
        assert answer.status_code == 503, page
        assert "The engine does not answer properly" in answer.content.decode()


@pytest.mark.parametrize("turn", TURNS)
@pytest.mark.sampled(3)
def test_any_value_may_be_odd_in_a_flow(owner: Client, stub_engine: StubEngine, turn: int) -> None:
    whole = flow(folderId="f", metadata={"tags": ["a"]}, triggerSource={"schedule": {"cronExpression": "* *"}})
    whole["version"]["trigger"]["nextAction"] = _STEPS
    stub_engine.flows = _changed(whole, turn)
    assert both(owner, f"{LISTS['/flows']}?rows=100").status_code == 200
    for changed in stub_engine.flows:
        stub_engine.faults = {f"/flows/{ONE}": Reply(200, changed)}
        assert sound(owner.get(OBJECTS[f"/flows/{ONE}"])).status_code == 200, changed
    # The form reads little that lies deep.
    for changed in stub_engine.flows[:3]:
        stub_engine.faults = {f"/flows/{ONE}": Reply(200, changed)}
        assert sound(owner.get(FORM)).status_code == 200, changed


@pytest.mark.parametrize("turn", TURNS)
@pytest.mark.sampled(3)
def test_any_value_may_be_odd_in_a_run(owner: Client, stub_engine: StubEngine, turn: int) -> None:
    steps = {
        "trigger": {"type": "PIECE_TRIGGER", "status": "SUCCEEDED", "input": {}, "output": {"body": {}}},
        "loop": {
            "type": "LOOP_ON_ITEMS",
            "status": "FAILED",
            "duration": 5,
            "output": {"iterations": [{"step_1": {"status": "FAILED", "errorMessage": "no", "type": "CODE"}}]},
        },
        "route": {"type": "ROUTER", "output": {"branches": [{"branchName": "a", "evaluation": True}]}},
    }
    whole = run(steps=steps, status="FAILED", failedStep={"name": "loop", "displayName": "Loop"}, tags=["a"])
    stub_engine.flows, versions = [flow()], _changed(whole, turn)
    stub_engine.faults = {"/flow-runs": Reply(200, {"data": versions, "next": None})}
    assert both(owner, f"{LISTS['/flow-runs']}?rows=100").status_code == 200
    for changed in versions:
        stub_engine.faults = {f"/flow-runs/{ONE}": Reply(200, changed)}
        page = OBJECTS[f"/flow-runs/{ONE}"]
        assert sound(owner.get(page)).status_code == 200, changed


_STEPS: dict[str, Any] = {
    "name": "step_1",
    "type": "ROUTER",
    "displayName": "Route",
    "skip": True,
    "valid": False,
    "settings": {"branches": [{"branchName": "a", "branchType": "CONDITION"}], "executionType": "x"},
    "children": [
        {"name": "step_2", "type": "LOOP_ON_ITEMS", "settings": {"items": "x"}, "firstLoopAction": {"type": "CODE"}}
    ],
    "nextAction": {"name": "step_3", "type": "PIECE", "settings": {"pieceName": "a/b", "actionName": "c", "input": {}}},
}


def _changed(whole: Any, turn: int) -> list[Any]:
    """The object in many versions: in each, every value of one depth is odd, each in its own way; with each turn in the next way.

    So every value is tried with every oddity, in company of others that are odd otherwise; the last turn leaves values out.
    """
    places = list(_places(whole))
    made = []
    for depth in range(1, max(len(place) for place in places) + 1):
        here = [place for place in places if len(place) == depth]
        if turn < len(ODD):
            ways = list(ODD.values())
            made.append(_with(whole, {place: ways[(turn + number) % len(ways)] for number, place in enumerate(here)}))
        else:
            made += [_with(whole, dict.fromkeys(left_out, _MISSING)) for left_out in (here, here[::2], here[1::2])]
    return made


def _with(whole: Any, odd: Mapping[tuple[Any, ...], Any]) -> Any:
    made = copy.deepcopy(whole)
    # From behind: what stands before it in a list keeps its place.
    for (*way, last), value in reversed(list(odd.items())):
        parent = made
        for key in way:
            parent = parent[key]
        if value is _MISSING:
            del parent[last]
        else:
            parent[last] = value
    return made


def _places(whole: Any) -> Iterator[tuple[Any, ...]]:
    items = whole.items() if isinstance(whole, dict) else enumerate(whole) if isinstance(whole, list) else ()
    for key, value in items:
        yield (key,)
        for rest in _places(value):
            yield (key, *rest)


@pytest.mark.parametrize("body", [b"[" * 100_000, b'{"data":' * 50_000, b'{"data":[' + b"9" * 5_000 + b"]}", b"NaN"])
def test_json_that_python_cannot_take_is_explained(owner: Client, stub_engine: StubEngine, body: bytes) -> None:
    for route, page in {**LISTS, **OBJECTS}.items():
        stub_engine.faults = {route: Reply(200, body)}
        answer = both(owner, page)
        assert answer.status_code == 503
        assert "The engine does not answer properly" in answer.content.decode()


@pytest.mark.parametrize(
    "odd", [name if number % 4 == 0 else pytest.param(name, marks=pytest.mark.slow) for number, name in enumerate(ODD)]
)
@pytest.mark.sampled(3)
def test_a_flow_with_an_odd_name_can_be_launched(
    users: Users,
    owner: Client,
    stub_engine: StubEngine,
    odd: str,
) -> None:
    changed = flow()
    changed["version"]["displayName"] = ODD[odd]
    stub_engine.faults = {f"/flows/{ONE}": Reply(200, changed)}
    fields = form_of(owner.get(f"{FORM}?_as=json")) | {"payload": "{}"}
    assert owner.post(FORM, fields).status_code == 303
    launch = Launch.objects.get()
    for page in ("/w/sales/", "/w/sales/launches/", f"/w/sales/launches/{launch.pk}/", OBJECTS[f"/flows/{ONE}"]):
        assert owner.get(page).status_code == 200, page


@pytest.mark.parametrize(
    "position",
    [
        "9999-12-31T23:59:59.999999Z~x",
        "0001-01-01T00:00:00Z~x",
        "9999-12-31",
        "0001-01-01",
        "\x00~\x00",
        "~",
        "x" * 299,
    ],
)
@pytest.mark.sampled(4)
def test_a_position_that_no_engine_gave_does_no_harm(owner: Client, stub_engine: StubEngine, position: str) -> None:
    stub_engine.flows, stub_engine.runs = [flow()], [run()]
    for page in ("/w/sales/runs/", "/w/sales/launches/"):
        for name in ("at", "before", "after", "flow", "since", "until", "tag", "state", "person", "rows", "status"):
            assert owner.get(page, {name: position}).status_code in ({400} if "\0" in position else {200, 422}), (
                page,
                name,
            )


@pytest.mark.parametrize("path", ["flows/%00/", "flows/a%00/launch/", "runs/%00/", "launches/%00/", "launches/?id=%00"])
def test_an_address_with_a_nul_in_it_is_refused(owner: Client, stub_engine: StubEngine, path: str) -> None:
    assert owner.get(f"/w/sales/{path}").status_code == 400
    assert not stub_engine.seen
