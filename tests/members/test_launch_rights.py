"""A right to launch one flow: what it opens, what stays closed, and how it ends by date, by number and by hand."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from tests import flows
from tests.launches.launch_scene import form_of, text_of, unescape
from tests.members.guests import Guests
from tests.users import credential, person, share, workspace
from tests.web.test_every_address import LEAST, _url
from workflows_ui.accounts.models import User
from workflows_ui.audit.models import AuditEvent
from workflows_ui.audit.services.audit_log import Actor
from workflows_ui.credentials.models import Credential, CredentialShare
from workflows_ui.credentials.services import sharing
from workflows_ui.launches.models import Launch, Reason, State
from workflows_ui.launches.services import launches, sending
from workflows_ui.members import messages as launch_right_messages
from workflows_ui.members.models import LaunchRight, Member, Role
from workflows_ui.members.services import access, launch_rights
from workflows_ui.notifications import messages as notification_messages
from workflows_ui.notifications.models import Notice

pytestmark = pytest.mark.both_databases

_SHARES_OF_TEAM = re.compile(rf'FROM "{CredentialShare._meta.db_table}" .* WHERE .*"team_id" (=|IN) ')
OPEN_TO_GUESTS = {
    "workspace",
    "launches",
    "launch",
    "launch_withdraw",
    "launch_settle",
    "launch_days",
    "launch_durations",
    "launches_file",
    "list_columns",
    "follow_mute",
    "list_plot",
    "saved_views",
    "search",
}


def post(guests: Guests, payload: str = "{}", **more: str) -> str:
    """Launches by the form as Gail; the address that this led to."""
    url = guests.scene.url(guests.flow)
    fields = form_of(guests.browser.get(url)) | {"payload": payload, "_how": "start", "confirmed": "yes"} | more
    answer = guests.browser.post(url, fields)
    assert answer.status_code == 303, text_of(answer)
    return str(answer["Location"])


def test_a_guest_sees_their_flow_launches_it_with_the_teams_key_and_reads_the_launch(guests: Guests) -> None:
    right = guests.right(most_launches=20)
    home = unescape(text_of(guests.browser.get("/w/sales/")))
    assert "Quick" in home
    assert "0 of 20 launches used" in home
    assert "Hidden" not in home
    address = post(guests)
    launch = Launch.objects.get()
    sending.send(launch.pk)
    page = text_of(guests.browser.get(address))
    assert "/w/sales/runs/" not in page
    assert "/w/sales/flows/" + guests.flow + '/"' not in page
    right.refresh_from_db()
    assert (right.used, launch.right) == (1, right)
    assert launch.credential is not None
    assert sharing.teams(launch.credential) == [guests.team]
    assert "Quick" in text_of(guests.browser.get("/w/sales/launches/"))


def test_everything_else_of_the_workspace_is_closed_to_a_guest(guests: Guests) -> None:
    guests.right()
    for name in sorted(set(LEAST) - OPEN_TO_GUESTS):
        for answer in (guests.browser.get(_url(name)), guests.browser.post(_url(name))):
            assert answer.status_code in (403, 404, 405), name


@pytest.mark.parametrize("path", ["flows/", "runs/", "connections/", "tables/", "credentials/", "members/"])
def test_lists_are_closed_to_a_guest_as_pages_and_as_fragments(guests: Guests, path: str) -> None:
    guests.right()
    assert guests.browser.get(f"/w/sales/{path}").status_code == 403
    fragment = guests.browser.get(f"/w/sales/{path}", headers={"HX-Request": "true", "HX-Target": "results"})
    assert fragment.status_code == 403


def test_another_flow_and_other_peoples_launches_are_not_there_for_a_guest(guests: Guests) -> None:
    guests.right()
    foreign = guests.scene.launch(guests.other)
    url = guests.scene.url(guests.other)
    assert guests.browser.get(url).status_code == 404
    assert guests.browser.post(url, {"payload": "{}", "_how": "start", "ticket": launches.ticket()}).status_code == 404
    assert guests.browser.get(f"/w/sales/launches/{foreign.pk}/").status_code == 404
    assert guests.browser.get(guests.scene.url(guests.flow) + f"?from={foreign.pk}").status_code == 200
    assert guests.browser.get("/w/sales/").status_code == 200


def test_without_a_right_the_workspace_is_not_there(guests: Guests) -> None:
    assert guests.browser.get("/w/sales/").status_code == 404
    assert guests.browser.get(guests.scene.url(guests.flow)).status_code == 404


def test_after_the_last_launch_the_form_says_that_the_right_is_used_up_and_the_launch_can_still_be_read(
    guests: Guests,
) -> None:
    guests.right(most_launches=1)
    address = post(guests)
    refused = guests.browser.get(guests.scene.url(guests.flow))
    assert refused.status_code == 403
    assert "has ended" in text_of(refused)
    assert guests.browser.get(address).status_code == 200
    assert "cannot launch anything" in text_of(guests.browser.get("/w/sales/"))
    LaunchRight.objects.update(last_used_at=timezone.now() - timedelta(days=8))
    assert guests.browser.get(address).status_code == 404


def test_the_last_launch_clicked_twice_leads_to_the_one_launch(guests: Guests) -> None:
    guests.right(most_launches=1)
    url = guests.scene.url(guests.flow)
    fields = form_of(guests.browser.get(url)) | {"payload": "{}", "_how": "start"}
    first, second = guests.browser.post(url, fields), guests.browser.post(url, fields)
    assert first["Location"] == second["Location"]
    assert Launch.objects.count() == 1
    other = fields | {"ticket": launches.ticket(), "confirmed": "yes"}
    assert guests.browser.post(url, other).status_code == 403
    assert Launch.objects.count() == 1


def test_a_date_that_is_over_ends_the_right_automatically(guests: Guests) -> None:
    guests.right(until=timezone.now() + timedelta(hours=1))
    assert guests.browser.get(guests.scene.url(guests.flow)).status_code == 200
    address = post(guests)
    launch = Launch.objects.get()
    LaunchRight.objects.update(until=timezone.now() - timedelta(seconds=1))
    assert guests.browser.get(guests.scene.url(guests.flow)).status_code == 403
    assert guests.browser.get(address).status_code == 200
    assert sending.send(launch.pk) is None
    launch.refresh_from_db()
    assert (launch.state, launch.reason) == (State.NOT_SENT, Reason.NO_ACCESS)


def test_a_kept_launch_whose_right_ended_meanwhile_is_not_sent_and_gives_its_use_back(guests: Guests) -> None:
    right = guests.right(until=timezone.now() + timedelta(minutes=30), most_launches=1)
    post(guests, _keep="yes", _until=(timezone.now() + timedelta(hours=1)).isoformat())
    launch = Launch.objects.get()
    right.refresh_from_db()
    assert (launch.kept, right.used) == (True, 1)
    LaunchRight.objects.update(until=timezone.now() - timedelta(seconds=1))
    assert sending.send(launch.pk) is None
    launch.refresh_from_db()
    right.refresh_from_db()
    assert (launch.state, launch.reason, right.used) == (State.NOT_SENT, Reason.NO_ACCESS, 0)


def test_a_withdrawn_right_closes_the_door_at_once_and_what_waits_is_not_sent(guests: Guests) -> None:
    right = guests.right()
    post(guests)
    launch = Launch.objects.get()
    manager = guests.scene.sign_in(guests.scene.users.owner)
    address = reverse("launch_right_revoke", args=["sales", right.pk])
    assert "Revoke the right of Field?" in text_of(manager.get(address))
    assert "The right of Field is revoked" in text_of(manager.post(address, {"sure": "yes"}, follow=True))
    assert "revoked already" in text_of(manager.post(address, {"sure": "yes"}, follow=True))
    assert guests.browser.get("/w/sales/").status_code == 404
    sending.send(launch.pk)
    launch.refresh_from_db()
    assert (launch.state, launch.reason) == (State.NOT_SENT, Reason.NO_ACCESS)


def test_leaving_the_team_ends_the_right_with_the_next_click(guests: Guests) -> None:
    guests.right()
    assert guests.browser.get("/w/sales/").status_code == 200
    guests.gail.groups.clear()
    assert guests.browser.get("/w/sales/").status_code == 404


def test_a_launch_that_was_never_sent_gives_its_use_back_once(guests: Guests) -> None:
    right = guests.right(most_launches=2)
    address = post(guests)
    launch = Launch.objects.get()
    assert guests.browser.post(f"{address}withdraw/").status_code == 303
    guests.browser.post(f"{address}withdraw/")
    right.refresh_from_db()
    assert right.used == 0
    launch.refresh_from_db()
    assert launch.reason == Reason.WITHDRAWN


def test_a_launch_that_a_person_settled_as_not_run_keeps_its_use(guests: Guests) -> None:
    right = guests.right(most_launches=2)
    address = post(guests)
    Launch.objects.update(state=State.UNKNOWN, poll_at=None)
    guests.browser.post(f"{address}settle/", {"ran": "no", "why": "I looked"})
    assert Launch.objects.get().reason == Reason.SETTLED_NOT_RUN
    right.refresh_from_db()
    assert right.used == 1


def test_a_launcher_does_not_use_up_a_right_of_their_team(guests: Guests) -> None:
    right = guests.right(most_launches=1)
    Member.objects.create(workspace=guests.scene.users.workspace, user=guests.gail, role=Role.LAUNCHER)
    post(guests)
    right.refresh_from_db()
    assert right.used == 0


def test_a_viewer_with_a_right_launches_that_flow_only(guests: Guests) -> None:
    guests.right(most_launches=5)
    Member.objects.create(workspace=guests.scene.users.workspace, user=guests.gail, role=Role.VIEWER)
    post(guests)
    assert guests.browser.get(guests.scene.url(guests.other)).status_code == 403
    assert guests.browser.get("/w/sales/flows/").status_code == 200


def test_the_right_that_ends_first_is_used_first_and_the_next_one_then(guests: Guests) -> None:
    lasting = guests.right(most_launches=1)
    soon = guests.right(until=timezone.now() + timedelta(days=1), most_launches=1)
    post(guests)
    assert Launch.objects.get().right == soon
    post(guests, '{"n": 2}')
    assert Launch.objects.order_by("-asked_at")[0].right == lasting


def test_a_guest_who_brings_a_key_asks_to_be_let_in_like_a_stranger(guests: Guests) -> None:
    guests.right()
    assert not access.belongs(guests.gail, guests.scene.users.workspace)
    assert access.workspaces(guests.gail).exists()
    Member.objects.create(workspace=guests.scene.users.workspace, team=guests.team, role=Role.VIEWER)
    assert access.belongs(guests.gail, guests.scene.users.workspace)


@pytest.mark.django_db(transaction=True)
def test_eight_people_at_once_never_use_a_right_more_often_than_it_may_be() -> None:
    space, team = workspace("sales"), Group.objects.create(name="Field")
    right = LaunchRight.objects.create(workspace=space, flow_id="F" * 21, team=team, most_launches=3)
    people = [person(f"person{number}") for number in range(8)]
    team.user_set.set(people)
    places = [access.access_for(one, "sales") for one in people]

    def ask(number: int) -> bool:
        try:
            order = launches.LaunchRequest("F" * 21, "F", {"n": number}, wait=False, ticket=launches.ticket())
            launches.create(Actor(people[number]), places[number], order)
        except access.RightEnded:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(ask, range(8)))
    right.refresh_from_db()
    assert (sum(done), right.used, Launch.objects.count()) == (3, 3, 3)


# --- Giving


def give(guests: Guests, **fields: str) -> str:
    manager = guests.scene.sign_in(guests.scene.users.owner)
    answer = manager.post(reverse("flow_launch_rights", args=["sales", guests.flow]), fields, follow=True)
    return unescape(text_of(answer))


def test_a_manager_gives_a_team_a_right_with_an_end_and_a_number_and_it_is_audited(guests: Guests) -> None:
    until = timezone.localtime(timezone.now() + timedelta(days=3)).replace(second=0, microsecond=0)
    page = give(guests, team=str(guests.team.pk), until=until.strftime("%Y-%m-%dT%H:%M"), most_launches="20")
    right = LaunchRight.objects.get()
    assert (right.team, right.until, right.most_launches) == (guests.team, until, 20)
    assert f"until {until:%A %H:%M}, 0 of 20 launches used" in page
    event = AuditEvent.objects.get(action="launch_right.give")
    assert (event.object_id, event.detail["holder"], event.detail["most_launches"]) == (str(right.pk), "Field", 20)
    assert launch_rights.flows(access.access_for(guests.gail, "sales")) == [right]
    news = Notice.objects.get(user=guests.gail)
    assert news.url == guests.scene.url(guests.flow)
    message = notification_messages.notification_message(news)
    assert message.title == "You can launch Quick"
    assert "At most 20 launches." in message.detail


def test_a_right_is_refused_if_the_team_loses_its_credential_while_it_is_given(guests: Guests) -> None:
    checks = 0

    def lose(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        """The team's credential is taken away after the form has read that there is one, before the right is given."""
        nonlocal checks
        if _SHARES_OF_TEAM.search(sql):
            checks += 1
            if checks == 2:
                CredentialShare.objects.all().delete()
        return execute(sql, params, many, context)

    with connection.execute_wrapper(lose):
        page = give(guests, team=str(guests.team.pk))
    assert "These people of the team have no credential to use" in page
    assert checks == 2
    assert not LaunchRight.objects.exists()


