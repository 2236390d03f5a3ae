"""What needs a person is one list on home, the worst first, with the next step; no number contradicts it."""

import re
from datetime import datetime, timedelta

import pytest
from django.contrib.auth.models import Group
from django.utils import timezone

from tests.launches.launch_scene import Scene, text_of
from tests.users import share_with_nobody
from workflows_ui.accounts.models import User
from workflows_ui.alarms import services as alarms
from workflows_ui.alarms.models import AlarmKind
from workflows_ui.audit.services.audit_log import CONSOLE
from workflows_ui.credentials.models import Credential, Health
from workflows_ui.credentials.services import sharing
from workflows_ui.failures import services as failures
from workflows_ui.failures.models import PatternState
from workflows_ui.launches.models import State
from workflows_ui.members.models import AccessRequest, ColleagueInvitation, InvitationRequest, Member, Role
from workflows_ui.run_index.models import RunIndex
from workflows_ui.run_index.services import indexes, reading
from workflows_ui.unclear_writes.models import UnclearWrite, WriteState

pytestmark = pytest.mark.both_databases

HOME = "/w/sales/"


def _tasks(page: str) -> list[str]:
    """The titles of the tasks, in their order."""
    listed = page.partition('id="home-attention"')[2].partition("</section>")[0]
    found = re.findall(r'<div class="fw-medium long">(?:<a href="[^"]+">)?([^<]+)<', listed)
    number = re.search(r'id="attention-title">[^<]*<span class="badge bg-secondary-lt">(\d+)<', listed)
    assert bool(found) == bool(number)
    return found


def _number(page: str) -> int:
    found = re.search(r'id="attention-title">[^<]*<span class="badge bg-secondary-lt">(\d+)<', page)
    return int(found[1]) if found else 0


def test_flows_whose_launches_failed_are_tasks_until_one_succeeds(scene: Scene) -> None:
    owner, now = scene.sign_in(scene.users.owner), timezone.now()
    assert "Nothing needs you at the moment." in text_of(owner.get(HOME))
    for minutes in (3, 2):
        scene.row(
            flow_id="broken", flow_name="<b>Broken", state=State.FAILED, asked_at=now - timedelta(minutes=minutes)
        )
    scene.row(flow_id="broken", flow_name="<b>Broken", state=State.SUCCEEDED, asked_at=now - timedelta(days=1))
    scene.row(flow_id="long ago", state=State.FAILED, asked_at=now - timedelta(days=9))
    page = text_of(owner.get(HOME))
    assert _tasks(page) == ["&lt;b&gt;Broken"]
    assert _number(page) == 1
    assert "2 of 3 launches failed in the last 7 days" in page
    assert re.search(
        r'href="/w/sales/launches/\?state=problem&amp;since=[\d-]+&amp;flow=broken"[^>]*>View the launches', page
    )
    assert "Broken" not in text_of(scene.browser.get(HOME)).partition("Needs attention")[2].partition("</section>")[0]
    scene.row(flow_id="broken", flow_name="<b>Broken", state=State.SUCCEEDED, asked_at=now)
    assert _tasks(text_of(owner.get(HOME))) == []


def test_no_number_is_zero_while_something_is_open(scene: Scene) -> None:
    for number in range(14):
        scene.row(flow_id=f"flow {number}", flow_name=f"Flow {number}", state=State.FAILED)
    page = text_of(scene.sign_in(scene.users.owner).get(HOME))
    assert re.search(
        r'number-value text-danger-strong">14</span> <span class="number-label">Launches failed today', page
    )
    assert _number(page) == 14
    assert _tasks(page)[-1] == "9 more flows whose launches fail"


def test_tasks_are_listed_worst_first_with_the_next_step(scene: Scene) -> None:
    now = timezone.now()
    Credential.objects.filter(owner=scene.users.owner).update(health=Health.REFUSED, name="The <key>")
    Credential.objects.filter(owner=scene.users.colleague).update(
        name="Short-lived", ends_at=now + timedelta(days=3), renew_at=None
    )
    scene.row(flow_id="broken", flow_name="Broken", state=State.FAILED)
    scene.row(flow_id="broken", flow_name="Broken", state=State.UNKNOWN)
    AccessRequest.objects.create(workspace=scene.users.workspace, user=scene.users.stranger)
    _invitation(scene, "soon@example.com", now + timedelta(hours=20))
    _invitation(scene, "later@example.com", now + timedelta(days=6))
    used = _invitation(scene, "other@example.com", now + timedelta(days=6))
    InvitationRequest.objects.create(invitation=used, user=scene.users.stranger)
    _write(scene, "Bảng giá")
    page = text_of(scene.sign_in(scene.users.owner).get(HOME))
    titles = _tasks(page)
    assert [title[:32] for title in titles] == [
        "The engine refuses “The &lt;key&",
        "Broken",
        "1 launch is unclear",
        "Unclear whether it was done: Flo",
        "“Short-lived” ends in 3 days",
        "1 person requests access",
        "The invitation of other@example.",
        "The invitation of soon@example.c",
    ]
    assert _number(page) == len(titles)
    for step in (
        "Test it again, or replace it",
        "View the launches",
        "Check whether it ran, then resolve it",
        "Renew it",
    ):
        assert f">{step}</a>" in page
    theirs = text_of(scene.browser.get(HOME))
    assert _tasks(theirs) == ["“Short-lived” ends in 3 days", "1 launch is unclear"][::-1]
    assert "The &lt;key&gt;" not in theirs


