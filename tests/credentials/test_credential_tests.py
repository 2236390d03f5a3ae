"""What a test finds out about a secret: whose it is and what it opens, or exactly what is wrong; each case over a socket."""

from collections.abc import Iterator

import pytest

from tests.engine.servers import NO_ROUTE, Peer, RawServer, Reply
from tests.engine_wire import (
    CURRENT,
    ORGANIZATION,
    PASSWORD,
    PROJECT,
    SECRET,
    TOKEN,
    Engine,
    draft,
    imbrace,
    problem,
    refusing,
)
from workflows_ui.credentials.models import CredentialKind
from workflows_ui.credentials.services import credential_tests, engine_facts, signing_in
from workflows_ui.credentials.services.credential_tests import Code, Problem, SeveralProjects
from workflows_ui.credentials.services.signing_in import Typed
from workflows_ui.engine import Timeouts
from workflows_ui.members.models import Flavour

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_second_try(monkeypatch: pytest.MonkeyPatch) -> None:
    """So little time that a read which failed is not tried again."""
    monkeypatch.setattr(credential_tests, "TIMEOUTS", Timeouts(connect=2.0, read=0.4, total=0.4))


@pytest.fixture
def engine() -> Iterator[Engine]:
    with Engine() as running:
        yield running


# --- What a test finds


@pytest.fixture
def newer() -> Iterator[Engine]:
    with Engine(version="0.83.0") as running:
        yield running


def test_a_newer_engine_shows_the_same_by_other_routes(newer: Engine) -> None:
    found = credential_tests.test(draft(newer.url, secret=TOKEN))
    assert (found.project_id, found.project_name, found.who, found.email, found.version) == (
        PROJECT,
        "Ada's Project",
        "Ada Admin",
        "ada@example.com",
        "0.83.0",
    )
    assert found.facts is not None
    assert found.facts.limits == {"records": 10000, "fields": 100, "file_megabytes": 25}


def test_a_secret_that_opens_several_projects_is_left_to_a_person(newer: Engine) -> None:
    newer.others = [{"id": "Q" * 21, "displayName": ""}, {"id": "R" * 21, "displayName": "Team"}]
    with pytest.raises(SeveralProjects) as raised:
        credential_tests.test(draft(newer.url))
    assert [(one.id, one.name) for one in raised.value.projects] == [
        (PROJECT, "Ada's Project"),
        ("Q" * 21, "Q" * 21),
        ("R" * 21, "Team"),
    ]
    assert credential_tests.test(draft(newer.url, project_id="R" * 21)).project_name == "Team"


def test_a_project_that_the_secret_does_not_open_is_shown_with_those_that_it_opens(newer: Engine) -> None:
    found = problem(draft(newer.url, project_id="Z" * 21))
    assert (found.code, found.found) == (Code.OTHER_PROJECT, "Ada's Project")


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        # A 404 proves nothing about the token (recording `err_no_auth_unknown_id`).
        (Reply(401, {"code": "INVALID_BEARER_TOKEN", "params": {}}), Code.REFUSED),
        (Reply(200, {"data": [], "next": None, "previous": None}), Code.FORBIDDEN),
        (Reply(503, {"statusCode": 503, "error": "e", "message": "m"}), Code.DOWN),
    ],
)
@pytest.mark.parametrize(
    "refusal",
    [
        Reply(404, {"code": "ENTITY_NOT_FOUND", "params": {"entityType": "project"}}),
        Reply(403, {"code": "AUTHORIZATION", "params": {"message": "m", "projectId": PROJECT}}),
    ],
)
def test_whether_a_secret_is_good_is_not_concluded_from_a_project_that_is_closed_to_it(
    newer: Engine, refusal: Reply, answer: Reply, code: Code
) -> None:
    newer.faults = {f"/projects/{PROJECT}": refusal, "/v1/projects": answer}
    assert problem(draft(newer.url, project_id=PROJECT)).code is code


def test_a_secret_without_any_project_is_distinguished(newer: Engine) -> None:
    newer.faults["/v1/projects"] = Reply(200, {"data": [], "next": None, "previous": None})
    assert problem(draft(newer.url)).code is Code.FORBIDDEN