def test_a_right_is_refused_for_a_person_for_whom_no_credential_acts(guests: Guests) -> None:
    page = give(guests, who="stranger@example.com")
    assert "stranger has no credential here, and none of their teams uses one" in page
    # Nor without the form.
    users = guests.scene.users
    with pytest.raises(launch_rights.NothingActs):
        launch_rights.give(
            Actor(users.owner),
            users.workspace,
            flow_id=guests.flow,
            flow_name="Quick",
            holder=users.stranger,
            until=None,
            most_launches=None,
        )
    assert not LaunchRight.objects.exists()
    # Through a team one acts for them, and later none: the list says so.
    guests.scene.users.stranger.groups.add(guests.team)
    assert "no end date, 0 launches so far" in give(guests, who="stranger@example.com")
    assert LaunchRight.objects.get().user == guests.scene.users.stranger
    guests.scene.users.stranger.groups.clear()
    url = reverse("flow_launch_rights", args=["sales", guests.flow])
    manager = guests.scene.sign_in(guests.scene.users.owner)
    assert "They have no credential here yet" in unescape(text_of(manager.get(url)))
    # Credentials of other workspaces do not act here.
    night = Group.objects.create(name="Night")
    share(credential(workspace("north"), guests.gail, "a-secret-of-north", name="North's key"), night)
    LaunchRight.objects.update(user=None, team=night)
    assert "credential here" in unescape(text_of(manager.get(url)))
    guests.scene.users.stranger.groups.set([night])
    LaunchRight.objects.update(user=guests.scene.users.stranger, team=None)
    assert "They have no credential here yet" in unescape(text_of(manager.get(url)))


