"""The pages of the audit log: whose rows they show, filters, one row with its differences, files, and the history on an object's page."""

import csv
import io
import json
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.utils import timezone
from django.utils.html import strip_tags

from tests import audit_guard
from tests.stub_engine import text
from tests.users import Users, gather, workspace
from workflows_ui.accounts.models import User
from workflows_ui.audit import messages as audit_messages
from workflows_ui.audit.models import AuditEvent
from workflows_ui.audit.services import audit_log, hash_chain
from workflows_ui.audit.services.audit_log import CONSOLE, Actor
from workflows_ui.members.models import Member, Role, Workspace
from workflows_ui.members.services import members

pytestmark = pytest.mark.both_databases

LIST = "/w/sales/audit/"


@pytest.fixture
def users(db: None) -> Users:
    return gather(workspace("sales"), "a-token-nobody-sees")


@pytest.fixture
def manager(users: Users, client: Client) -> Client:
    client.force_login(users.owner)
    return client


def superuser(users: Users) -> Client:
    users.stranger.is_superuser = True
    users.stranger.save()
    browser = Client()
    browser.force_login(users.stranger)
    return browser


def note(
    users: Users, action: str, *, user: User | None = None, space: Workspace | None = None, **columns: Any
) -> AuditEvent:
    actor = Actor(user or users.owner, "203.0.113.7", "request-0001", "0123456789abcdef")
    return audit_log.record(actor, action, workspace=space or users.workspace, **columns)


def page(browser: Client, address: str, status: int = 200) -> str:
    answer = browser.get(address)
    assert answer.status_code == status
    return text(answer.content)


def page_text(browser: Client, address: str) -> str:
    """A page's text without its tags."""
    return " ".join(strip_tags(page(browser, address)).split())


def test_an_empty_log_says_what_will_be_here(manager: Client) -> None:
    assert "Nothing has been done here yet" in page(manager, LIST)
    assert "No results for these filters" in page(manager, f"{LIST}?kind=flows")


def test_a_detail_has_labels_instead_of_codes(users: Users, manager: Client) -> None:
    changed = note(
        users,
        "workspace.change",
        object_type="workspace",
        before={"colour": "", "paused": False},
        after={"colour": "secondary", "paused": True},
    )
    assert "Colour bar None (live) Grey (practice)" in page_text(manager, f"{LIST}{changed.pk}/")
    moved = note(
        users, "flows.move", object_type="flows", values={"folder": "Sales · F1"}, credential=str(users.credential.pk)
    )
    found = page_text(manager, f"{LIST}{moved.pk}/")
    assert "Entered FolderSales · F1" in found
    assert f"Credential{users.credential.name} · {users.owner.label}" in found
    # The start of a run index names its credential.
    started = note(users, "run_index.start", object_type="run_index", credential="Key of sales", values_kb=64)
    found = page_text(manager, f"{LIST}{started.pk}/")
    assert "CredentialKey of sales" in found
    assert "Most kB of a run64" in found
    role = note(users, "member.change_role", object_type="member", before="launcher", after="manager")
    assert "Launcher Manager" in page_text(manager, f"{LIST}{role.pk}/")


def test_jobs_are_named_by_their_action_and_added_teams_by_their_name(users: Users, manager: Client) -> None:
    note(users, "job.ask", object_type="job", object_id="J" * 21, object_name="runs.retry")
    note(users, "job.end", object_type="job", object_id="K" * 21, object_name="runs.")
    members.add(Actor(users.owner), users.workspace, Group.objects.create(name="Night shift"), Role.LAUNCHER)
    found = page_text(manager, LIST).partition("Who Outcome When")[2]
    assert "runs.retry" not in found
    assert "Run: Retry from failed step" in found
    assert "Run: Exported" in found
    assert "Night shift" in found


def test_rows_are_explained(users: Users, manager: Client) -> None:
    note(users, "member.add", object_type="member", object_id="7", object_name="<b>Lan</b>", reason="she is new")
    note(users, "flows.rename", object_type="flows", object_id="F" * 21, object_name="Mail", user=users.colleague)
    audit_log.record(CONSOLE, "launch.end", workspace=users.workspace, object_type="launch", object_id="L" * 21)
    note(users, "never.heard", outcome="odd")
    found = page(manager, LIST)
    for words in (
        "Added a member",
        "Flow: Rename",
        "A launch ended",
        "The console",
        "never.heard",
        "she is new",
    ):
        assert words in found
    assert "&lt;b&gt;Lan&lt;/b&gt;" in found
    assert "<b>Lan" not in found


def test_who_tries_to_sign_in_is_not_taken_for_the_console(users: Users, client: Client) -> None:
    client.post("/accounts/login/", {"login": "colleague", "password": "wrong wrong wrong"})
    event = AuditEvent.objects.get(action="person.sign_in")
    assert str(audit_messages.actor_label(event)) == "Someone not signed in"
    assert "Someone not signed in" in page(superuser(users), f"/audit/{event.pk}/")


