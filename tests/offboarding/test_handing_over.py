"""Before somebody leaves: what they have is handed over or ended, by those who may decide about it."""

import json
import re
import threading

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tests.launches.launch_scene import NO_FLOW, Scene
from tests.offboarding.scene import do, keys, leaver, of_console, of_member, plan_in, text, user
from tests.users import browser, credential, person
from workflows_ui.accounts.models import User
from workflows_ui.audit.models import AuditEvent
from workflows_ui.credentials.models import Credential, CredentialSecret
from workflows_ui.credentials.services import sharing
from workflows_ui.failures.models import FailurePattern
from workflows_ui.jobs.models import Job, JobState
from workflows_ui.launch_forms.models import LaunchForm, SavedInputs
from workflows_ui.launches.models import Launch, State
from workflows_ui.launches.services import sending
from workflows_ui.members.models import ColleagueInvitation, LaunchRight, Member, Role, TeamOwner, Workspace
from workflows_ui.members.services import access, invitations
from workflows_ui.notifications.models import Watch, WatchKind

pytestmark = pytest.mark.both_databases

__all__ = ["leaver"]


@pytest.mark.slow
def test_a_person_sees_their_own_and_decides_about_it(scene: Scene, leaver: User) -> None:
    client = browser(leaver)
    page = text(client.get(reverse("leaving")))
    assert "sales credential" in page
    assert "hr credential" in page
    done = do(
        client,
        reverse("leaving"),
        {
            keys(Credential, "credential", name="sales credential"): user(scene.users.owner),
            keys(SavedInputs, "inputs", name="sales inputs"): "end",
            keys(Watch, "watch", name="sales watched"): user(scene.users.colleague),
        },
    )
    assert "2 handed over. 1 ended." in text(done)
    assert Credential.objects.get(name="sales credential").owner == scene.users.owner
    assert not SavedInputs.objects.filter(name="sales inputs").exists()
    assert Watch.objects.get(name="sales watched").user == scene.users.colleague


@pytest.mark.slow
def test_what_ends_a_thing_is_named_at_its_choice_and_in_the_question(scene: Scene, leaver: User) -> None:
    client = browser(leaver)
    page = text(client.get(reverse("leaving")))
    for label in ("Delete it", "Discard the draft", "Cancel it", "Delete them", "End them", "Stop it"):
        assert f'<option value="end">{label}</option>' in page
    assert '<option value="end"></option>' not in page
    question = client.post(reverse("leaving"), {keys(SavedInputs, "inputs", name="sales inputs"): "end"})
    assert '<span class="badge bg-red-lt">Delete them</span>' in text(question)


@pytest.mark.slow
def test_a_builder_gives_no_rights_away_and_takes_none_from_others(scene: Scene, leaver: User) -> None:
    client = browser(leaver)
    given = keys(LaunchRight, "given", flow_name="sales given")
    held = keys(LaunchRight, "right", flow_name="sales held")
    viewer = scene.member("watcher", Role.VIEWER)
    for choices in ({given: "end"}, {given: user(scene.users.owner)}, {held: user(viewer)}):
        answer = client.post(reverse("leaving"), choices)
        assert answer.status_code == 422
        assert "This choice is not available here" in text(answer)
    do(client, reverse("leaving"), {held: "end"})
    assert LaunchRight.objects.get(flow_name="sales held").revoked_at is not None


