"""Scheduled work on credentials: a test each night, at a moment of its own, and reminders of the end, each once."""

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import Group
from django.utils import timezone

from tests.practice_engine.fixtures import Practice
from tests.users import Users, share
from workflows_ui import tasks
from workflows_ui.accounts.models import User
from workflows_ui.audit.models import AuditEvent
from workflows_ui.credentials.models import Credential, CredentialKind, CredentialReminder, Health
from workflows_ui.credentials.services import scheduled_checks
from workflows_ui.members.models import Member, Role
from workflows_ui.notifications import messages as notification_messages
from workflows_ui.notifications.models import Notice

pytestmark = [pytest.mark.both_databases, pytest.mark.django_db, pytest.mark.usefixtures("no_second_try")]


def fresh(row: Credential) -> Credential:
    return Credential.objects.select_related("workspace").get(pk=row.pk)


# --- Nights


def test_every_credential_gets_its_moment_of_the_coming_night(users: Users) -> None:
    assert scheduled_checks.schedule() == 2
    assert scheduled_checks.schedule() == 0
    for row in Credential.objects.all():
        assert row.test_at is not None
        assert row.test_at > timezone.now()
        assert 1 <= timezone.localtime(row.test_at).hour < 5
        assert scheduled_checks.tonight(row.pk, row.test_at) == row.test_at + timedelta(days=1)


def test_the_moments_are_spread_over_the_night() -> None:
    import uuid

    noon = datetime(2026, 5, 5, 12, tzinfo=UTC)
    hours = {timezone.localtime(scheduled_checks.tonight(uuid.uuid4(), noon)).hour for _one in range(200)}
    assert hours == {1, 2, 3, 4}


def test_a_test_at_night_keeps_what_it_finds_and_plans_the_next(users: Users, practice: Practice) -> None:
    Credential.objects.exclude(pk=users.credential.pk).delete()
    Credential.objects.update(test_at=timezone.now() - timedelta(seconds=1))
    assert scheduled_checks.due() == [users.credential.pk]
    scheduled_checks.test(users.credential.pk)
    scheduled_checks.test(users.credential.pk)
    row = fresh(users.credential)
    assert row.health == Health.WORKS
    assert row.findings["may"] == ["flows", "runs", "folders", "connections", "tables", "mcp-servers"]
    assert row.test_at is not None
    assert row.test_at > timezone.now()
    assert row.test_until is None
    assert AuditEvent.objects.filter(action="credential.test", user=None).count() == 1


def test_a_credential_that_went_bad_is_found_ill(users: Users, practice: Practice) -> None:
    practice.engine.state.credentials[practice.credentials.api_key]["expired"] = True
    Credential.objects.update(test_at=timezone.now())
    scheduled_checks.test(users.credential.pk)
    assert fresh(users.credential).health == Health.REFUSED


def test_a_test_in_another_worker_s_hands_is_left_to_it(users: Users) -> None:
    Credential.objects.update(test_at=timezone.now(), test_until=timezone.now() + timedelta(minutes=1))
    assert scheduled_checks.due() == []
    scheduled_checks.test(users.credential.pk)
    assert fresh(users.credential).health == ""


# --- Reminders


def ends(row: Credential, **ahead: float) -> None:
    Credential.objects.filter(pk=row.pk).update(ends_at=timezone.now() + timedelta(**ahead))


def remind() -> list[str]:
    Notice.objects.all().delete()
    scheduled_checks.remind()
    rows = Notice.objects.order_by("pk").select_related("user")
    return [f"{row.user.email}: {notification_messages.notification_message(row).title}" for row in rows]


def test_an_end_is_shown_at_30_days_7_days_and_1_day_each_once(users: Users) -> None:
    ends(users.credential, days=31)
    assert remind() == []
    reminded = []
    for days in (29.5, 20, 6.5, 3, 0.5):
        # The same end, seen later.
        end = timezone.now() + timedelta(days=days)
        Credential.objects.filter(pk=users.credential.pk).update(ends_at=end)
        CredentialReminder.objects.update(ends_at=end)
        reminded += remind() + remind()
    assert [line.split(": ")[1] for line in reminded] == [
        "Credential “My key” expires in 30 days",
        "Credential “My key” expires in 7 days",
        "Credential “My key” expires in 1 day",
    ]


def test_one_that_is_added_shortly_before_its_end_is_reported_once(users: Users) -> None:
    ends(users.credential, hours=5)
    assert len(remind()) == 1
    assert remind() == []
    assert CredentialReminder.objects.count() == 3


def test_another_end_is_another_reminder(users: Users) -> None:
    ends(users.credential, days=3)
    assert len(remind()) == 1
    ends(users.credential, days=5)
    assert len(remind()) == 1


def test_what_renews_itself_is_not_reported_until_that_fails(users: Users) -> None:
    ends(users.credential, days=3)
    Credential.objects.update(kind=CredentialKind.SIGN_IN, renew_at=timezone.now())
    assert remind() == []
    Credential.objects.update(renew_at=None, renew_problem="no_password")
    assert len(remind()) == 1


def test_of_a_shared_credential_its_owner_is_notified_else_the_managers(users: Users) -> None:
    team = Group.objects.create(name="Sales")
    Member.objects.create(workspace=users.workspace, team=team, role=Role.LAUNCHER)
    share(users.credential, team, users.stranger)
    ends(users.credential, days=3)
    assert [line.split(":")[0] for line in remind()] == ["stranger@example.com"]
    User.objects.filter(pk=users.stranger.pk).update(is_active=False)
    ends(users.credential, days=4)
    assert [line.split(":")[0] for line in remind()] == ["owner@example.com"]


def test_the_news_lead_to_the_credential_and_name_no_secret(users: Users, practice: Practice) -> None:
    Credential.objects.filter(pk=users.credential.pk).update(name="My\nkey <b>")
    ends(users.credential, days=3)
    assert len(remind()) == 1
    row = Notice.objects.get()
    assert row.url == f"/w/sales/credentials/{users.credential.pk}/"
    assert row.mail_at is not None
    assert practice.credentials.api_key not in str(row.about)


def test_the_hourly_task_does_everything(users: Users) -> None:
    ends(users.credential, days=3)
    tasks.purge()
    assert Notice.objects.count() == 1
    assert not Credential.objects.filter(test_at=None).exists()
