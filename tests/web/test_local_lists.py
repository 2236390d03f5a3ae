"""Lists of the console's own rows: members, people, credentials, deleted objects and notifications are sorted, counted and exported."""

import csv
import io
import json
import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.utils import timezone

from tests.stub_engine import SECRET
from tests.users import Users, browser, gather, workspace
from workflows_ui.accounts.models import User
from workflows_ui.audit.models import AuditEvent
from workflows_ui.deleted_objects.models import CopyState, DeletedObject
from workflows_ui.members.models import Member, Role
from workflows_ui.notifications.models import NoticeKind
from workflows_ui.notifications.services import notify

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


@pytest.fixture
def users() -> Users:
    return gather(workspace("sales"), SECRET)


@pytest.fixture
def manager(users: Users) -> Client:
    return browser(users.owner)


def names(client: Client, url: str) -> list[str]:
    """The texts of the first cells' links."""
    rows = client.get(url).content.decode().split("<tbody ")[1].split("</tbody>")[0].split("<tr>")[1:]
    links = (re.search(r"<a [^>]*>(.*?)</a>", row) for row in rows)
    return [re.sub("<[^>]*>", "", link[1]) for link in links if link]


def table(client: Client, url: str) -> list[list[str]]:
    answer: Any = client.get(url)
    assert answer.status_code == 200
    return list(csv.reader(io.StringIO(b"".join(answer).decode("utf-8-sig"))))


def test_members_are_sorted_by_name_and_by_role_and_exported_in_that_order(users: Users, manager: Client) -> None:
    url = "/w/sales/members/"
    for name, role in (("Đạt", Role.VIEWER), ("An", Role.BUILDER), ("Zoé", Role.LAUNCHER)):
        person = User.objects.create(username=f"u{name}", first_name=name)
        Member.objects.create(workspace=users.workspace, user=person, role=role)
    Member.objects.create(workspace=users.workspace, team=Group.objects.create(name="Field"), role=Role.VIEWER)
    shown = manager.get(url).content.decode()
    assert "1–6 of 6" in shown
    assert shown.index("owner</a>") < shown.index("An</a>") < shown.index("Zoé</a>")
    assert [name for name in names(manager, f"{url}?sort=name") if name in ("An", "Đạt", "Zoé")] == ["An", "Đạt", "Zoé"]
    file = table(manager, f"{url}file/csv/?sort=-role")
    assert [row[1] for row in file[1:3]] == ["Manager", "Builder"]
    assert json.loads(b"".join(manager.get(f"{url}file/json/?sort=name")))[0]["name"] == "An"
    assert AuditEvent.objects.filter(action="members.export").count() == 2


def test_credentials_are_sorted_and_exported_without_secrets(users: Users, manager: Client) -> None:
    url = "/w/sales/credentials/"
    assert "1–2 of 2" in manager.get(url).content.decode()
    assert names(manager, f"{url}?sort=-name") == ["My key", "Colleague&#x27;s key"]
    [head, _row, row] = table(manager, f"{url}file/csv/?sort=name")
    assert (head[0], row[0]) == ("Name", "My key")
    assert len(head) == len(row)
    assert SECRET not in manager.get(f"{url}file/csv/").getvalue().decode()
    record = json.loads(b"".join(manager.get(f"{url}file/json/?sort=-name")))[0]
    assert (record["name"], record["owner"], record["id"]) == ("My key", "You", str(users.credential.pk))
    assert AuditEvent.objects.filter(action="credentials.export", workspace=users.workspace).count() == 3


def test_deleted_objects_are_sorted_counted_and_exported(users: Users, manager: Client) -> None:
    url, now = "/w/sales/recently-deleted/", timezone.now()
    for number in range(25):
        DeletedObject.objects.create(
            workspace=users.workspace,
            kind="flows",
            object_id=f"{number:021}",
            name=f"Flow {number:02}",
            state=CopyState.DELETED,
            deleted_by=users.owner,
            deleted_at=now - timedelta(minutes=number),
            expires_at=now + timedelta(days=1),
        )
    assert "1–20 of 25" in manager.get(url).content.decode()
    assert names(manager, f"{url}?sort=-name")[0] == "Flow 24"
    assert [row[0] for row in table(manager, f"{url}file/csv/?sort=-name")[1:3]] == ["Flow 24", "Flow 23"]
    assert len(table(manager, f"{url}file/csv/")) == 26


def test_people_are_listed_by_name_sorted_and_exported_for_administrators_only(users: Users, manager: Client) -> None:
    assert manager.get("/people/file/csv/").status_code == 404
    User.objects.filter(pk=users.owner.pk).update(is_superuser=True)
    User.objects.filter(pk=users.colleague.pk).update(last_login=timezone.now() + timedelta(days=1))
    admin = browser(users.owner)
    assert names(admin, "/people/?sort=-signed_in")[0] == "colleague"
    assert names(admin, "/people/?sort=signed_in")[-1] == "colleague"
    assert names(admin, "/people/") == sorted(names(admin, "/people/"))
    for name in ("Zeta", "Đội A", "anh"):
        Group.objects.create(name=name)
    assert names(admin, "/teams/") == ["anh", "Đội A", "Zeta"]
    rows = table(admin, "/people/file/csv/?account=administrator")
    assert [row[0] for row in rows[1:]] == ["owner"]


def test_notifications_are_sorted_counted_and_exported_for_their_person_only(users: Users, manager: Client) -> None:
    for user in (users.owner, users.colleague):
        notify(user, NoticeKind.JOB_ENDED, f"job:{user.pk}", url="/", job="bulk", ended=True, failed=10 + user.pk)
    page = manager.get("/notices/?sort=when").content.decode()
    assert "1–1 of 1" in page
    [head, row] = table(manager, "/notices/file/csv/")
    assert (head[0], row[0], row[1]) == (
        "Notification",
        "Your bulk action is finished",
        f"{10 + users.owner.pk} items failed.",
    )
    assert AuditEvent.objects.get(action="notices.export").user == users.owner


@pytest.mark.parametrize("path", ["w/sales/members/", "w/sales/credentials/", "w/sales/recently-deleted/", "notices/"])
def test_a_file_of_an_unknown_type_does_not_exist(manager: Client, path: str) -> None:
    assert manager.get(f"/{path}file/xls/").status_code == 404
