"""Regular expressions, sizes and depths that would keep the console busy: in patterns, searches, addresses and JSON."""

from collections.abc import Callable, Iterable
from typing import Any

import pytest
from django.test import Client

from tests.engine.servers import Reply
from tests.launch_forms.filled import publish, send
from tests.launches.launch_scene import Scene, text_of
from tests.stub_engine import StubEngine, flow, identity, run
from tests.users import Users
from workflows_ui.engine import flow_tree
from workflows_ui.flow_editing import expressions, operations, prediction
from workflows_ui.flow_editing.imports import contents
from workflows_ui.form_schema.document import Field, FieldKind, Form, Limits
from workflows_ui.launches.models import Launch

#: A search that backtracks would take years: this is what ends it.
pytestmark = [pytest.mark.timeout(60)]

EVIL_TEXTS = [
    "a" * 50_000 + "!",
    "<" * 50_000,
    "(" * 20_000,
    "\\" * 20_000,
    "%" * 20_000,
    "@" * 20_000,
    "a@" * 20_000,
    " " * 50_000 + "x",
    "&#" * 20_000,
    "." * 50_000,
]


@pytest.mark.parametrize(
    "pattern", ["(a+)+", "(a|aa)+", "(a*)*b", "([a-z]+)*[0-9]", "(.*)(.*)(.*)(.*)x", "(a?){30}a{30}"]
)
@pytest.mark.sampled(3)
def test_no_pattern_of_a_form_keeps_the_console_busy(scene: Scene, pattern: str) -> None:
    flow_id = publish(scene, Form((Field("x", ("x",), limits=Limits(pattern=pattern)),)))
    answer = send(scene, flow_id, {"x": "a" * 2_000 + "!"})
    assert answer.status_code == 422
    assert not Launch.objects.exists()


@pytest.mark.parametrize("text", EVIL_TEXTS, ids=range(len(EVIL_TEXTS)))
@pytest.mark.sampled(3)
def test_no_text_in_a_field_keeps_the_console_busy(scene: Scene, text: str) -> None:
    kinds = (
        FieldKind.TEXT,
        FieldKind.NUMBER,
        FieldKind.DATE,
        FieldKind.TIME,
        FieldKind.DATETIME,
        FieldKind.EMAIL,
        FieldKind.PHONE,
        FieldKind.URL,
        FieldKind.JSON,
    )
    flow_id = publish(scene, Form(tuple(Field(kind.value, (kind.value,), kind=kind) for kind in kinds)))
    answer = send(scene, flow_id, {kind.value: text for kind in kinds})
    assert answer.status_code == 422, text_of(answer)[:300]


BRACES = "{" * 1_000_000
STEP = {"name": "step_1", "type": "CODE", "displayName": "A", "settings": {"input": {"a": BRACES}}}
TRIGGER = {"name": "trigger", "type": "PIECE_TRIGGER", "displayName": "T", "settings": {}, "nextAction": STEP}
DUPLICATE = operations.Operation("DUPLICATE_ACTION", {"stepName": "step_1"})


@pytest.mark.parametrize(
    "read",
    [
        lambda: expressions.parse(BRACES),
        lambda: list(expressions.used_steps(flow_tree.steps_by_name(TRIGGER), STEP)),
        lambda: contents.read([TRIGGER]).connections,
        lambda: contents.rewrite(TRIGGER, contents.Matches(connections={"a": "b"})),
        lambda: prediction.predict({"version": {"trigger": TRIGGER}}, DUPLICATE),
    ],
    ids=["parse", "used_steps", "read", "rewrite", "predict"],
)
def test_no_text_of_a_step_keeps_the_console_busy(read: Callable[[], Iterable[Any]]) -> None:
    list(read())


def test_an_invalid_number_in_an_address_is_ignored(owner: Client, stub_engine: StubEngine) -> None:
    assert owner.get("/w/sales/launches/", {"rows": "9" * 5_000}).status_code == 200


