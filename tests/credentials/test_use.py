"""Where a credential is used: the people whom it acts for by the one rule, and the flows launched with it."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from tests.users import Users, credential, gather, person, share, workspace
from workflows_ui.accounts.models import User
from workflows_ui.audit.models import AuditEvent
from workflows_ui.audit.services import audit_log
from workflows_ui.audit.services.audit_log import Actor
from workflows_ui.credentials.models import Credential
from workflows_ui.credentials.services import usage as credential_usage
from workflows_ui.launches.models import Launch
from workflows_ui.launches.services import launches
from workflows_ui.members.models import LaunchRight, Member, Role
from workflows_ui.members.services import access
from workflows_ui.run_index.models import RunIndex

pytestmark = [pytest.mark.both_databases, pytest.mark.django_db, pytest.mark.usefixtures("no_second_try")]


@pytest.fixture
def here() -> Users:
    return gather(workspace("sales"), "a-secret-of-the-cast")


def browser(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def team_key(here: Users, name: str, *people: User) -> Credential:
    team = Group.objects.create(name=name)
    for one in people:
        one.groups.add(team)
    row = credential(here.workspace, here.owner, f"secret-of-{name}", name=f"{name}'s key")
    share(row, team)
    return row


def launched(here: Users, row: Credential, flow: str, name: str, days: int = 0) -> None:
    now = timezone.now() - timedelta(days=days)
    launch = Launch(workspace=here.workspace, user=here.colleague, credential=row, ticket=launches.ticket())
    launch.flow_id, launch.flow_name, launch.payload_digest = flow, name, "0" * 64
    launch.asked_at = launch.not_before = launch.send_by = now
    launch.save(force_insert=True)


def test_the_one_rule_is_shown_for_everybody_with_a_role_here(here: Users) -> None:
    ben, guest, outside, off = (person(name) for name in ("ben", "guest", "outside", "off"))
    key = team_key(here, "Sales", ben, guest, outside, off, here.colleague)
    newer = team_key(here, "Support", ben)
    for one in (ben, off):
        Member.objects.create(workspace=here.workspace, user=one, role=Role.VIEWER)
    User.objects.filter(pk=off.pk).update(is_active=False)
    LaunchRight.objects.create(workspace=here.workspace, flow_id="F" * 21, user=guest)
    found = credential_usage.acts_for(here.workspace)
    assert found[key.pk] == [guest]
    assert found[newer.pk] == [ben]
    for one in (here.owner, here.colleague, ben, guest):
        acting = access.acting(one, here.workspace)
        assert acting is not None
        assert one in found[acting.credential.pk], one
    # No one is notified twice.
    assert sorted(one.username for people in found.values() for one in people) == ["ben", "colleague", "guest", "owner"]


def test_the_pages_say_where_it_is_used(here: Users) -> None:
    ben = person("ben")
    Member.objects.create(workspace=here.workspace, user=ben, role=Role.LAUNCHER)
    key = team_key(here, "Sales", ben)
    launched(here, key, "F" * 21, "Order <b>intake")
    launched(here, key, "F" * 21, "Order <b>intake")
    launched(here, key, "G" * 21, "Long ago", days=40)
    manager = browser(here.owner)
    page = manager.get(f"/w/sales/credentials/{key.pk}/").content.decode()
    for words in ("Where it is used", "ben", "Order &lt;b&gt;intake", "2 times", f"?flow={'F' * 21}"):
        assert words in page
    assert "Long ago" not in page
    listed = manager.get("/w/sales/credentials/").content.decode()
    assert 'data-label="People">1<' in listed
    assert 'data-label="Launches in 30 days">2<' in listed
    page = manager.get(f"/w/sales/credentials/{key.pk}/delete/").content.decode()
    assert "It is currently used for:" in page
    assert re.search(r"</p>\s*<p>They then use another credential", page)
    # People who only use it do not see who else does.
    assert "Order" not in browser(ben).get(f"/w/sales/credentials/{key.pk}/").content.decode()


def test_a_credentials_page_says_who_used_it_for_what_and_lists_are_filtered_by_it(here: Users) -> None:
    ben = person("ben")
    key = team_key(here, "Sales", ben)
    launched(here, key, "F" * 21, "Order intake")
    Launch.objects.update(sending_at=timezone.now())
    launched(here, here.credential, "G" * 21, "With another one")
    about: Any = {"workspace": here.workspace, "object_type": "flows", "object_id": "H" * 21}
    for used, name in ((key, "Moved flow"), (here.credential, "Other flow")):
        audit_log.record(Actor(ben), "flows.move", object_name=name, credential=str(used.pk), **about)
    RunIndex.objects.create(workspace=here.workspace, credential=key, started_at=timezone.now(), due_at=timezone.now())
    manager = browser(here.owner)
    page = manager.get(f"/w/sales/credentials/{key.pk}/").content.decode()
    for words in ("Order intake", "Moved flow", "ben", "Runs of the run index", "Test every night"):
        assert words in page
    assert "Other flow" not in page
    launches = manager.get(f"/w/sales/launches/?credential={key.pk}").content.decode()
    assert "Order intake" in launches
    assert "With another one" not in launches.partition("<tbody")[2]
    log = manager.get(f"/w/sales/audit/?credential={key.pk}").content.decode()
    assert "Moved flow" in log
    assert "Other flow" not in log
    row = AuditEvent.objects.get(object_name="Moved flow")
    assert f" key · {key.owner.label}" in manager.get(f"/w/sales/audit/{row.pk}/").content.decode()
    # A credential that the person may not see is no filter.
    assert manager.get(f"/w/sales/launches/?credential={here.workspace.pk}").status_code == 200


def test_it_takes_as_many_queries_for_many_people_as_for_few(
    here: Users, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    people = [person(f"p{number}") for number in range(5)]
    team_key(here, "Sales", *people)
    for one in people:
        Member.objects.create(workspace=here.workspace, user=one, role=Role.VIEWER)
    with django_assert_max_num_queries(4):
        credential_usage.acts_for(here.workspace)