def test_an_unclear_write_is_a_task_of_the_person_who_sent_it_and_of_managers(scene: Scene) -> None:
    Member.objects.filter(user=scene.users.colleague).update(role=Role.BUILDER)
    _write(scene, "Of the owner", user=scene.users.owner)
    assert "Of the owner" not in text_of(scene.browser.get(HOME))
    row = _write(scene, "<i>Mine", user=scene.users.colleague)
    page = text_of(scene.browser.get(HOME))
    assert "&lt;i&gt;Mine" in page
    assert f'href="/w/sales/checks/{row.pk}/"' in page
    assert len(_tasks(text_of(scene.sign_in(scene.users.owner).get(HOME)))) == 2
    UnclearWrite.objects.update(state=WriteState.DONE)
    assert _tasks(text_of(scene.browser.get(HOME))) == []


def test_a_credential_that_somebody_shares_is_replaced_by_its_owner(scene: Scene) -> None:
    users = scene.users
    Credential.objects.filter(owner=users.colleague).delete()
    team = Group.objects.create(name="Desk")
    users.colleague.groups.add(team)
    sharing.write(users.credential, team, users.owner)
    Credential.objects.update(ends_at=timezone.now() + timedelta(days=3), renew_at=None)
    assert _tasks(text_of(scene.browser.get(HOME))) == []
    Credential.objects.update(health=Health.REFUSED)
    page = text_of(scene.browser.get(HOME))
    assert len(_tasks(page)) == 1
    assert f"{users.owner.label} can replace it." in page


@pytest.mark.slow
def test_open_failures_and_alarms_of_the_run_index_are_tasks(db: None) -> None:
    company = Scene(samples=True)
    try:
        share_with_nobody(company.users.credential)
        index = read_index(company)
        owner = company.sign_in(company.users.owner)
        calls = company.engine.journal.count()
        page = text_of(owner.get(HOME))
        open_ones = [row for row in failures.patterns(index)[0] if row.state == PatternState.OPEN]
        assert open_ones
        assert _number(page) == len(open_ones)
        assert "thiếu cột sku" in page, "the reason is in plain sight"
        alarms.begin(index, (AlarmKind.FAILING, "f" * 21), "Stock <b>", {"failed": 4, "number": 5, "usual": 10})
        page = text_of(owner.get(HOME))
        assert _tasks(page)[0] == "Stock &lt;b&gt;"
        assert "4 of the last 5 runs failed; usually 10% do." in page
        assert re.search(r"<section[^>]*today-title.*?Runs today", page, re.DOTALL)
        failures.mark_handled(CONSOLE, index, open_ones[0])
        assert _number(text_of(owner.get(HOME))) == len(open_ones)
        assert company.engine.journal.count() == calls
        company.server.stop()
        assert _number(text_of(owner.get(HOME))) == len(open_ones)
        assert "The engine does not answer" in text_of(
            owner.get(HOME, headers={"HX-Request": "true", "HX-Target": "home-attention"})
        )
    finally:
        company.close()


def read_index(scene: Scene) -> RunIndex:
    """The run index of the scene's workspace, which has read everything."""
    index = indexes.start(CONSOLE, scene.users.workspace, scene.users.credential, 90)
    while index.read_at is None or index.spans:
        reading.read(index.pk)
        RunIndex.objects.update(due_at=timezone.now())
        index.refresh_from_db()
    return index


def _write(scene: Scene, name: str, user: User | None = None) -> UnclearWrite:
    return UnclearWrite.objects.create(
        workspace=scene.users.workspace,
        user=user or scene.users.owner,
        resource="flows",
        action="rename",
        object_id="flow",
        name=name,
        path="/w/sales/flows/flow/rename/",
        values_digest="",
        state=WriteState.UNCLEAR,
        asked_at=timezone.now(),
    )


def _invitation(scene: Scene, email: str, expires_at: datetime) -> ColleagueInvitation:
    return ColleagueInvitation.objects.create(
        workspace=scene.users.workspace,
        email=email,
        role=Role.VIEWER,
        link_digest=f"link {email}",
        mail_digest=f"mail {email}",
        invited_by=scene.users.owner,
        expires_at=expires_at,
    )