def test_rows_of_another_workspace_are_on_no_page_and_in_no_file(users: Users, manager: Client) -> None:
    other = workspace("other", project="Q" * 21)
    foreign = note(users, "member.add", space=other, object_name="Foreign")
    assert "Foreign" not in page(manager, LIST)
    assert manager.get(f"{LIST}{foreign.pk}/").status_code == 404
    for kind in ("csv", "json"):
        assert b"Foreign" not in b"".join(manager.get(f"{LIST}file/{kind}/"))


def test_only_managers_read_the_log_of_their_workspace(users: Users, client: Client) -> None:
    event = note(users, "member.add")
    client.force_login(users.colleague)
    for role in (Role.VIEWER, Role.LAUNCHER, Role.BUILDER):
        Member.objects.filter(user=users.colleague).update(role=role)
        for address in (LIST, f"{LIST}{event.pk}/", f"{LIST}file/csv/"):
            assert client.get(address).status_code == 403
    client.force_login(users.stranger)
    assert client.get(LIST).status_code == 404


def test_superusers_read_everything_and_rows_of_no_workspace(users: Users) -> None:
    other = workspace("other", project="Q" * 21)
    note(users, "member.add", space=other, object_name="Foreign")
    alone = audit_log.record(CONSOLE, "person.create", object_type="person", object_name="Somebody")
    browser = superuser(users)
    found = page(browser, "/audit/")
    assert "Foreign" in found
    assert "Other" in found
    assert "Created an account" in page(browser, f"/audit/{alone.pk}/")
    assert "Audit of the whole console" in page(browser, "/")
    assert browser.get(LIST).status_code == 404, "a workspace's own pages are for its members"


def test_a_write_is_one_line_with_its_end(users: Users, manager: Client) -> None:
    begun = audit_log.begin(
        Actor(users.owner),
        "flows.delete",
        workspace=users.workspace,
        object_type="flows",
        object_id="F",
        object_name="Mail",
        credential="",
    )
    assert "Under way" in page(manager, LIST)
    ended = audit_log.end(begun, "refused", status=409)
    found = page(manager, LIST)
    assert found.count("Flow: Delete</span></a>") == 1
    assert "Refused" in found
    assert "Under way" not in found
    for event in (begun, ended):
        row = page(manager, f"{LIST}{event.pk}/")
        assert "Recorded after the action" in row
        assert "409" in row


def test_a_write_that_was_cut_off_is_shown_as_such(users: Users, manager: Client) -> None:
    begun = audit_log.begin(
        Actor(users.owner), "flows.delete", workspace=users.workspace, object_type="flows", object_id="F", credential=""
    )
    with audit_guard.away():
        from django.db import connection

        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE workflows_ui_auditevent SET at = %s WHERE id = %s",
                [timezone.now() - timedelta(hours=1), begun.pk],
            )
    note(users, "member.add")
    assert "No end recorded" in page(manager, LIST)
    assert "No end is recorded" in page(manager, f"{LIST}{begun.pk}/")
    only = page(manager, f"{LIST}?outcome=begun")
    assert "Flow: Delete</span></a>" in only
    assert "Added a member</span></a>" not in only


def test_filters_by_person_action_kind_id_outcome_day_and_request(users: Users, manager: Client) -> None:
    note(users, "member.add", object_type="member", object_id="7", object_name="Row A")
    note(
        users,
        "flows.rename",
        object_type="flows",
        object_id="F1",
        object_name="Row B",
        user=users.colleague,
        outcome="refused",
    )
    audit_log.record(CONSOLE, "launch.end", workspace=users.workspace, object_type="launch", object_name="Row C")
    begun = audit_log.begin(
        Actor(users.owner),
        "flows.delete",
        workspace=users.workspace,
        object_type="flows",
        object_name="Row D",
        credential="",
    )
    audit_log.end(begun, "refused")
    today = timezone.localdate()

    def rows(query: str) -> set[str]:
        found = page(manager, f"{LIST}?{query}")
        return {name for name in "ABCD" if f"Row {name}" in found}

    assert rows(f"person={users.colleague.pk}") == {"B"}
    assert rows("person=0") == {"C"}
    assert rows("action=member.add") == {"A"}
    assert rows("kind=flows") == {"B", "D"}
    assert rows("kind=flows&id=F1") == {"B"}
    assert rows("outcome=refused") == {"B", "D"}
    assert rows("outcome=done") == {"A", "C"}
    assert rows(f"since={today}&until={today}") == {"A", "B", "C", "D"}
    assert rows(f"since={today + timedelta(days=2)}") == set()
    assert rows("request=request-0001") == {"A", "B"}


@pytest.mark.parametrize(
    "query",
    ["person=x", "person=99999999999", "since=2026-13-01", "until=0001-01-01", f"id={'x' * 121}", f"action={'x' * 61}"],
)
def test_filters_that_make_no_sense_are_shown(manager: Client, query: str) -> None:
    assert "These filters cannot be used" in page(manager, f"{LIST}?{query}")
    assert manager.get(f"{LIST}file/csv/?{query}").status_code == 303


