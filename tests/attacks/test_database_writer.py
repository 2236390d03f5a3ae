"""Somebody who can write the database: no change of a row makes the console send a secret elsewhere, or use it for another person."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.test import Client
from django.utils import timezone

from tests import users as people
from tests.engine.servers import Recorder, Reply
from tests.stub_engine import StubEngine, flow, identity, text
from tests.users import Users
from workflows_ui.audit.models import AuditEvent
from workflows_ui.audit.services import audit_log
from workflows_ui.core import clock, crypto, masking
from workflows_ui.core.crypto import CannotOpen
from workflows_ui.credentials.models import Credential, CredentialKind, CredentialSecret, CredentialShare, Inspection
from workflows_ui.credentials.services import capabilities, clients, renewal, scheduled_checks, secret_rotation, sharing
from workflows_ui.launches.models import Follow, Launch, Reason, State
from workflows_ui.launches.services import following, launches, sending, watching
from workflows_ui.launches.services.launches import LaunchRequest
from workflows_ui.members.models import Member, Role, Workspace
from workflows_ui.members.services import access
from workflows_ui.notifications.models import Notice

pytestmark = pytest.mark.both_databases

FLOW = identity(1)
SECRET, PASSWORD = "tok-of-the-owner-alone", "password-of-the-owner-alone"


@pytest.fixture
def elsewhere() -> Iterator[Recorder]:
    """The attacker's own server, which listens and says yes to everything."""
    with Recorder(Reply(200, {"id": "P" * 21, "data": [], "displayName": "Mine"})) as listening:
        yield listening


@pytest.fixture
def trap(users: Users, elsewhere: Recorder, stub_engine: StubEngine) -> Workspace:
    """A workspace of the attacker's on their own server, made as anybody may make one; and what the attacker writes about."""
    stub_engine.flows = [flow()]
    row = users.credential
    row.password, row.email, row.kind = "", "owner@example.com", CredentialKind.BEARER_SIGN_IN
    row.secret, row.password = row.seal("secret", SECRET), row.seal("password", PASSWORD)
    row.renew_at = timezone.now()
    row.save()
    Member.objects.create(
        workspace=(mine := people.workspace("trap", address=f"{elsewhere.url}/api", project="T" * 21)),
        user=users.stranger,
        role=Role.MANAGER,
    )
    people.credential(mine, users.stranger, "the-strangers-own")
    stub_engine.seen.clear()
    return mine