@pytest.mark.slow
def test_each_kind_is_handed_over_and_audited(scene: Scene, leaver: User, keeper: User) -> None:
    owner, colleague = scene.users.owner, scene.users.colleague
    builder, viewer = scene.member("builder", Role.BUILDER), scene.member("watcher", Role.VIEWER)
    credential(scene.users.workspace, viewer, "secret", name="The watcher's own")
    team = Group.objects.create(name="Field")
    TeamOwner.objects.create(team=team, user=leaver)
    colleague.groups.add(team)
    SavedInputs.objects.create(
        workspace=scene.users.workspace,
        flow_id=NO_FLOW,
        owner=colleague,
        name="sales inputs",
        updated_at=timezone.now(),
    )
    inputs = SavedInputs.objects.get(owner=leaver, name="sales inputs")
    hr = User.objects.get(username="hr-colleague")
    choices = {
        keys(Credential, "credential", name="sales credential"): user(owner),
        keys(LaunchForm, "form", flow_name="sales form"): user(builder),
        keys(LaunchRight, "right", flow_name="sales held"): user(viewer),
        keys(LaunchRight, "given", flow_name="sales given"): user(owner),
        keys(ColleagueInvitation, "invitation", email="sales@invited.example"): user(owner),
        f"inputs-{inputs.pk}": user(colleague),
        keys(Watch, "watch", name="sales watched"): user(viewer),
        keys(FailurePattern, "failure", index=scene.users.workspace.pk): user(builder),
        f"role-{Workspace.objects.get(slug='hr').pk}": user(hr),
        f"owner-{team.pk}": user(colleague),
    }
    before = AuditEvent.objects.count()
    assert "10 handed over." in text(do(browser(keeper), of_console(leaver), choices))
    assert Credential.objects.get(name="sales credential").owner == owner
    form = LaunchForm.objects.get(flow_name="sales form")
    assert (form.updated_by, bool(form.draft)) == (builder, True)
    right = LaunchRight.objects.get(flow_name="sales held", revoked_at=None)
    assert (right.user, right.most_launches, right.used) == (viewer, 3, 0)
    assert LaunchRight.objects.get(flow_name="sales given").created_by == owner
    invitation = ColleagueInvitation.objects.get(email="sales@invited.example")
    assert invitation.invited_by == owner
    assert invitations.works(invitation)
    moved = SavedInputs.objects.get(pk=inputs.pk)
    assert (moved.owner, moved.name, moved.open("payload")) == (colleague, "sales inputs (2)", '{"a":1}')
    assert Watch.objects.get(name="sales watched").user == viewer
    assert FailurePattern.objects.get(index=scene.users.workspace.pk).assigned_to == builder
    assert access.access_for(hr, "hr").role is Role.MANAGER
    assert list(TeamOwner.objects.values_list("user", flat=True)) == [colleague.pk]
    actions = sorted(AuditEvent.objects.order_by("pk").values_list("action", flat=True)[before:])
    assert actions == [
        "credential.pass_on",
        "failure.hand_over",
        "form.hand_over",
        "inputs.hand_over",
        "invitation.pass_on",
        "launch_right.give",
        "launch_right.hand_over",
        "launch_right.revoke",
        "member.hand_over",
        "team.end_owner",
        "team.make_owner",
        "watch.hand_over",
    ]
    assert set(AuditEvent.objects.order_by("pk").values_list("user", flat=True)[before:]) == {keeper.pk}