def test_a_right_of_a_team_chooses_what_acts_and_is_refused_where_nothing_does(guests: Guests) -> None:
    night, users = Group.objects.create(name="Night"), guests.scene.users
    assert "No one is in the team" in give(guests, team=str(night.pk))
    gone = person("gone")
    User.objects.filter(pk=gone.pk).update(is_active=False)
    night.user_set.set([users.stranger, gone])
    assert "These people of the team have no credential to use: stranger." in give(guests, team=str(night.pk))
    # Field's key is its owner's to share, and not on offer for another team without that person's consent.
    keys = Credential.objects.get(name="Field's key")
    assert "Only keeper can agree" in give(guests, team=str(night.pk), credential=str(keys.pk))
    assert not LaunchRight.objects.exists()
    give(guests, team=str(night.pk), credential=str(users.credential.pk))
    assert LaunchRight.objects.get().team == night
    acting = access.acting(users.stranger, users.workspace)
    assert acting is not None
    assert acting.credential == users.credential


def test_credentials_of_one_name_and_owner_are_told_apart_where_one_is_chosen(guests: Guests) -> None:
    users = guests.scene.users
    for _number in range(2):
        secret, kind = users.credential.open("secret"), users.credential.kind
        credential(users.workspace, users.owner, secret, kind=kind, name="Twin")
    manager = guests.scene.sign_in(users.owner)
    page = text_of(manager.get(reverse("flow_launch_rights", args=["sales", guests.flow])))
    labels = re.findall(r"<option value=\"[0-9a-f-]{36}\">\s*(Twin[^<]*)</option>", page)
    assert len(set(labels)) == 2
    assert all("owner" in label for label in labels)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "Name a person, or choose a team."),
        ({"who": "nobody-here"}, "To invite someone, enter their email address."),
        ({"who": "gail", "until": "2020-01-01T10:00"}, "That time has passed."),
        ({"who": "gail", "until": "Friday"}, "Give day and time"),
        ({"who": "gail", "most_launches": "0"}, "greater than or equal to 1"),
        ({"team": "987654"}, "Select a valid choice"),
    ],
)
def test_what_is_wrong_with_a_right_is_said_and_nothing_is_given(
    guests: Guests, fields: dict[str, str], words: str
) -> None:
    assert words in give(guests, **fields)
    assert not LaunchRight.objects.exists()