@pytest.mark.parametrize("query", ["at=x", "at=50@2026-01-01~x", "at=0@~", "at=50@2026-01-01T00:00:00~5"])
def test_a_place_that_does_not_exist_is_the_first_page(users: Users, manager: Client, query: str) -> None:
    note(users, "member.add")
    assert "Added a member</span></a>" in page(manager, f"{LIST}?{query}")


def test_older_and_newer_pages_hold_every_row_once(users: Users, manager: Client) -> None:
    for number in range(120):
        note(users, "member.add", object_name=f"row-{number:03}.")
    address, seen = LIST, []
    for _page in range(3):
        answer = manager.get(address)
        found = text(answer.content)
        seen += [number for number in range(119, -1, -1) if f"row-{number:03}." in found]
        address = answer.context["pages"].older_url
    assert seen == list(range(119, -1, -1))
    assert address == ""
    back = manager.get(manager.get(answer.context["pages"].newer_url).context["pages"].newer_url)
    assert "row-119." in text(back.content)
    assert back.context["pages"].newer_url == ""


def test_a_row_shows_before_and_after(users: Users, manager: Client) -> None:
    event = note(
        users,
        "workspace.change",
        object_type="workspace",
        object_id="sales",
        before={"name": "Sales", "colour": "", "same": 1},
        after={"name": "<i>Sales 2</i>", "colour": "azure", "same": 1},
    )
    hash_chain.seal()
    found = page(manager, f"{LIST}{event.pk}/")
    for words in (
        "Before and after",
        "&lt;i&gt;Sales 2&lt;/i&gt;",
        "Blue (sandbox)",
        "203.0.113.7",
        "0123456789abcdef",
        "request-0001",
    ):
        assert words in found
    assert ">same<" not in found


@pytest.mark.parametrize(
    "detail",
    [
        {"before": "a", "after": "b"},
        {"before": None, "after": {"a": 1}},
        {"after": ["x"] * 500},
        {"values": {"deep": [[[[[[["x"]]]]]]], "": None}},
        {"long": "x" * 50_000, "<script>alert(1)</script>": 1},
    ],
    ids=str.__class__,
)
def test_a_row_shows_whatever_was_written_down(users: Users, manager: Client, detail: dict[str, Any]) -> None:
    event = note(users, "odd.row", object_name="x" * 10_000, **detail)
    found = page(manager, f"{LIST}{event.pk}/")
    assert "<script>alert" not in found
    page(manager, LIST)


def test_the_file_has_every_row_and_no_formulas(users: Users, manager: Client) -> None:
    note(users, "member.add", object_name='=HYPERLINK("http://x")', reason="+1", a="x")
    begun = audit_log.begin(
        Actor(users.owner),
        "flows.delete",
        workspace=users.workspace,
        object_type="flows",
        object_id="-F",
        credential="",
    )
    ended = audit_log.end(begun)
    answer = manager.get(f"{LIST}file/csv/")
    assert "attachment" in answer["Content-Disposition"]
    rows = list(csv.DictReader(io.StringIO(b"".join(answer).decode("utf-8-sig"))))
    assert [row["action"] for row in rows] == ["audit.export", "flows.delete", "flows.delete", "member.add"]
    assert rows[3]["object_name"] == '\'=HYPERLINK("http://x")'
    assert rows[3]["reason"] == '="+1"'
    assert rows[2]["object_id"] == "'-F"
    assert rows[1]["ends_row"] == str(begun.pk)
    exported = json.loads(b"".join(manager.get(f"{LIST}file/json/?kind=flows")))
    assert [row["id"] for row in exported] == [ended.pk, begun.pk]
    assert AuditEvent.objects.filter(action="audit.export", detail__filters={"kind": "flows"}).count() == 1
    assert manager.get(f"{LIST}file/xml/").status_code == 404


def test_an_export_is_shown_with_the_name_of_its_format(manager: Client) -> None:
    b"".join(manager.get(f"{LIST}file/semicolon/"))
    event = AuditEvent.objects.get(action="audit.export")
    assert "CSV with semicolons" in page_text(manager, f"{LIST}{event.pk}/")


def test_an_empty_file_is_a_whole_file(manager: Client) -> None:
    assert json.loads(b"".join(manager.get(f"{LIST}file/json/?kind=flows"))) == []


def test_a_part_of_the_page_comes_alone(users: Users, manager: Client) -> None:
    note(users, "member.add")
    found = text(manager.get(LIST, headers={"HX-Request": "true", "HX-Target": "results"}).content)
    assert found.lstrip().startswith('<section id="results"')


def test_the_history_stands_on_pages_of_members_workspace_and_credential(users: Users, manager: Client) -> None:
    note(users, "member.add", object_type="member", object_id="7", object_name="Lan")
    note(users, "workspace.change", object_type="workspace", object_id="sales")
    note(users, "credential.rename", object_type="credential", object_id=str(users.credential.pk))
    for address, words in (
        ("/w/sales/members/", "Added a member"),
        ("/w/sales/settings/", "Changed the settings of the workspace"),
        (f"/w/sales/credentials/{users.credential.pk}/", "Renamed a credential"),
    ):
        found = page(manager, address)
        assert 'id="history"' in found
        assert words in found
        assert "Show all in the audit log" in found
