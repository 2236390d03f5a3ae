"""What a test finds out about a secret: whose it is and what it opens, or exactly what is wrong, each told apart over a socket."""

from collections.abc import Iterator

import pytest

from tests.engine.servers import Peer, RawServer, Reply
from tests.engine_wire import CURRENT, ORGANIZATION, PROJECT, SECRET, Engine, draft, imbrace, problem, refusing
from workflows_ui.engine import Timeouts
from workflows_ui.models import Kind
from workflows_ui.services import credentials, probe
from workflows_ui.services.credentials import Code

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_second_try(monkeypatch: pytest.MonkeyPatch) -> None:
    """So little time that a read which failed is not tried again."""
    monkeypatch.setattr(probe, "TIMEOUTS", Timeouts(connect=2.0, read=0.4, total=0.4))


@pytest.fixture
def engine() -> Iterator[Engine]:
    with Engine() as running:
        yield running


# --- What a test finds


def test_a_test_tells_who_it_is_and_which_project_it_opens(engine: Engine) -> None:
    found = credentials.test(draft(engine.url))
    assert (found.project_id, found.project_name, found.who, found.email) == (
        PROJECT,
        "Ada's Project",
        "Ada Admin",
        "ada@example.com",
    )
    assert found.version == "0.72.4"
    assert found.round_trip_ms >= 0
    assert {seen.headers["authorization"] for seen in engine.seen} == {f"Bearer {SECRET}"}
    assert {seen.path.split("/v1/")[0] for seen in engine.seen} == {"/api"}


def test_the_organization_of_an_imbrace_key_comes_from_the_engine() -> None:
    with Engine(project=CURRENT | {"externalId": ORGANIZATION}) as engine:
        found = credentials.test(imbrace(engine.url))
    assert found.organization_id == ORGANIZATION
    assert found.who == "Ada Admin"
    assert all(seen.path.startswith("/activepieces/v1/") for seen in engine.seen)
    assert all(seen.headers["x-api-key"] == SECRET for seen in engine.seen)


def test_an_access_token_is_named_after_its_account() -> None:
    with Engine(project=CURRENT | {"externalId": ORGANIZATION}) as engine:
        found = credentials.test(imbrace(engine.url, kind=Kind.ACCESS_TOKEN, organization_id=ORGANIZATION))
    assert (found.who, found.email) == ("Ada of Imbrace", "ada@imbrace.example")


def test_a_good_secret_is_good_although_its_owner_is_not_told() -> None:
    gone = Reply(404, {"statusCode": 404, "error": "Not Found", "message": "Route not found"})
    with Engine(faults={"/v1/users/me": gone, "/v1/flags": gone}) as engine:
        found = credentials.test(draft(engine.url))
    assert (found.who, found.version, found.project_id) == ("", "", PROJECT)


REFUSALS = [
    (
        Reply(401, {"code": "INVALID_BEARER_TOKEN", "params": {"message": "invalid access token or session expired"}}),
        Code.REFUSED,
        "secret",
    ),
    (Reply(401, {"error": "Unauthorized", "message": "Invalid API key", "request_id": "r"}), Code.REFUSED, "secret"),
    (
        Reply(403, {"code": "AUTHORIZATION", "params": {"message": "invalid route for principal type"}}),
        Code.REFUSED,
        "secret",
    ),
    (
        Reply(
            403,
            {
                "error": "Forbidden",
                "message": "Invalid API path: /activepieces/v1, the path should be one of the following: /board",
            },
        ),
        Code.SCOPED_KEY,
        "secret",
    ),
    (
        Reply(400, {"message": "Bad Request - organization_id not found in user organizations"}),
        Code.WRONG_ORGANIZATION,
        "organization_id",
    ),
    (Reply(403, {"code": "PERMISSION_DENIED", "params": {}}), Code.FORBIDDEN, "secret"),
    (Reply(402, {"code": "FEATURE_DISABLED", "params": {}}), Code.NOT_IN_PLAN, ""),
    (Reply(429, {"message": "slow down"}, (("retry-after", "60"),)), Code.BUSY, ""),
    (
        Reply(404, {"statusCode": 404, "error": "Not Found", "message": "Route not found"}),
        Code.NOT_AN_ENGINE,
        "address",
    ),
    (Reply(404, b"<html>404</html>", (("content-type", "text/html"),)), Code.NOT_AN_ENGINE, "address"),
    (
        Reply(200, b"<!doctype html><html>It works</html>", (("content-type", "text/html"),)),
        Code.NOT_AN_ENGINE,
        "address",
    ),
    (Reply(200, {"hello": "world"}), Code.NOT_AN_ENGINE, "address"),
    (Reply(200, [1, 2, 3]), Code.NOT_AN_ENGINE, "address"),
    (Reply(301, b"", (("location", "https://elsewhere.example/"),)), Code.NOT_AN_ENGINE, "address"),
    (Reply(502, b"<html>502 Bad Gateway</html>", (("content-type", "text/html"),)), Code.DOWN, ""),
    (Reply(500, {"statusCode": 500, "error": "Internal Server Error", "message": "x"}), Code.DOWN, ""),
    (Reply(504, b"upstream request timeout"), Code.TIMED_OUT, ""),
]