@pytest.mark.slow
def test_each_kind_is_ended_and_audited(scene: Scene, leaver: User, keeper: User) -> None:
    team = Group.objects.create(name="Field")
    TeamOwner.objects.create(team=team, user=leaver)
    leaver.groups.add(team)
    waiting = scene.row(leaver, state=State.QUEUED)
    signed_in = Client()
    signed_in.post("/accounts/login/", {"login": "leaver", "password": "correct horse battery"})
    sales = {"workspace": scene.users.workspace}
    choices = {
        keys(Credential, "credential", name="sales credential"): "end",
        keys(LaunchForm, "form", flow_name="sales form"): "end",
        keys(LaunchRight, "right", flow_name="sales held"): "end",
        keys(LaunchRight, "given", flow_name="sales given"): "end",
        keys(ColleagueInvitation, "invitation", email="sales@invited.example"): "end",
        keys(SavedInputs, "inputs", name="sales inputs"): "end",
        keys(Watch, "watch", name="sales watched"): "end",
        keys(FailurePattern, "failure", index=scene.users.workspace.pk): "end",
        f"launch-{waiting.pk}": "end",
        keys(Job, "job", **sales): "end",
        f"owner-{team.pk}": "end",
        f"team-{team.pk}": "end",
        "session-all": "end",
    }
    assert "13 ended." in text(do(browser(keeper), of_console(leaver), choices))
    assert not Credential.objects.filter(name="sales credential").exists()
    assert LaunchForm.objects.get(flow_name="sales form").draft == ""
    assert not LaunchRight.objects.filter(workspace=scene.users.workspace, revoked_at=None).exists()
    assert ColleagueInvitation.objects.get(email="sales@invited.example").revoked_at is not None
    assert Launch.objects.get(pk=waiting.pk).state == State.NOT_SENT
    assert FailurePattern.objects.get(index=scene.users.workspace.pk).assigned_to is None
    assert Job.objects.get(**sales).state == JobState.STOPPED
    assert not leaver.groups.exists()
    assert signed_in.get("/w/sales/").status_code == 303
    assert "sales" not in text(browser(keeper).get(of_console(leaver))).partition("<form")[2].partition("</form")[
        0
    ].replace("Sales", "")


@pytest.mark.slow
def test_a_credential_goes_to_a_team_sealed_and_works_for_its_people(scene: Scene, leaver: User) -> None:
    team = Group.objects.create(name="Field")
    Member.objects.create(workspace=scene.users.workspace, team=team, role=Role.LAUNCHER)
    member = person("fielder")
    member.groups.add(team)
    row = Credential.objects.get(name="sales credential")
    row.secret = row.seal("secret", scene.engine.credentials.bearer_token)
    row.save()
    leaver.groups.add(team)
    # A manager cannot give it to a team that does not use it: only its owner can.
    choices = {f"credential-{row.pk}": f"team-{team.pk}"}
    assert "not available here" in text(browser(scene.users.owner).post(of_member(leaver), choices))
    asked = browser(leaver).post(reverse("leaving"), choices)
    done = browser(leaver).post(reverse("leaving"), {"plan": plan_in(asked), "sure": "yes"}, follow=True)
    for page in (asked, done):
        assert scene.engine.credentials.bearer_token not in text(page)
    row.refresh_from_db()
    assert (row.owner, row.open("secret")) == (scene.users.owner, scene.engine.credentials.bearer_token)
    found = access.acting(User.objects.get(pk=member.pk), scene.users.workspace)
    assert found is not None
    assert (found.credential.pk, found.own) == (row.pk, False)
    launch = scene.row(member, state=State.QUEUED)
    sending.send(launch.pk)
    assert Launch.objects.get(pk=launch.pk).credential_id == row.pk


@pytest.mark.left_out
def test_a_credential_that_a_team_uses_goes_to_a_manager_and_the_team_keeps_it(scene: Scene, leaver: User) -> None:
    team = Group.objects.create(name="Field")
    row = Credential.objects.get(name="sales credential")
    sharing.write(row, team, leaver)
    aside = CredentialSecret(credential=row, kind=row.kind, replaced_at=timezone.now(), keep_until=timezone.now())
    aside.secret = aside.seal("secret", "the one before")
    aside.save()
    assert "used by the team Field" in text(browser(leaver).get(reverse("leaving")))
    do(browser(leaver), reverse("leaving"), {f"credential-{row.pk}": user(scene.users.owner)})
    moved = Credential.objects.get(pk=row.pk)
    assert (moved.owner, moved.open("secret"), sharing.teams(moved)) == (scene.users.owner, "secret", [team])
    assert CredentialSecret.objects.get(pk=aside.pk).open("secret") == "the one before"