def test_a_person_and_a_team_together_are_refused(guests: Guests) -> None:
    assert "not both" in give(guests, who="gail", team=str(guests.team.pk))
    assert not LaunchRight.objects.exists()


def test_no_right_is_given_on_a_flow_that_is_not_there(guests: Guests) -> None:
    manager = guests.scene.sign_in(guests.scene.users.owner)
    assert manager.post(reverse("flow_launch_rights", args=["sales", "F" * 21]), {"who": "gail"}).status_code == 404
    assert not LaunchRight.objects.exists()


def test_a_right_is_made_longer_or_shorter_but_never_less_than_what_is_used(guests: Guests) -> None:
    right = guests.right(most_launches=2, used=2, last_used_at=timezone.now())
    manager = guests.scene.sign_in(guests.scene.users.owner)
    address = reverse("launch_right_change", args=["sales", right.pk])
    assert guests.browser.get(guests.scene.url(guests.flow)).status_code == 403
    refused = manager.post(address, {"until": "", "most_launches": "1"})
    assert refused.status_code == 422
    assert "2 are used already" in text_of(refused)
    until = timezone.localtime(timezone.now() + timedelta(days=30)).strftime("%Y-%m-%dT%H:%M")
    assert "2 of 5 launches used" in unescape(
        text_of(manager.post(address, {"until": until, "most_launches": "5"}, follow=True))
    )
    assert guests.browser.get(guests.scene.url(guests.flow)).status_code == 200
    event = AuditEvent.objects.get(action="launch_right.change")
    assert event.detail["before"] == {"until": None, "most_launches": 2}
    assert event.detail["after"]["most_launches"] == 5
    assert f'value="{until}"' in text_of(manager.get(address))
    right.refresh_from_db()
    LaunchRight.objects.filter(pk=right.pk).update(used=4)
    assert not launch_rights.change(Actor(guests.scene.users.owner), right, until=None, most_launches=3)
    LaunchRight.objects.update(revoked_at=timezone.now())
    assert "revoked already" in text_of(manager.post(address, {"most_launches": "9"}, follow=True))


