"""Warnings about apps that the engine does not have, and about a trigger's password: on a flow's page, and for a launch without a run."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tests.engine.servers import Reply
from tests.stub_engine import StubEngine, flow, identity, text
from tests.users import Users
from workflows_ui.credentials.services import engine_session
from workflows_ui.launches.models import Launch, Reason, State
from workflows_ui.pieces import missing_apps

PAGE = f"/w/sales/flows/{identity(1)}/"
NOPE = "@activepieces/piece-nope"


def piece(name: str, version: str = "0.1.29", title: str = "") -> dict[str, Any]:
    return {"name": f"@activepieces/piece-{name}", "version": version, "displayName": title or name.title()}


def step(app: str = NOPE, version: str = "1.0.0", called: str = "Ask the oracle", **changes: Any) -> dict[str, Any]:
    """A step as recording `op_import_flow_unknown_piece` has it."""
    settings = {"pieceName": app, "pieceVersion": version, "actionName": "x", "input": {}}
    whole = {"name": "step_1", "type": "PIECE", "valid": True, "displayName": called, "settings": settings}
    return whole | changes


def flow_with(*steps: dict[str, Any], **trigger: Any) -> dict[str, Any]:
    found = flow()
    found["version"]["trigger"] |= trigger
    last = found["version"]["trigger"]
    for one in steps:
        last["nextAction"] = one
        last = one
    return found


@pytest.fixture
def store(stub_engine: StubEngine) -> StubEngine:
    """An engine with two apps."""
    stub_engine.rows["/pieces"] = [piece("webhook"), piece("slack", "0.5.2", "Slack")]
    stub_engine.arrays.add("/pieces")
    return stub_engine


def test_the_page_names_the_app_that_is_missing_and_the_steps_that_need_it(owner: Client, store: StubEngine) -> None:
    store.flows = [flow_with(step(), step(called="Ask again", name="step_2"))]
    page = text(owner.get(PAGE).content)
    assert "The flow needs an app that this engine does not have" in page
    assert "“Nope”, needed by “Ask the oracle”, “Ask again”." in page
    assert "never runs it" in page


def test_publishing_names_the_app_before_it_is_done(owner: Client, store: StubEngine) -> None:
    store.flows = [flow_with(step()) | {"publishedVersionId": None}]
    page = text(owner.get(f"/w/sales/flows/do/publish/{identity(1)}/").content)
    assert "The flow needs an app that this engine does not have." in page
    assert "“Nope”, needed by “Ask the oracle”." in page


def test_a_flow_whose_apps_are_all_there_is_not_warned_about(owner: Client, store: StubEngine) -> None:
    store.flows = [flow_with(step("@activepieces/piece-slack", "0.5.2"))]
    assert "does not have" not in text(owner.get(PAGE).content)


def test_an_app_that_the_list_leaves_out_but_the_engine_has_is_not_missing(owner: Client, store: StubEngine) -> None:
    store.faults["/pieces/@activepieces/piece-nope"] = Reply(200, piece("nope"))
    store.flows = [flow_with(step())]
    assert "does not have" not in text(owner.get(PAGE).content)


@pytest.mark.parametrize(
    "answer", [Reply(200, []), Reply(403, {"code": "AUTHORIZATION", "params": {}}), Reply(502, b"<html>")]
)
def test_where_the_engine_does_not_show_its_apps_nothing_is_called_missing(
    owner: Client, store: StubEngine, answer: Reply
) -> None:
    store.faults["/v1/pieces"] = answer
    store.flows = [flow_with(step())]
    assert "does not have" not in text(owner.get(PAGE).content)


@pytest.mark.parametrize("answer", [Reply(404, b"<html>not here</html>"), Reply(404, {}), Reply(500, {})])
def test_what_something_in_between_says_of_an_app_is_no_proof(owner: Client, store: StubEngine, answer: Reply) -> None:
    store.faults["/piece-nope"] = answer
    store.flows = [flow_with(step())]
    assert "does not have" not in text(owner.get(PAGE).content)


def test_versions_are_asked_for_as_the_engine_stores_them_and_only_where_they_differ(
    users: Users, store: StubEngine
) -> None:
    asking = engine_session.open_session(users.place(users.owner))
    slack = "@activepieces/piece-slack"
    tree = flow_with(step(slack, "~0.4.0"), step(slack, "^0.5.2", name="step_2"))["version"]["trigger"]
    assert missing_apps.of_trees(asking, tree) == []
    (missing,) = missing_apps.of_trees(asking, tree, versions=True)
    assert (missing.title, missing.version, missing.here) == ("Slack", "0.4.0", "0.5.2")
    (query,) = store.queries("/pieces/@activepieces/piece-slack")
    assert query == {"version": ["0.4.0"]}
    assert "version 0.4.0 (the engine has 0.5.2)" in missing.text


@pytest.mark.parametrize(
    "odd",
    [
        step(""),
        step("../.."),
        step("x/./y"),
        step("\x00" * 20),
        step("á" * 10_000),
        step(displayName=None, name=None),
        step(displayName={"a": 1}),
        step(settings=None),
        step(settings={"pieceName": 7}),
        step(settings={"pieceName": NOPE, "pieceVersion": {"a": []}}),
    ],
)
@pytest.mark.sampled(3)
def test_odd_steps_break_nothing(owner: Client, store: StubEngine, odd: dict[str, Any]) -> None:
    store.flows = [flow_with(odd)]
    assert owner.get(PAGE).status_code == 200


def test_a_webhook_with_a_password_is_warned_about(owner: Client, store: StubEngine) -> None:
    guarded = {"authType": "header", "authFields": {"headerName": "x-shop", "headerValue": "hidden-value"}}
    settings = {"pieceName": "@activepieces/piece-webhook", "triggerName": "catch_webhook", "input": guarded}
    store.flows = [flow_with(settings=settings)]
    page = text(owner.get(PAGE).content)
    assert "Waiting calls are not protected" in page.replace("&#x27;", "'")
    assert "hidden-value" not in page
    store.flows = [flow_with()]
    assert "Waiting calls are not protected" not in text(owner.get(PAGE).content)


def launch_without_run(users: Users) -> str:
    row = Launch.objects.create(
        workspace=users.workspace,
        user=users.owner,
        flow_id=identity(1),
        flow_name="Order intake",
        state=State.UNKNOWN,
        reason=Reason.NO_RUN,
        ticket="t" * 20,
        asked_at=timezone.now(),
        not_before=timezone.now(),
        send_by=timezone.now(),
    )
    return str(row.pk)


def test_a_launch_without_a_run_names_the_missing_app(owner: Client, users: Users, store: StubEngine) -> None:
    store.flows = [flow_with(step())]
    key = launch_without_run(users)
    page = text(owner.get(reverse("launch", args=["sales", key])).content)
    address = reverse("launch_story", args=["sales", key])
    assert f'hx-get="{address}"' in page
    shown = text(owner.get(address).content)
    assert "The flow needs an app that this engine does not have" in shown
    assert "“Nope”, needed by “Ask the oracle”." in shown


def test_a_launch_without_a_run_of_a_whole_flow_or_a_silent_engine_names_nothing(
    owner: Client, users: Users, store: StubEngine
) -> None:
    address = reverse("launch_story", args=["sales", launch_without_run(users)])
    store.flows = [flow_with()]
    assert "The flow needs an app" not in text(owner.get(address).content)
    store.faults[f"/flows/{identity(1)}"] = Reply(502, b"<html>")
    response = owner.get(address)
    assert response.status_code == 200
    assert "The flow needs an app" not in text(response.content)