@pytest.mark.slow
def test_a_credential_that_was_changed_in_the_database_is_not_handed_over(scene: Scene, leaver: User) -> None:
    row = Credential.objects.get(name="sales credential")
    Credential.objects.filter(pk=row.pk).update(organization_id="elsewhere")
    choices = {f"credential-{row.pk}": user(scene.users.owner), keys(SavedInputs, "inputs", name="sales inputs"): "end"}
    url = of_member(leaver)
    asked = browser(scene.users.owner).post(url, choices)
    answer = browser(scene.users.owner).post(url, {"plan": plan_in(asked), "sure": "yes"})
    assert answer.status_code == 422
    assert "The secret cannot be opened" in text(answer)
    assert Credential.objects.get(pk=row.pk).owner == leaver
    assert SavedInputs.objects.filter(name="sales inputs").exists()


@pytest.mark.slow
def test_one_choice_holds_for_all_of_a_kind_but_those_that_have_their_own(scene: Scene, leaver: User) -> None:
    space, now = scene.users.workspace, timezone.now()
    Watch.objects.bulk_create(
        Watch(user=leaver, workspace=space, kind=WatchKind.FLOW, object_id=f"f{n}", name=f"Flow {n:03}", created_at=now)
        for n in range(60)
    )
    client, url = browser(scene.users.owner), of_member(leaver)
    page = text(client.get(url))
    assert "53 more" in page
    one = keys(Watch, "watch", name="Flow 007")
    asked = client.post(url, {f"all-watch-{space.pk}": "end", one: "keep"})
    assert "Change 60 things?" in text(asked)
    client.post(url, {"plan": plan_in(asked), "sure": "yes"})
    assert list(Watch.objects.filter(user=leaver, workspace=space).values_list("name", flat=True)) == ["Flow 007"]


@pytest.mark.left_out
def test_the_question_counts_and_changes_nothing_and_leads_back_with_the_choices(scene: Scene, leaver: User) -> None:
    client, url = browser(scene.users.owner), of_member(leaver)
    chosen = {keys(Credential, "credential", name="sales credential"): user(scene.users.owner)}
    chosen |= {keys(SavedInputs, "inputs", name="sales inputs"): "end"}
    asked = client.post(url, chosen)
    page = text(asked)
    assert "Change 2 things?" in page
    assert "1 of these is ended" in page
    assert Credential.objects.get(name="sales credential").owner == leaver
    back = text(client.post(url, {"plan": plan_in(asked), "back": "yes"}))
    assert re.search(rf'value="{user(scene.users.owner)}" selected', back)
    assert 'value="end" selected' in back
    nothing = client.post(url, {})
    assert nothing.status_code == 422
    assert "Nothing is chosen yet" in text(nothing)


@pytest.mark.slow
def test_what_cannot_be_done_is_said_at_its_field_and_all_other_choices_are_kept(scene: Scene, leaver: User) -> None:
    client, url = browser(scene.users.owner), of_member(leaver)
    key = keys(Credential, "credential", name="sales credential")
    asked = client.post(
        url,
        {key: user(scene.users.owner), keys(SavedInputs, "inputs", name="sales inputs"): user(scene.users.colleague)},
    )
    Member.objects.filter(user=scene.users.colleague).update(role=Role.VIEWER)  # meanwhile
    answer = client.post(url, {"plan": plan_in(asked), "sure": "yes"})
    assert answer.status_code == 422
    assert text(answer).count("invalid-feedback") == 1
    assert f'value="{user(scene.users.owner)}" selected' in text(answer)
    assert Credential.objects.get(pk=key.partition("-")[2]).owner == leaver


