"""Before somebody leaves: one page lists what they have, to those who may decide about it."""

import json
import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from tests.launches.launch_scene import NO_FLOW, Scene
from tests.offboarding.scene import leaver, of_console, of_member, text
from tests.users import browser, credential, person
from workflows_ui.accounts.models import User
from workflows_ui.credentials.models import Credential
from workflows_ui.jobs.models import Job, JobKind, JobState
from workflows_ui.launch_forms.models import SavedInputs
from workflows_ui.launches.models import State
from workflows_ui.members.models import ColleagueInvitation, LaunchRight, Member, Role, TeamOwner, Workspace
from workflows_ui.offboarding import belongings

__all__ = ["leaver"]
NAMES = ("credential", "form", "held", "given", "@invited.example", "inputs", "watched")


def test_an_administrator_sees_everything_by_workspace_and_where_it_goes(
    scene: Scene, leaver: User, keeper: User
) -> None:
    team = Group.objects.create(name="Field")
    leaver.groups.add(team)
    TeamOwner.objects.create(team=team, user=leaver)
    scene.row(leaver, state=State.QUEUED, credential=Credential.objects.get(name="sales credential"))
    scene.row(leaver, state=State.RUNNING, poll_at=timezone.now(), flow_name="Still running")
    browser(leaver).get("/")
    page = text(browser(keeper).get(of_console(leaver)))
    for slug in ("sales", "hr"):
        for name in NAMES:
            assert f"{slug}{'' if name.startswith('@') else ' '}{name}" in page
    assert "1 launch waits with it: A flow" in page
    assert "Still running" in page
    assert "Field" in page
    assert "no other owner" in page
    assert "No one else manages this workspace" in page  # of HR
    assert page.count("If nothing is done:") >= 18
    assert reverse("person_deactivate", args=[leaver.pk]) in page
    assert "secret" not in page.replace("the secret", "").replace("secret in its place", "")


def test_a_person_who_is_no_longer_a_builder_hands_over_no_form(scene: Scene, leaver: User) -> None:
    Member.objects.filter(user=leaver, workspace=scene.users.workspace).update(role=Role.LAUNCHER)
    items = belongings.find_belongings(belongings.Reach(leaver, leaver, belongings.Scope.OWN))
    form = next(item for item in items if item.key == f"form-{item.pk}" and item.workspace == scene.users.workspace)
    assert (form.to, form.ends) == ((), False)


@pytest.mark.slow
def test_a_manager_sees_what_lies_in_their_workspaces_and_no_hint_of_others(scene: Scene, leaver: User) -> None:
    hidden = Group.objects.create(name="Team of HR")
    Member.objects.create(workspace=Workspace.objects.get(slug="hr"), team=hidden, role=Role.VIEWER)
    leaver.groups.add(hidden)
    TeamOwner.objects.create(team=hidden, user=leaver)
    page = re.sub(
        r"[\w:-]{20,}", "", text(browser(scene.users.owner).get(of_member(leaver)))
    )  # without tokens and tickets
    assert all(f"sales{'' if name.startswith('@') else ' '}{name}" in page for name in NAMES)
    for word in ("hr ", "hr@", "Hr", "Team of HR", "Sessions"):
        assert word not in page
    Member.objects.create(workspace=Workspace.objects.get(slug="hr"), user=scene.users.owner, role=Role.BUILDER)
    assert "hr credential" not in text(browser(scene.users.owner).get(of_member(leaver)))
    Member.objects.filter(user=scene.users.owner).update(role=Role.MANAGER)
    assert "hr credential" in text(browser(scene.users.owner).get(of_member(leaver)))


@pytest.mark.slow
def test_a_long_list_costs_no_more_queries_than_a_short_one(scene: Scene, leaver: User) -> None:
    client, space, now = browser(scene.users.owner), scene.users.workspace, timezone.now()
    client.get(of_member(leaver))
    with CaptureQueriesContext(connection) as short:
        client.get(of_member(leaver))
    for number in range(40):
        credential(space, leaver, f"secret {number}", name=f"Key {number}")
        scene.row(leaver, state=State.QUEUED)
        SavedInputs.objects.create(
            workspace=space, flow_id=NO_FLOW, owner=leaver, name=f"Inputs {number}", payload="x", updated_at=now
        )
        LaunchRight.objects.create(workspace=space, flow_id=NO_FLOW, user=scene.users.stranger, created_by=leaver)
        ColleagueInvitation.objects.create(
            workspace=space,
            email=f"{number}@invited.example",
            link_digest=f"l{number}",
            mail_digest=f"m{number}",
            invited_by=leaver,
            expires_at=now + timedelta(days=1),
        )
    with CaptureQueriesContext(connection) as long:
        assert "Key 39" in text(client.get(of_member(leaver)))
    assert len(long) <= len(short)