@pytest.mark.parametrize(("reply", "code", "field"), REFUSALS)
def test_each_refusal_is_told_apart_and_belongs_to_its_field(reply: Reply, code: Code, field: str) -> None:
    with refusing(reply) as engine:
        found = problem(imbrace(engine.url))
    assert (found.code, found.field) == (code, field)


def test_an_engine_that_says_nothing_is_told_to_have_timed_out() -> None:
    def silent(peer: Peer) -> None:
        peer.read_request()
        peer.hold()

    with RawServer(silent) as server:
        assert problem(draft(server.url)).code is Code.TIMED_OUT


def test_an_address_where_nothing_listens_is_unreachable() -> None:
    found = problem(draft("http://127.0.0.1:9"))
    assert (found.code, found.field) == (Code.UNREACHABLE, "address")


@pytest.mark.parametrize(
    "address",
    [
        "http://169.254.169.254/api",
        "http://[::ffff:169.254.169.254]/api",
        "http://10.0.0.1/api",
        "http://100.100.100.200",
    ],
)
def test_an_internal_address_is_not_called(address: str) -> None:
    found = problem(draft("", address=address))
    assert (found.code, found.field) == (Code.ADDRESS_REFUSED, "address")


def test_a_token_of_another_organization_than_the_one_entered_is_found_out() -> None:
    """The gateway ignores the organization sent with an opaque token (api.md 2.2), so only the answer tells."""
    with Engine(project=CURRENT | {"externalId": ORGANIZATION}) as engine:
        found = problem(imbrace(engine.url, kind=Kind.ACCESS_TOKEN, secret="acc_1", organization_id="org_other"))
    assert (found.code, found.field, found.found) == (Code.WRONG_ORGANIZATION, "organization_id", ORGANIZATION)


def test_a_jwt_without_its_organization_is_not_even_sent(engine: Engine) -> None:
    found = problem(imbrace(engine.url, kind=Kind.ACCESS_TOKEN, secret="eyJa.b.c"))
    assert (found.code, found.field) == (Code.NEEDS_ORGANIZATION, "organization_id")
    assert engine.seen == []


def test_a_secret_that_no_header_can_carry_is_not_sent(engine: Engine) -> None:
    found = problem(draft(engine.url, secret="two words\nand a line"))
    assert (found.code, found.field) == (Code.MALFORMED_SECRET, "secret")
    assert engine.seen == []


def test_neither_a_problem_nor_a_draft_holds_the_secret() -> None:
    with refusing(Reply(401, {"message": f"bad token {SECRET}"})) as engine:
        found = problem(draft(engine.url))
    assert SECRET not in found.technical + str(found) + repr(found) + repr(found.error) + repr(draft(engine.url))


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("HTTPS://Flows.Example.COM:443/api/", "https://flows.example.com/api"),
        ("http://127.0.0.1:8080/", "http://127.0.0.1:8080"),
        ("http://[::1]:80/API", "http://[::1]/API"),
        ("https://flows.example.com./api", "https://flows.example.com/api"),
    ],
)
def test_one_engine_has_one_spelling(typed: str, kept: str) -> None:
    assert probe.normal_address(typed) == kept