@pytest.mark.left_out
def test_a_double_click_and_a_second_tab_find_it_gone_and_say_so(scene: Scene, leaver: User, keeper: User) -> None:
    client, url = browser(keeper), of_console(leaver)
    hr = Workspace.objects.get(slug="hr")
    hr_colleague = User.objects.get(username="hr-colleague")
    chosen = {
        keys(Credential, "credential", name="sales credential"): user(scene.users.owner),
        keys(SavedInputs, "inputs", name="sales inputs"): "end",
        keys(LaunchForm, "form", flow_name="sales form"): "end",
        f"role-{hr.pk}": user(hr_colleague),
    }
    asked = client.post(url, chosen)
    for _click in range(2):
        done = client.post(url, {"plan": plan_in(asked), "sure": "yes"}, follow=True)
        assert done.status_code == 200
    assert "Not changed, because it is gone or belongs to someone else now" in text(done)
    assert "Credentials: 1" in text(done)
    other_tab = client.post(url, chosen)
    assert other_tab.status_code == 422
    assert "No longer available: Credentials: 1" in text(other_tab)
    for action in ("credential.pass_on", "inputs.delete", "form.drop_draft", "member.hand_over"):
        assert AuditEvent.objects.filter(action=action).count() == 1


@pytest.mark.slow
def test_all_or_nothing(scene: Scene, leaver: User, keeper: User) -> None:
    team = Group.objects.create(name="Managers of Sales")
    Member.objects.create(workspace=scene.users.workspace, team=team, role=Role.MANAGER)
    leaver.groups.add(team)
    Member.objects.filter(user=scene.users.owner).update(role=Role.LAUNCHER)
    url, key = of_console(leaver), keys(SavedInputs, "inputs", name="sales inputs")
    asked = browser(keeper).post(url, {key: "end", f"team-{team.pk}": "end"})
    before = AuditEvent.objects.count()
    answer = browser(keeper).post(url, {"plan": plan_in(asked), "sure": "yes"})
    assert answer.status_code == 422
    assert "no one would manage a workspace" in text(answer)
    assert SavedInputs.objects.filter(name="sales inputs").exists()
    assert leaver.groups.exists()
    assert AuditEvent.objects.count() == before


@pytest.mark.left_out
def test_a_colleague_for_whom_it_would_not_work_is_refused_at_the_choice(scene: Scene, leaver: User) -> None:
    client, url = browser(scene.users.owner), of_member(leaver)
    invitation = ColleagueInvitation.objects.get(email="sales@invited.example")
    invitation.teams.add(Group.objects.create(name="Nobody's"))
    refused = {
        keys(LaunchRight, "right", flow_name="sales held"): (
            user(scene.member("watcher", Role.VIEWER)),
            "This colleague has no credential to use here",
        ),
        f"invitation-{invitation.pk}": (user(scene.users.owner), "may not add people to the teams"),
    }
    for key, (choice, reason) in refused.items():
        plan = plan_in(client.post(url, {key: choice}))
        answer = client.post(url, {"plan": plan, "sure": "yes"})
        assert answer.status_code == 422
        assert re.search(rf'id="{key}-problem">[^<]*{reason}', text(answer))
    assert LaunchRight.objects.get(flow_name="sales held").revoked_at is None
    invitation.refresh_from_db()
    assert invitation.invited_by == leaver


def test_a_manager_hands_over_nothing_of_another_workspace(scene: Scene, leaver: User) -> None:
    client, url = browser(scene.users.owner), of_member(leaver)
    row = Credential.objects.get(name="hr credential")
    choices = {
        f"credential-{row.pk}": user(scene.users.owner),
        keys(SavedInputs, "inputs", name="hr inputs"): "end",
        keys(LaunchRight, "given", flow_name="hr given"): "end",
        keys(Watch, "watch", name="hr watched"): "end",
        f"role-{row.workspace_id}": user(scene.users.owner),
        "session-all": "end",
    }
    for posted in (choices, {"plan": json.dumps(choices), "sure": "yes"}, choices | {"sure": "yes"}):
        answer = client.post(url, posted, follow=True)
        assert "hr credential" not in text(answer)
    row.refresh_from_db()
    assert row.owner == leaver
    assert SavedInputs.objects.filter(name="hr inputs").exists()
    assert Watch.objects.filter(name="hr watched").exists()
    assert LaunchRight.objects.get(flow_name="hr given").revoked_at is None
    assert not Member.objects.filter(workspace__slug="hr", user=scene.users.owner).exists()