def test_a_right_of_another_workspace_cannot_be_withdrawn_from_here(guests: Guests) -> None:
    elsewhere = workspace("hr", project="Q" * 21)
    right = LaunchRight.objects.create(workspace=elsewhere, flow_id="F" * 21, user=guests.gail)
    manager = guests.scene.sign_in(guests.scene.users.owner)
    address = reverse("launch_right_revoke", args=["sales", right.pk])
    assert (manager.get(address).status_code, manager.post(address).status_code) == (404, 404)
    assert manager.post(reverse("launch_right_change", args=["sales", right.pk])).status_code == 404
    right.refresh_from_db()
    assert right.revoked_at is None


def test_the_way_from_the_list_to_giving_leads_over_the_choice_of_a_flow(guests: Guests) -> None:
    manager = guests.scene.sign_in(guests.scene.users.owner)
    assert "No launch right is in force" in text_of(manager.get("/w/sales/launch-rights/"))
    page = unescape(text_of(manager.get("/w/sales/launch-rights/give/")))
    assert "Flows that cannot be launched now are not listed" in page
    assert f'<option value="{guests.flow}">Quick</option>' in page
    # Flows that cannot be launched are left out: one that is off, one that was never published, one that starts in another way.
    workflows = guests.scene.workflows
    workflows.apply_flow_operation(guests.other, {"type": "CHANGE_STATUS", "request": {"status": "DISABLED"}})
    made = [flows.make(workflows, name, publish=name != "Draft") for name in ("Draft", "Webhook", "Scheduled")]
    for version in guests.scene.engine.state.versions.values():
        if version["flowId"] == made[2]:
            version["trigger"]["settings"]["pieceName"] = "@activepieces/piece-schedule"
    listed = re.findall(r'<option value="(\w+)">', text_of(manager.get("/w/sales/launch-rights/give/")))
    assert listed == [guests.flow, made[1]]
    answer = manager.get("/w/sales/launch-rights/give/", {"flow": guests.flow})
    assert answer["Location"] == reverse("flow_launch_rights", args=["sales", guests.flow])
    for odd in ("..", "a/b", "//evil.example"):
        assert manager.get("/w/sales/launch-rights/give/", {"flow": odd}).status_code == 200


