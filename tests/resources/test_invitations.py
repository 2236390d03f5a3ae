"""Invitations: into the workspace for everybody to see, onto the whole engine for managers only, and taking them back."""

import pytest
from django.test import Client

from tests.connection_scene import Scene, scene, shown
from tests.engine.servers import Reply
from tests.practice_engine.fixtures import practice
from tests.resources.samples.invitations import invitation
from tests.stub_engine import StubEngine, identity, text
from tests.users import Users
from workflows_ui.audit.models import AuditEvent
from workflows_ui.members.models import Flavour, Member, Role

__all__ = ["practice", "scene"]

LIST = "/w/sales/invitations/"
EVERYWHERE = f"{LIST}?type=PLATFORM"


def place(scene: Scene) -> str:
    return str(scene.users.workspace.flavour)


def invitation_id(scene: Scene, email: str) -> str:
    rows = scene.practice.engine.state.invitations.values()
    return str(next(row["id"] for row in rows if row["email"] == email))


def test_the_workspaces_invitations_are_listed_with_their_state_or_it_is_said_that_it_has_none(scene: Scene) -> None:
    page = scene.page(LIST)
    if place(scene) == Flavour.ACTIVEPIECES:
        assert "This workspace has no invitations" in page
        assert "others cannot be invited into it" in page
        return
    assert "ngoc.anh@sao-mai.example" in page
    assert "Waiting for an answer" in page
    assert "Accepted" in page
    assert "Editor" in page
    assert "it@sao-mai.example" not in page
    accepted = scene.page(f"{LIST}?status=ACCEPTED")
    assert "gia.bao@sao-mai.example" in accepted
    assert "ngoc.anh@sao-mai.example" not in accepted


def test_the_whole_engines_are_a_managers_with_a_warning(scene: Scene) -> None:
    page = scene.page(EVERYWHERE)
    assert "it@sao-mai.example" in page
    assert "Administrator" in page
    assert "span all organizations" in page.split('role="note"')[1]
    one = scene.page(f"{LIST}{invitation_id(scene, 'it@sao-mai.example')}/")
    assert "The whole engine" in one


@pytest.mark.parametrize("role", [Role.VIEWER, Role.LAUNCHER, Role.BUILDER], ids=str)
def test_nobody_else_is_offered_or_given_the_whole_engines(scene: Scene, role: Role) -> None:
    browser = scene.sign_in("colleague", role)
    assert 'value="PLATFORM"' not in shown(browser.get(LIST))
    asked = scene.practice.journal.count("GET", "/v1/user-invitations*")
    refused = browser.get(EVERYWHERE)
    assert refused.status_code == 403
    assert "This needs the role of a manager." in shown(refused)
    assert scene.practice.journal.count("GET", "/v1/user-invitations*") == asked
    identity = invitation_id(scene, "it@sao-mai.example")
    assert browser.get(f"{LIST}{identity}/").status_code == 404
    assert browser.post(f"{LIST}do/delete/{identity}/").status_code == 403
    assert identity in scene.practice.engine.state.invitations


def test_an_invitation_is_revoked_after_it_is_said_what_that_means(scene: Scene) -> None:
    scene.practice.engine.settings.invitations_in_plan = True
    identity = invitation_id(scene, "it@sao-mai.example")
    address = f"{LIST}do/delete/{identity}/"
    page = scene.page(address)
    assert "it@sao-mai.example can no longer join" in page
    assert "it may belong to another organization" in page
    assert scene.fill(address).status_code == 303
    assert identity not in scene.practice.engine.state.invitations
    assert AuditEvent.objects.filter(action="invitations.delete", object_name="it@sao-mai.example").count() == 2


def test_what_is_accepted_is_said_to_stay(scene: Scene) -> None:
    if place(scene) == Flavour.ACTIVEPIECES:
        pytest.skip("a personal project has none")
    page = scene.page(f"{LIST}do/delete/{invitation_id(scene, 'gia.bao@sao-mai.example')}/")
    assert "has already accepted and stays a member" in page


def test_a_plan_that_refuses_is_explained_where_one_is(scene: Scene) -> None:
    if place(scene) == Flavour.ACTIVEPIECES:
        pytest.skip("refuses at the gateway only")
    for email, status in (("it@sao-mai.example", 403), ("ngoc.anh@sao-mai.example", 402)):
        answer = scene.fill(f"{LIST}do/delete/{invitation_id(scene, email)}/")
        assert answer.status_code == 422
        assert "Checking whether it was done" in shown(answer)
        assert f"Answer: {status}" in shown(answer)
        assert invitation_id(scene, email)


def test_revoking_is_not_offered_any_more_where_the_plan_refuses_it(scene: Scene) -> None:
    if place(scene) == Flavour.ACTIVEPIECES:
        pytest.skip("refuses at the gateway only")
    identity = invitation_id(scene, "ngoc.anh@sao-mai.example")
    assert f"do/delete/{identity}" in scene.page(LIST)
    assert scene.fill(f"{LIST}do/delete/{identity}/").status_code == 422
    assert "do/delete" not in scene.page(LIST)
    assert 'name="ids"' not in scene.page(LIST)
    page = scene.page(f"{LIST}{identity}/")
    assert "The plan of this engine does not include revoking of invitations." in page
    scene.practice.journal.clear()
    assert scene.browser.post(f"{LIST}do/delete/{identity}/").status_code == 409
    assert not scene.practice.journal.count("DELETE", "/v1/user-invitations*")


@pytest.mark.parametrize(
    ("status", "code", "words"),
    [
        (402, "FEATURE_DISABLED", "The engine does not show its invitations"),
        (403, "AUTHORIZATION", "The engine does not show its invitations"),
        (409, "VALIDATION", "This workspace has no invitations"),
        (400, "VALIDATION", "The engine refuses this request"),
    ],
)
def test_a_list_that_is_refused_says_why_in_its_own_place(
    owner: Client, stub_engine: StubEngine, status: int, code: str, words: str
) -> None:
    stub_engine.faults["/user-invitations"] = Reply(status, {"code": code, "params": {"message": "no"}})
    answer = owner.get(LIST)
    assert answer.status_code == 200
    assert words in text(answer.content)
    assert "Nobody is invited" not in text(answer.content)


def test_the_type_is_always_named_to_the_engine(owner: Client, stub_engine: StubEngine) -> None:
    stub_engine.rows["/user-invitations"] = []
    owner.get(LIST)
    owner.get(EVERYWHERE)
    asked = stub_engine.queries("/user-invitations")
    assert [query["type"] for query in asked] == [["PROJECT"], ["PLATFORM"]]
    assert asked[0]["projectId"] == ["P" * 21]


def test_a_link_that_an_engine_should_not_send_is_hidden(owner: Client, stub_engine: StubEngine) -> None:
    link = "https://engine.example/invitation?token=abc"
    stub_engine.rows["/user-invitations"] = [invitation(link=link, projectRole={"name": 5}, platformRole="")]
    for address in (LIST, f"{LIST}{identity(1)}/"):
        answer = owner.get(address)
        assert answer.status_code == 200
        assert "token=abc" not in answer.content.decode()


def test_a_builder_does_not_see_the_button(users: Users, client: Client, stub_engine: StubEngine) -> None:
    stub_engine.rows["/user-invitations"] = [invitation(type="PROJECT")]
    for role, there in ((Role.BUILDER, False), (Role.MANAGER, True)):
        Member.objects.filter(user=users.colleague).update(role=role)
        client.force_login(users.colleague)
        assert ("do/delete" in client.get(LIST).content.decode()) is there