@pytest.mark.left_out
def test_nothing_is_handed_to_somebody_who_may_not_have_it(scene: Scene, leaver: User, keeper: User) -> None:
    stranger, colleague = scene.users.stranger, scene.users.colleague
    switched_off = scene.member("gone", Role.MANAGER)
    User.objects.filter(pk=switched_off.pk).update(is_active=False)
    foreign = Group.objects.create(name="Foreign")
    tries = {
        keys(Credential, "credential", name="sales credential"): (colleague, stranger, switched_off, keeper, leaver),
        keys(LaunchForm, "form", flow_name="sales form"): (colleague, stranger),
        keys(LaunchRight, "right", flow_name="sales held"): (colleague, stranger, leaver),
        keys(LaunchRight, "given", flow_name="sales given"): (colleague, stranger),
        keys(ColleagueInvitation, "invitation", email="sales@invited.example"): (colleague, stranger),
        keys(SavedInputs, "inputs", name="sales inputs"): (stranger, switched_off),
        keys(Watch, "watch", name="sales watched"): (stranger,),
    }
    before = AuditEvent.objects.count()
    for client, url in ((browser(keeper), of_console(leaver)), (browser(scene.users.owner), of_member(leaver))):
        for key, people in tries.items():
            for choice in [*map(user, people), f"team-{foreign.pk}", "user-0", "user-999999999999999999999", "x"]:
                for posted in ({key: choice}, {"plan": json.dumps({key: choice}), "sure": "yes"}):
                    answer = client.post(url, posted)
                    assert answer.status_code == 422, (key, choice)
    assert AuditEvent.objects.count() == before
    assert Credential.objects.get(name="sales credential").owner == leaver


def test_a_role_that_was_lost_since_the_question_decides(scene: Scene, leaver: User) -> None:
    second = browser(scene.member("second", Role.MANAGER))
    key = keys(SavedInputs, "inputs", name="sales inputs")
    asked = second.post(of_member(leaver), {key: "end"})
    Member.objects.filter(user__username="second").update(role=Role.BUILDER)
    assert second.post(of_member(leaver), {"plan": plan_in(asked), "sure": "yes"}).status_code == 403
    assert SavedInputs.objects.filter(name="sales inputs").exists()


@pytest.mark.left_out
def test_broken_plans_are_answered(scene: Scene, leaver: User) -> None:
    client = browser(scene.users.owner)
    plans = ["", "{", "[]", "[1]", "7", '{"a": {"b": 1}}', '{"credential-": "end"}', '{"session-all": null}', "null"]
    plans += ["[" * 100_000, '{"a":' * 50_000, "9" * 6_000, '{"credential-\\ud800": "\\ud800"}']
    for plan in plans:
        for button in ("sure", "back", "else"):
            assert client.post(of_member(leaver), {"plan": plan, button: "yes"}).status_code in {200, 303, 422}


@pytest.mark.left_out
@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_two_administrators_at_once_do_each_thing_once(scene: Scene, leaver: User, keeper: User) -> None:
    plan = json.dumps(
        {
            keys(Credential, "credential", name="sales credential"): user(scene.users.owner),
            keys(SavedInputs, "inputs", name="sales inputs"): "end",
            keys(Watch, "watch", name="sales watched"): user(scene.users.colleague),
        }
    )
    start, statuses = threading.Barrier(4), []

    def click() -> None:
        client = browser(keeper)
        start.wait()
        statuses.append(client.post(of_console(leaver), {"plan": plan, "sure": "yes"}).status_code)
        connection.close()

    threads = [threading.Thread(target=click) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert statuses == [303] * 4
    for action in ("credential.pass_on", "inputs.delete", "watch.hand_over"):
        assert AuditEvent.objects.filter(action=action).count() == 1