@pytest.mark.parametrize(
    ("flags", "version", "limits"),
    [
        ({"CURRENT_VERSION": " 0.79.1 ", "MAX_RECORDS_PER_TABLE": "1500"}, "0.79.1", {"records": 1500}),
        ({"CURRENT_VERSION": 83, "MAX_FIELDS_PER_TABLE": True, "MAX_FILE_SIZE_MB": -1}, "", {}),
        (
            {"CURRENT_VERSION": None, "WEBHOOK_TIMEOUT_SECONDS": 30.0, "MAX_FIELDS_PER_TABLE": {}},
            "",
            {"wait_seconds": 30},
        ),
        ({"CURRENT_VERSION": "v" * 500, "MAX_RECORDS_PER_TABLE": 10**30}, "v" * 40, {}),
    ],
)
def test_flags_are_read_whatever_is_in_them(
    engine: Engine, flags: dict[str, object], version: str, limits: dict[str, int]
) -> None:
    engine.faults["/v1/flags"] = Reply(200, flags)
    found = credential_tests.test(draft(engine.url))
    assert found.facts is not None
    assert (found.version, found.facts.limits) == (version, limits)


def test_an_engine_without_flags_shows_nothing_and_one_that_is_down_says_nothing_new(engine: Engine) -> None:
    engine.faults["/v1/flags"] = NO_ROUTE
    found = credential_tests.test(draft(engine.url))
    assert (found.version, found.facts) == ("", engine_facts.Facts())
    engine.faults["/v1/flags"] = Reply(502, b"<html>")
    assert credential_tests.test(draft(engine.url)).facts is None


# --- An address that is not quite right


@pytest.mark.parametrize("version", ["0.72.4", "0.83.0"])
@pytest.mark.parametrize("typed", ["", "/sign-in", "/projects/x/flows"])
def test_an_address_without_api_is_answered_with_the_one_that_works(version: str, typed: str) -> None:
    with Engine(version=version, base="/api/") as engine:
        wanted = draft("", address=f"{engine.url}{typed}")
        found = credential_tests.with_suggestion(problem(wanted), wanted.flavour, wanted.base)
        assert (found.code, found.suggestion) == (Code.NOT_AN_ENGINE, f"{engine.url}/api")
        with pytest.raises(Problem) as raised:
            signing_in.sign_in(Typed(Flavour.ACTIVEPIECES, wanted.base, "ada@example.com", PASSWORD))
        found = credential_tests.with_suggestion(raised.value, wanted.flavour, wanted.base)
        assert (found.code, found.suggestion) == (Code.NOT_AN_ENGINE, f"{engine.url}/api")
        nobody = [seen for seen in engine.seen if seen.path.endswith("/flags")]
        assert nobody
        assert not any("authorization" in seen.headers for seen in nobody)


def test_an_address_with_api_where_the_server_has_none_is_answered_with_the_one_that_works() -> None:
    with Engine(version="0.83.0") as engine:
        engine.faults = {f"/api/v1/{end}": NO_ROUTE for end in ("flags", "projects", "users/projects/current")}
        engine.faults["/api/v1/authentication/sign-in"] = NO_ROUTE
        wanted = draft(engine.url)
        assert credential_tests.with_suggestion(problem(wanted), wanted.flavour, wanted.base).suggestion == engine.url
        with pytest.raises(Problem) as raised:
            signing_in.sign_in(Typed(Flavour.ACTIVEPIECES, wanted.base, "ada@example.com", PASSWORD))
        assert raised.value.code is Code.NOT_AN_ENGINE


def test_an_address_with_no_engine_close_by_gets_no_suggestion() -> None:
    with Engine(base="/elsewhere/") as engine:
        wanted = draft(engine.url)
        assert credential_tests.with_suggestion(problem(wanted), wanted.flavour, wanted.base).suggestion == ""