@pytest.mark.slow
def test_the_page_is_for_managers_of_a_workspace_in_which_the_person_is(
    scene: Scene, leaver: User, keeper: User
) -> None:
    for who in (
        scene.member("watcher", Role.VIEWER),
        scene.users.colleague,
        scene.member("second-builder", Role.BUILDER),
    ):
        for method in ("get", "post"):
            assert getattr(browser(who), method)(of_member(leaver)).status_code == 403
            assert getattr(browser(who), method)(of_console(leaver)).status_code == 404
    for who in (scene.users.stranger, keeper):
        assert browser(who).get(of_member(leaver)).status_code == 404
    owner = browser(scene.users.owner)
    hr = User.objects.get(username="hr-colleague")
    for url in (
        of_member(hr),
        of_member(leaver, "hr"),
        of_console(leaver),
        reverse("member_leaving", args=["sales", 0]),
    ):
        assert owner.get(url).status_code == 404
        assert owner.post(url, {"sure": "yes"}).status_code == 404
    # A manager of both does not reach somebody of one by the other's address.
    Member.objects.create(workspace=Workspace.objects.get(slug="hr"), user=scene.users.owner, role=Role.MANAGER)
    assert owner.get(of_member(hr)).status_code == 404
    assert owner.get(of_member(hr, "hr")).status_code == 200


@pytest.mark.slow
def test_a_workspace_that_demands_a_second_step_is_not_shown_without_one(scene: Scene, leaver: User) -> None:
    Workspace.objects.filter(slug="hr").update(second_factor_required=True)
    client = browser(leaver)
    page = text(client.get(reverse("leaving")))
    assert "hr credential" not in page
    assert "require two-factor authentication are shown only after" in page
    row = Credential.objects.get(name="hr credential")
    client.post(reverse("leaving"), {"plan": json.dumps({f"credential-{row.pk}": "end"}), "sure": "yes"})
    assert Credential.objects.filter(pk=row.pk).exists()


def test_a_guest_learns_no_names_of_members(scene: Scene, leaver: User) -> None:
    guest = User.objects.get(username="sales-guest")
    page = text(browser(guest).get(reverse("leaving")))
    assert "sales given" in page  # the right that they have
    for name in ("owner", "colleague", "leaver"):
        assert f"{name}<" not in page.partition("<form method")[2]


def test_without_anything_the_page_says_so(scene: Scene, keeper: User) -> None:
    for client, url in (
        (browser(keeper), of_console(scene.users.stranger)),
        (browser(scene.users.stranger), reverse("leaving")),
    ):
        page = text(client.get(url))
        assert "Nothing to hand over" in page
        assert "Check what will happen" not in page


def test_where_there_is_no_choice_the_page_asks_for_none(scene: Scene, keeper: User) -> None:
    launcher = scene.member("launcher-only", Role.LAUNCHER)
    page = text(browser(keeper).get(of_console(launcher)))
    assert "has 1 thing here" in page
    assert "Choose what happens to each." not in page
    assert "There is nothing to choose: what happens to each is stated below." in page


@pytest.mark.parametrize("language", ["en", "vi"])
def test_the_pages_speak_both_languages(scene: Scene, leaver: User, keeper: User, language: str) -> None:
    client = browser(keeper)
    client.cookies["console_language"] = language
    User.objects.filter(pk=keeper.pk).update(language=language)
    page = client.get(of_console(leaver))
    assert page.status_code == 200
    assert ("If nothing is done" in text(page)) is (language == "en")


def test_somebody_who_is_in_by_a_team_alone_is_reached_from_the_members(scene: Scene, leaver: User) -> None:
    team = Group.objects.create(name="Field")
    Member.objects.create(workspace=scene.users.workspace, team=team, role=Role.LAUNCHER)
    both = [person("fielder"), scene.users.colleague]
    for who in both:
        who.groups.add(team)
    owner = browser(scene.users.owner)
    page = text(owner.get("/w/sales/members/"))
    assert [page.count(of_member(who)) for who in both] == [1, 1]
    assert "through the team Field" in text(owner.get(of_member(both[0])))


def test_links_lead_to_the_page(scene: Scene, leaver: User, keeper: User) -> None:
    owner = browser(scene.users.owner)
    assert of_member(leaver) in text(owner.get("/w/sales/members/"))
    row = Member.objects.get(workspace__slug="sales", user=leaver)
    assert of_member(leaver) in text(owner.get(reverse("member_remove", args=["sales", row.pk])))
    assert of_console(leaver) in text(browser(keeper).get(reverse("person", args=[leaver.pk])))
    assert of_console(leaver) in text(browser(keeper).get(reverse("person_deactivate", args=[leaver.pk])))
    assert reverse("leaving") in text(browser(leaver).get(reverse("profile")))


def test_an_export_leads_to_its_own_page(scene: Scene, leaver: User) -> None:
    workspace = scene.users.workspace
    job = Job.objects.create(
        workspace=workspace,
        user=leaver,
        kind=JobKind.EXPORT,
        resource="flows",
        state=JobState.RUNNING,
        asked_at=timezone.now(),
    )
    url = reverse("export", args=["sales", job.pk])
    assert f'href="{url}"' in text(browser(leaver).get(reverse("leaving")))
    assert browser(leaver).get(url).status_code == 200