def sql(statement: str, *values: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


def key(row: Any) -> Any:
    """A UUID as this database keeps it."""
    return row.pk.hex if connection.vendor == "sqlite" else row.pk


def everything(users: Users, *who: Any) -> str:
    """All that would use the credential: pages, launches, tests, renewals, looks at the engine. Gives what the pages said."""
    masking.clear()
    said = []
    rows = Credential.objects.values_list("pk", flat=True)
    for user in who:
        browser = Client()
        browser.force_login(user)
        for space in ("sales", "trap"):
            pages = ("", "flows/", "runs/", "credentials/", "settings/", f"flows/{FLOW}/", f"flows/{FLOW}/launch/")
            said += [text(browser.get(f"/w/{space}/{page}").content) for page in pages]
            for pk in rows:
                at = f"/w/{space}/credentials/{pk}/"
                said.append(text(browser.get(at).content))
                said.append(text(browser.post(f"{at}test/", follow=True).content))
                typed = {"token_kind": "bearer_token", "secret": "a-secret-typed-later", "seen": ""}
                said.append(text(browser.post(f"{at}replace/", typed).content))
    for pk in list(rows):
        Credential.objects.filter(pk=pk).update(test_at=clock.now(), renew_at=clock.now())
        scheduled_checks.test(pk)
        renewal.renew(pk)
    for space_id in Workspace.objects.values_list("pk", flat=True):
        Inspection.objects.update_or_create(workspace_id=space_id, defaults={"due_at": clock.now()})
        capabilities.inspect(space_id)
        Launch.objects.update(poll_at=clock.now())
        Follow.objects.update(not_before=None)
        following.poll(space_id)
        watching.poll_watched(space_id)
    return " ".join(said)


def _flows_page(_users: Users, user: Any) -> str:
    """What a page that uses the credential says."""
    masking.clear()
    browser = Client()
    browser.force_login(user)
    return text(browser.get("/w/sales/flows/").content)


def launched(users: Users, user: Any, space: str = "sales") -> Launch:
    """A launch that was asked for before, and is sent now."""
    order = LaunchRequest(FLOW, "Order intake", {}, wait=False, ticket=launches.ticket(), confirmed=True)
    launch = launches.create(audit_log.Actor(user), access.access_for(user, space), order).launch
    assert launch is not None
    return launch


def carried(server: Recorder) -> list[str]:
    """The secrets of the console that a server was sent."""
    sent = " ".join(f"{seen.path} {seen.query} {dict(seen.headers)} {seen.body!r}" for seen in server.seen)
    return [secret for secret in (SECRET, PASSWORD, "a-secret-typed-later") if secret in sent]


_WORKSPACE = "UPDATE workflows_ui_workspace SET {} WHERE slug = 'sales'"
_OF_PLACE = {
    "address": "address = %s",
    "flavour": "flavour = 'imbrace', address = %s",
    "project": "project_id = 'X12345678901234567890', address = %s",
}


@pytest.mark.parametrize("change", _OF_PLACE)
@pytest.mark.sampled(3)
def test_a_workspace_that_is_made_to_lead_elsewhere_gets_no_secret_there(
    users: Users, trap: Workspace, elsewhere: Recorder, stub_engine: StubEngine, change: str
) -> None:
    waiting = launched(users, users.owner)
    sql(_WORKSPACE.format(_OF_PLACE[change]), f"{elsewhere.url}/other")
    sending.send(waiting.pk)
    said = everything(users, users.owner, users.colleague)
    assert carried(elsewhere) == []
    assert [seen for seen in stub_engine.seen if SECRET in str(seen)] == []
    waiting.refresh_from_db()
    assert (waiting.state, waiting.reason) == (State.NOT_SENT, Reason.PLACE_CHANGED)
    assert "address was changed outside of the console. No secret is sent there." in said
    row = Credential.objects.get(pk=users.credential.pk)
    assert (row.health, row.findings["problem"]) == ("refused", "place_changed")
    assert AuditEvent.objects.filter(action="workspace.refused").count() == 1


def test_a_signature_of_another_workspace_proves_nothing(users: Users, trap: Workspace, elsewhere: Recorder) -> None:
    sql("DELETE FROM workflows_ui_credential WHERE workspace_id = %s", trap.pk)
    sql("UPDATE workflows_ui_workspace SET project_id = 'gone' WHERE id = %s", trap.pk)
    sql(_WORKSPACE.format("address = %s, project_id = %s, mark = %s"), trap.address, trap.project_id, trap.mark)
    said = everything(users, users.owner)
    assert carried(elsewhere) == []
    assert "changed outside of the console" in said


@pytest.mark.parametrize(
    "column", ["workspace", "flavour", "address", "project_id", "kind", "organization_id", "email", "owner"]
)
def test_a_secret_does_not_open_after_a_change_of_any_value_that_it_is_bound_to(
    users: Users, trap: Workspace, column: str
) -> None:
    space, row = users.workspace, Credential.objects.filter(pk=users.credential.pk)
    if column in {"flavour", "address", "project_id"}:
        # With a good mark, such as a row from before the workspace moved has it: the binding alone protects the secret.
        value = {"flavour": "imbrace", "address": trap.address, "project_id": trap.project_id}[column]
        setattr(space, column, value)
        Workspace.objects.filter(pk=space.pk).update(**{column: value}, mark=space.new_mark())
    elif column == "workspace":
        # Another one that leads to the same place, which only one at a time may.
        Workspace.objects.filter(pk=space.pk).update(project_id="gone")
        row.update(workspace=people.workspace("twin", address=space.address, project=space.project_id))
    else:
        row.update(
            **{
                column: {"kind": CredentialKind.BEARER_TOKEN, "owner": users.stranger}.get(
                    column, "somebody@evil.example"
                )
            }
        )
    assert row.get().workspace.genuine
    for sealed in ("secret", "password"):
        with pytest.raises(CannotOpen):
            row.get().open(sealed)


_CREDENTIAL = "UPDATE workflows_ui_credential SET {} WHERE id = %s"


@pytest.mark.parametrize("column", ["kind", "organization_id", "email"])
@pytest.mark.sampled(3)
def test_another_kind_organization_or_e_mail_is_not_used(
    users: Users, trap: Workspace, stub_engine: StubEngine, column: str
) -> None:
    waiting = launched(users, users.owner)
    value = "bearer_token" if column == "kind" else "somebody@evil.example"
    sql(_CREDENTIAL.format(f"{column} = %s"), value, key(users.credential))
    sending.send(waiting.pk)
    said = everything(users, users.owner)
    assert [seen for seen in stub_engine.seen if SECRET in str(dict(seen.headers)) or PASSWORD in str(seen.body)] == []
    waiting.refresh_from_db()
    assert (waiting.state, waiting.reason) == (State.NOT_SENT, Reason.CREDENTIAL_CHANGED)
    assert "This credential was changed outside of the console. Its secret is not used." in said
    row = Credential.objects.get(pk=users.credential.pk)
    assert row.renew_problem == "changed"


def test_a_credential_that_is_given_to_another_workspace_is_not_sent_to_its_engine(
    users: Users, trap: Workspace, elsewhere: Recorder
) -> None:
    sql(_CREDENTIAL.format("workspace_id = %s, owner_id = %s"), trap.pk, users.stranger.pk, key(users.credential))
    sql("DELETE FROM workflows_ui_credential WHERE workspace_id = %s AND id <> %s", trap.pk, key(users.credential))
    waiting = launched(users, users.stranger, "trap")
    sending.send(waiting.pk)
    everything(users, users.stranger)
    waiting.refresh_from_db()
    assert (waiting.state, waiting.reason) == (State.NOT_SENT, Reason.CREDENTIAL_CHANGED)
    assert set(carried(elsewhere)) <= {"a-secret-typed-later"}  # what the stranger typed for their own server


def test_a_credential_that_is_given_to_another_person_does_not_work_for_them(users: Users, trap: Workspace) -> None:
    Member.objects.create(workspace=users.workspace, user=users.stranger, role=Role.MANAGER)
    sql(_CREDENTIAL.format("owner_id = %s"), users.stranger.pk, key(users.credential))
    with pytest.raises(CannotOpen):
        clients.client_for_person(users.stranger, users.workspace)
    waiting = launched(users, users.stranger)
    sending.send(waiting.pk)
    waiting.refresh_from_db()
    assert (waiting.state, waiting.reason) == (State.NOT_SENT, Reason.CREDENTIAL_CHANGED)
    # Nor can it be put aside, to be put back as the stranger's own, or be passed on.
    stolen = Credential.objects.get(pk=users.credential.pk)
    assert secret_rotation.put_aside(audit_log.Actor(users.stranger), stolen, clock.now()).secret == ""
    assert sharing.pass_on(audit_log.CONSOLE, Credential.objects.get(pk=users.credential.pk), users.colleague) is False


def test_a_share_that_is_written_into_the_database_lets_nobody_use_the_credential(
    users: Users, trap: Workspace
) -> None:
    team, theirs, bystander = (Group.objects.create(name=name) for name in ("Sales", "Intruders", "Bystanders"))
    ben = people.person("ben")
    Member.objects.create(workspace=users.workspace, user=ben, role=Role.LAUNCHER)
    ben.groups.add(theirs)
    sharing.write(users.credential, team, users.owner)
    other = people.credential(users.workspace, users.owner, "another-secret", name="Other")
    sharing.write(other, bystander, users.owner)
    good = CredentialShare.objects.get(credential=users.credential).mark
    foreign = CredentialShare.objects.get(credential=other).mark
    for mark in ("", "mark", good, foreign, crypto.seal("mark", "workflows_ui.workspace:1:mark")):
        sql("DELETE FROM workflows_ui_credentialshare WHERE team_id = %s", theirs.pk)
        sql(
            "INSERT INTO workflows_ui_credentialshare (credential_id, team_id, shared_at, mark) VALUES (%s, %s, %s, %s)",
            key(users.credential),
            theirs.pk,
            timezone.now(),
            mark,
        )
        assert access.acting(ben, users.workspace) is None, mark
        browser = Client()
        browser.force_login(ben)
        assert "My key" not in text(browser.get("/w/sales/credentials/").content)
    # Nor by changing the team of a share that is good.
    sql("DELETE FROM workflows_ui_credentialshare WHERE team_id = %s", theirs.pk)
    sql("UPDATE workflows_ui_credentialshare SET team_id = %s WHERE team_id = %s", theirs.pk, team.pk)
    assert access.acting(ben, users.workspace) is None


def test_a_ciphertext_opens_in_no_other_row_or_column(users: Users, trap: Workspace) -> None:
    mine, theirs = users.credential, Credential.objects.get(owner=users.colleague)
    aside = secret_rotation.put_aside(audit_log.Actor(users.owner), mine, clock.now())
    sealed = {"secret": mine.secret, "password": mine.password, "old": aside.secret, "theirs": theirs.secret}
    for name, ciphertext in sealed.items():
        for column in ("secret", "password"):
            if name == column:
                continue
            Credential.objects.filter(pk=mine.pk).update(**{column: ciphertext})
            with pytest.raises(CannotOpen):
                Credential.objects.get(pk=mine.pk).open(column)
            CredentialSecret.objects.filter(pk=aside.pk).update(**{column: ciphertext})
            if (name, column) != ("old", "secret"):
                with pytest.raises(CannotOpen):
                    CredentialSecret.objects.get(pk=aside.pk).open(column)
    CredentialSecret.objects.filter(pk=aside.pk).update(secret=aside.secret, credential=theirs)
    with pytest.raises(CannotOpen):
        CredentialSecret.objects.get(pk=aside.pk).open("secret")


def test_a_restored_ciphertext_from_before_the_binding_does_not_open(
    users: Users, trap: Workspace, elsewhere: Recorder, stub_engine: StubEngine
) -> None:
    row = users.credential
    for column, value in (("secret", SECRET), ("password", PASSWORD)):
        old = crypto.seal(value, f"workflows_ui.credential:{row.pk}:{column}")
        sql(_CREDENTIAL.format(f"{column} = %s"), old, key(row))
    waiting = launched(users, users.owner)
    sending.send(waiting.pk)
    everything(users, users.owner)
    waiting.refresh_from_db()
    assert (waiting.state, waiting.reason) == (State.NOT_SENT, Reason.CREDENTIAL_CHANGED)
    assert [seen for seen in stub_engine.seen if SECRET in str(dict(seen.headers))] == []


@pytest.mark.parametrize(
    "column", ["user_id", "flow_id", "workspace_id", "send_by", "payload", "wait", "moves", "mark"]
)
def test_a_launch_that_was_changed_while_it_waited_is_not_sent(
    users: Users, trap: Workspace, elsewhere: Recorder, stub_engine: StubEngine, column: str
) -> None:
    Member.objects.create(workspace=users.workspace, user=users.stranger, role=Role.LAUNCHER)
    people.credential(users.workspace, users.stranger, "the-strangers-key-here")
    mine, other = launched(users, users.stranger), launched(users, users.owner)
    stub_engine.flows.append(flow(2))
    value = {
        "user_id": users.owner.pk,
        "flow_id": identity(2),
        "workspace_id": trap.pk,
        "send_by": timezone.now() + timedelta(days=1),
        "payload": other.payload,
        "wait": True,
        "moves": 7,
        "mark": other.mark,
    }[column]
    sql(f"UPDATE workflows_ui_launch SET {column} = %s WHERE id = %s", value, mine.pk)
    sending.send(mine.pk)
    mine.refresh_from_db()
    changed = Reason.CREDENTIAL_UNREADABLE if column == "payload" else Reason.LAUNCH_CHANGED
    assert (mine.state, mine.reason) == (State.NOT_SENT, changed)
    assert [seen for seen in stub_engine.seen if seen.method == "POST"] == []
    assert [seen for seen in elsewhere.seen if seen.method == "POST"] == []


@pytest.mark.parametrize("use", [_flows_page, pytest.param(everything, marks=pytest.mark.slow)])
def test_a_change_is_audited_once_and_again_only_when_there_is_another(
    users: Users, trap: Workspace, use: Callable[..., str]
) -> None:
    changes = AuditEvent.objects.filter(action="credential.refused", object_id=str(users.credential.pk))
    for value in ("one@evil.example", "two@evil.example"):
        sql(_CREDENTIAL.format("email = %s"), value, key(users.credential))
        for _time in range(3):
            use(users, users.owner)
    assert [row.detail for row in changes] == [{"cause": "changed"}] * 2
    assert Notice.objects.filter(user=users.owner, kind="credential_to_enter").count() == 2
    # Undone, it works as before.
    sql(_CREDENTIAL.format("email = %s"), "owner@example.com", key(users.credential))
    assert Credential.objects.get(pk=users.credential.pk).open("secret") == SECRET


def test_opening_costs_no_query(users: Users, django_assert_num_queries: Any) -> None:
    row = Credential.objects.select_related("workspace").get(pk=users.credential.pk)
    with django_assert_num_queries(0):
        assert row.open("secret")
    with django_assert_num_queries(1):
        assert access.acting(users.owner, users.workspace) is not None


def test_pages_say_that_a_row_was_changed_also_where_it_holds_what_nobody_knows(users: Users, client: Client) -> None:
    client.force_login(users.owner)
    place = f"/w/{users.workspace.slug}"
    Credential.objects.filter(pk=users.credential.pk).update(health="nonsense")
    for page in ("credentials/", f"credentials/{users.credential.pk}/"):
        assert client.get(f"{place}/{page}").status_code == 200
    Workspace.objects.filter(pk=users.workspace.pk).update(flavour="nonsense")
    for page in ("settings/", "settings/move/", "credentials/", f"credentials/{users.credential.pk}/"):
        assert client.get(f"{place}/{page}").status_code == 200