def test_an_engine_that_only_lacks_a_sign_in_is_distinguished_from_no_engine(newer: Engine) -> None:
    newer.faults["/v1/authentication/sign-in"] = NO_ROUTE
    with pytest.raises(Problem) as raised:
        signing_in.sign_in(Typed(Flavour.ACTIVEPIECES, f"{newer.url}/api", "ada@example.com", PASSWORD))
    assert raised.value.code is Code.NO_SIGN_IN


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (Reply(401, {"code": "INVALID_CREDENTIALS", "params": None}), Code.WRONG_SIGN_IN),
        (Reply(429, {"statusCode": 429, "error": "e", "message": "m"}, (("retry-after", "60"),)), Code.BUSY),
        (Reply(200, b"<html>", (("content-type", "text/html"),)), Code.NOT_AN_ENGINE),
        (Reply(200, {"hello": "world"}), Code.NOT_AN_ENGINE),
        (Reply(405, {"message": "m"}), Code.NOT_AN_ENGINE),
        (Reply(502, b"<html>"), Code.DOWN),
    ],
)
def test_each_refusal_of_a_sign_in_is_distinguished(newer: Engine, reply: Reply, code: Code) -> None:
    newer.faults["/v1/authentication/sign-in"] = reply
    with pytest.raises(Problem) as raised:
        signing_in.sign_in(Typed(Flavour.ACTIVEPIECES, f"{newer.url}/api", "ada@example.com", PASSWORD))
    assert raised.value.code is code


def test_a_sign_in_shows_the_project_that_it_leads_to(newer: Engine) -> None:
    token = signing_in.sign_in(Typed(Flavour.ACTIVEPIECES, f"{newer.url}/api", "ada@example.com", PASSWORD))
    assert (token.secret, token.project_id) == (TOKEN, PROJECT)


# --- What exactly is wrong


def test_a_test_shows_who_it_is_and_which_project_it_opens(engine: Engine) -> None:
    found = credential_tests.test(draft(engine.url))
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
        found = credential_tests.test(imbrace(engine.url))
    assert found.organization_id == ORGANIZATION
    assert found.who == "Ada Admin"
    assert all(seen.path.startswith("/activepieces/v1/") for seen in engine.seen)
    assert all(seen.headers["x-api-key"] == SECRET for seen in engine.seen)


def test_an_access_token_is_named_after_its_account() -> None:
    with Engine(project=CURRENT | {"externalId": ORGANIZATION}) as engine:
        found = credential_tests.test(
            imbrace(engine.url, kind=CredentialKind.ACCESS_TOKEN, organization_id=ORGANIZATION)
        )
    assert (found.who, found.email) == ("Ada of Imbrace", "ada@imbrace.example")


def test_a_good_secret_is_good_although_the_engine_does_not_name_its_owner() -> None:
    with Engine(faults={"/v1/users/me": NO_ROUTE, "/v1/flags": NO_ROUTE}) as engine:
        found = credential_tests.test(draft(engine.url))
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
    (NO_ROUTE, Code.NOT_AN_ENGINE, "address"),
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
def test_each_refusal_is_distinguished_and_belongs_to_its_field(reply: Reply, code: Code, field: str) -> None:
    with refusing(reply) as engine:
        found = problem(imbrace(engine.url))
    assert (found.code, found.field) == (code, field)


def test_an_engine_that_says_nothing_is_said_to_have_timed_out() -> None:
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
        found = problem(
            imbrace(engine.url, kind=CredentialKind.ACCESS_TOKEN, secret="acc_1", organization_id="org_other")
        )
    assert (found.code, found.field, found.found) == (Code.WRONG_ORGANIZATION, "organization_id", ORGANIZATION)


def test_a_jwt_without_its_organization_is_not_even_sent(engine: Engine) -> None:
    found = problem(imbrace(engine.url, kind=CredentialKind.ACCESS_TOKEN, secret="eyJa.b.c"))
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
    ("typed", "normal"),
    [
        ("HTTPS://Flows.Example.COM:443/api/", "https://flows.example.com/api"),
        ("http://127.0.0.1:8080/", "http://127.0.0.1:8080"),
        ("http://[::1]:80/API", "http://[::1]/API"),
        ("https://flows.example.com./api", "https://flows.example.com/api"),
    ],
)
def test_one_engine_has_one_spelling(typed: str, normal: str) -> None:
    assert credential_tests.normal_address(typed) == normal