@pytest.mark.parametrize("text", EVIL_TEXTS[:6], ids=range(6))
@pytest.mark.sampled(3)
def test_no_search_keeps_the_console_busy(owner: Client, stub_engine: StubEngine, text: str) -> None:
    stub_engine.flows, stub_engine.runs = [flow()], [run()]
    for path in ("/pieces", "/app-connections"):
        stub_engine.rows[path] = []
    stub_engine.arrays.add("/pieces")
    for page in (
        "/w/sales/flows/",
        "/w/sales/runs/",
        "/w/sales/launches/",
        "/w/sales/audit/",
        "/w/sales/pieces/",
        "/w/sales/connections/",
    ):
        query: dict[str, Any] = dict.fromkeys(
            ("q", "name", "person", "object", "id", "since", "tag", "at", "status"), text[:8_000]
        )
        assert owner.get(page, query).status_code in {200, 422}, page


@pytest.mark.parametrize(
    "payload",
    [
        "[" * 100_000,
        '{"a":' * 50_000,
        '{"a":' * 600 + "1" + "}" * 600,
        "9" * 50_000,
        "1e99999",
        '"' + "\\u0000" * 10_000 + '"',
        '{"a":1,' * 30_000,
    ],
    ids=range(7),
)
@pytest.mark.sampled(3)
def test_no_json_that_is_typed_keeps_the_console_busy(scene: Scene, payload: str) -> None:
    from tests import flows

    flow_id = flows.make(scene.workflows, "Quick", flows.code("echo", given="{{trigger.body}}"))
    fields = scene.fields(flow_id)
    answer = scene.browser.post(scene.url(flow_id), fields | {"payload": payload, "_how": "start"})
    # A text of ten thousand NULs is odd, but JSON.
    assert answer.status_code == (303 if "u0000" in payload else 422)
    assert Launch.objects.count() == payload.count('"\\u')


@pytest.mark.slow
def test_an_answer_without_end_is_cut_off(owner: Client, users: Users, stub_engine: StubEngine) -> None:
    stub_engine.faults["/flows"] = Reply(200, b'{"data":[],"next":null,"x":"' + b"y" * 80_000_000 + b'"}')
    assert owner.get("/w/sales/flows/").status_code in {502, 503}


@pytest.mark.parametrize("depth", [50, 200, 900, 20_000])
def test_a_deep_object_of_the_engine_is_shown_or_refused(
    owner: Client, users: Users, stub_engine: StubEngine, depth: int
) -> None:
    inner = b'{"a":' * depth + b"1" + b"}" * depth
    one = identity(1)
    body = b'{"id":"' + one.encode() + b'","status":"SUCCEEDED","steps":{"trigger":{"output":' + inner + b"}}}"
    stub_engine.faults[f"/flow-runs/{one}"] = Reply(200, body)
    for place in (f"/w/sales/runs/{one}/", f"/w/sales/runs/{one}/file/", f"/w/sales/runs/{one}/steps/trigger/"):
        assert owner.get(place).status_code in {200, 404, 503}, place


def test_an_address_or_a_header_of_any_length_is_answered(owner: Client, users: Users, stub_engine: StubEngine) -> None:
    for path in (
        f"/w/{'x' * 20_000}/",
        f"/w/sales/flows/{'x' * 20_000}/",
        f"/w/sales/runs/{'/' * 5_000}/",
        "/" + "%2e%2e%2f" * 2_000,
    ):
        assert owner.get(path).status_code in {301, 302, 404, 400}, path[:40]
    for name in (
        "HX-Target",
        "X-Request-ID",
        "Accept-Language",
        "User-Agent",
        "X-Forwarded-For",
        "Referer",
        "HX-Current-URL",
    ):
        assert owner.get("/w/sales/flows/", headers={name: "x," * 10_000, "HX-Request": "true"}).status_code == 200, (
            name
        )