def test_names_of_any_length_and_kind_are_shown_as_text(guests: Guests) -> None:
    guests.right(flow_name="<script>alert(1)</script>" + "x" * 10_000)
    guests.right(flow_name="")
    page = text_of(guests.scene.sign_in(guests.scene.users.owner).get("/w/sales/launch-rights/"))
    assert "<script>alert(1)" not in page
    assert len(page) < 60_000
    assert "<script>alert(1)" not in text_of(guests.browser.get("/w/sales/"))


def test_a_long_list_of_rights_takes_no_more_queries_than_a_short_one(
    guests: Guests, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    manager = guests.scene.sign_in(guests.scene.users.owner)
    for number in range(40):
        holder = person(f"holder{number}")
        guests.right(user=holder, team=None, flow_name=f"Flow {number}")
    with django_assert_max_num_queries(30):
        page = text_of(manager.get("/w/sales/launch-rights/"))
    assert page.count("They have no credential here yet") == 40


def test_ended_rights_are_listed_below_with_the_reason(guests: Guests) -> None:
    now = timezone.now()
    guests.right(until=now - timedelta(days=1))
    guests.right(most_launches=1, used=1)
    guests.right(revoked_at=now)
    states = [launch_right_messages.describe_right(right)["state"] for right in LaunchRight.objects.order_by("pk")]
    assert [str(state) for state in states] == ["Expired", "Used up", "Revoked"]
    page = text_of(guests.scene.sign_in(guests.scene.users.owner).get("/w/sales/launch-rights/"))
    assert all(word in page for word in ("Expired", "Used up", "Revoked"))


def test_the_list_of_rights_has_those_in_force_first_is_filtered_sorted_and_saved_as_a_file(guests: Guests) -> None:
    guests.right(flow_name="Alpha")
    guests.right(flow_name="Beta", revoked_at=timezone.now())
    manager = guests.scene.sign_in(guests.scene.users.owner)

    def flows(**query: str) -> list[str]:
        page = text_of(manager.get("/w/sales/launch-rights/", query))
        return sorted((name for name in ("Alpha", "Beta") if name in page), key=page.index)

    assert flows() == ["Alpha", "Beta"]
    assert flows(state="ended") == ["Beta"]
    assert flows(state="usable") == ["Alpha"]
    assert flows(sort="-flow") == ["Beta", "Alpha"]
    answer = manager.get("/w/sales/launch-rights/file/csv/", {"state": "ended"})
    lines = answer.getvalue().decode().splitlines()
    assert len(lines) == 2
    assert "Beta" in lines[1]
    assert AuditEvent.objects.filter(action="launch_rights.export").count() == 1
