"""Credentials: tested before they are saved, opened by nobody but the client, and the first of a project makes its workspace."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection, connections
from django.utils import timezone

from tests import users as people
from tests.engine.servers import NO_ROUTE, Reply
from tests.engine_wire import CURRENT, PROJECT, SECRET, TOKEN, Engine, draft, refusing
from tests.users import credential, gather, person, workspace
from workflows_ui.accounts.models import User
from workflows_ui.audit.models import AuditEvent
from workflows_ui.audit.services.audit_log import Actor
from workflows_ui.core.crypto import CannotOpen
from workflows_ui.credentials.models import Credential, Health, Inspection
from workflows_ui.credentials.services import capabilities, clients, credential_tests, credentials, engine_facts
from workflows_ui.credentials.services.credential_tests import Code, Draft, Problem
from workflows_ui.engine import NoRoute, Timeouts
from workflows_ui.members.models import AccessRequest, Member, Role, Workspace
from workflows_ui.members.services import access, launcher_pages
from workflows_ui.members.services.launcher_pages import Preset

pytestmark = pytest.mark.both_databases


@pytest.fixture(autouse=True)
def _no_second_try(monkeypatch: pytest.MonkeyPatch) -> None:
    """So little time that a read which failed is not tried again."""
    monkeypatch.setattr(credential_tests, "TIMEOUTS", Timeouts(connect=2.0, read=0.4, total=0.4))


@pytest.fixture
def engine() -> Iterator[Engine]:
    with Engine() as running:
        yield running


def add(who: User, wanted: Draft) -> credentials.Added:
    return credentials.add(Actor(user=who), wanted, credential_tests.test(wanted))


# --- What comes of it


@pytest.mark.django_db
def test_the_first_credential_of_a_project_makes_its_workspace_and_its_manager(engine: Engine) -> None:
    ada = person("ada")
    added = add(ada, draft(engine.url))
    assert added.outcome == "created workspace"
    assert launcher_pages.preset(added.workspace.hidden_pages) == Preset.LAUNCHING
    place = Workspace.objects.get()
    assert (place.name, place.slug, place.project_id, place.address) == (
        "Ada's Project",
        "adas-project",
        PROJECT,
        f"{engine.url}/api",
    )
    assert (place.engine_version, place.practice, place.launching_paused) == ("0.72.4", False, False)
    assert access.access_for(ada, place.slug).role is Role.MANAGER
    assert (added.credential.health, added.credential.owner) == (Health.WORKS, ada)
    assert added.credential.findings["who"] == "Ada Admin"
    assert list(AuditEvent.objects.order_by("pk").values_list("action", flat=True)) == [
        "workspace.create",
        "credential.add",
    ]


@pytest.mark.django_db
def test_a_second_person_with_a_credential_asks_the_manager(engine: Engine) -> None:
    ada, ben = person("ada"), person("ben")
    place = add(ada, draft(engine.url)).workspace
    added = add(ben, draft(engine.url, secret="another-secret"))
    assert (added.outcome, added.workspace) == ("asked", place)
    assert AccessRequest.objects.get().user == ben
    assert added.credential.owner == ben
    with pytest.raises(access.NoAccess):
        access.access_for(ben, place.slug)
    add(ben, draft(engine.url, secret="a-third-secret"))
    assert AccessRequest.objects.count() == 1
    assert Workspace.objects.count() == 1


@pytest.mark.django_db
def test_a_members_further_credential_joins_the_workspace(engine: Engine) -> None:
    ada = person("ada")
    first = add(ada, draft(engine.url))
    second = add(ada, draft(engine.url, name="Newer"))
    assert (second.outcome, second.workspace) == ("joined", first.workspace)
    assert access.credential(ada, first.workspace) == second.credential


@pytest.mark.django_db
def test_two_projects_of_one_name_get_two_addresses(engine: Engine) -> None:
    ada = person("ada")
    one = add(ada, draft(engine.url)).workspace
    engine.project = CURRENT | {"id": "Y" * 21}
    two = add(ada, draft(engine.url)).workspace
    assert one != two
    assert one.slug != two.slug


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("name", "slug"), [("Đơn hàng miền Nam", "don-hang-mien-nam"), ("订单", "workspace"), ("", PROJECT.lower())]
)
def test_a_workspace_has_an_address_of_plain_letters(engine: Engine, name: str, slug: str) -> None:
    engine.project = CURRENT | {"displayName": name}
    assert add(person("ada"), draft(engine.url)).workspace.slug == slug


@pytest.mark.django_db(transaction=True)
def test_two_people_at_once_make_one_workspace_with_one_manager(engine: Engine) -> None:
    people = [person(f"person{number}") for number in range(6)]
    drafts = [draft(engine.url, secret=f"secret-of-{who.username}") for who in people]
    found = credential_tests.test(drafts[0])
    together = threading.Barrier(len(people))

    def save(who: User, wanted: Draft) -> str:
        together.wait(10)
        try:
            return credentials.add(Actor(user=who), wanted, found).outcome
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(people)) as pool:
        outcomes = list(pool.map(save, people, drafts))
    assert sorted(outcomes) == ["asked"] * 5 + ["created workspace"]
    assert Workspace.objects.count() == 1
    assert Member.objects.count() == 1
    assert AccessRequest.objects.count() == 5
    assert Credential.objects.count() == 6


# --- The secret


@pytest.mark.django_db
def test_the_stored_secret_opens_for_its_own_row_only(engine: Engine) -> None:
    mine = add(person("ada"), draft(engine.url)).credential
    assert mine.open("secret") == SECRET
    assert SECRET not in mine.secret
    other = credential(mine.workspace, person("ben"), "another-secret")
    Credential.objects.filter(pk=other.pk).update(secret=mine.secret)
    other.refresh_from_db()
    with pytest.raises(CannotOpen):
        other.open("secret")
    assert isinstance(credentials.retest(other), Problem)
    other.refresh_from_db()
    assert (other.health, other.findings["problem"]) == (Health.REFUSED, Code.CHANGED)


@pytest.mark.django_db
def test_the_secret_is_nowhere_in_the_database_in_clear(engine: Engine) -> None:
    added = add(person("ada"), draft(engine.url))
    credentials.retest(added.credential)
    with refusing(Reply(401, {"message": f"no such token {SECRET}"})) as sour:
        people.move(Workspace.objects.get(), address=f"{sour.url}/api")
        credentials.retest(Credential.objects.get())
    assert "problem" in Credential.objects.get().findings
    dump = everything_stored()
    assert "Ada Admin" in dump
    assert SECRET not in dump


def everything_stored() -> str:
    """Every value of every table, as text."""
    with connection.cursor() as cursor:
        texts = []
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            texts.append(repr(cursor.fetchall()))
    return "\n".join(texts)


# --- Later


@pytest.mark.django_db
def test_a_retest_keeps_what_was_found_and_what_is_wrong_now(engine: Engine) -> None:
    mine = add(person("ada"), draft(engine.url)).credential
    engine.faults["/v1/users/projects/current"] = Reply(401, {"code": "INVALID_BEARER_TOKEN", "params": {}})
    result = credentials.retest(mine)
    assert isinstance(result, Problem)
    mine.refresh_from_db()
    assert (mine.health, mine.findings["problem"], mine.findings["who"]) == (Health.REFUSED, "refused", "Ada Admin")
    engine.faults.clear()
    assert isinstance(credentials.retest(mine), credential_tests.Findings)
    mine.refresh_from_db()
    assert mine.health == Health.WORKS
    assert "problem" not in mine.findings


@pytest.mark.django_db
def test_an_engine_that_is_down_does_not_make_the_secret_bad(engine: Engine) -> None:
    mine = add(person("ada"), draft(engine.url)).credential
    engine.faults["/v1/users/projects/current"] = Reply(502, b"<html>")
    credentials.retest(mine)
    assert Credential.objects.get().health == Health.UNREACHABLE


@pytest.mark.django_db
def test_a_secret_that_came_to_open_another_project_is_noticed(engine: Engine) -> None:
    mine = add(person("ada"), draft(engine.url)).credential
    engine.project = CURRENT | {"id": "Z" * 21, "displayName": "Elsewhere"}
    result = credentials.retest(mine)
    assert isinstance(result, Problem)
    assert (result.code, result.found) == (Code.OTHER_PROJECT, "Elsewhere")
    assert Credential.objects.get().health == Health.REFUSED


@pytest.mark.django_db
def test_an_engine_may_be_upgraded_under_a_workspace_and_its_facts_follow(engine: Engine) -> None:
    added = add(person("ada"), draft(engine.url, secret=TOKEN))
    mine, place = added.credential, added.workspace
    assert (place.engine_version, engine_facts.limit(place, "records", 1)) == ("0.72.4", 10000)
    engine.version, engine.flags = "0.83.0", {"MAX_RECORDS_PER_TABLE": 500}
    engine.others = [{"id": "Q" * 21, "displayName": "Another"}]
    assert isinstance(credentials.retest(mine), credential_tests.Findings)
    place.refresh_from_db()
    assert (place.engine_version, place.engine_limits) == ("0.83.0", {"records": 500})
    assert (engine_facts.limit(place, "records", 1), engine_facts.limit(place, "fields", 7)) == (500, 7)
    engine.faults["/v1/flags"] = Reply(502, b"<html>")
    credentials.retest(Credential.objects.get())
    place.refresh_from_db()
    assert place.engine_version == "0.83.0", "an engine that does not answer says nothing new"
    engine.faults["/v1/flags"] = NO_ROUTE
    credentials.retest(Credential.objects.get())
    place.refresh_from_db()
    assert (place.engine_version, place.engine_limits) == ("", {})


@pytest.mark.django_db
def test_a_missing_route_has_the_engine_looked_at_again_soon_and_not_all_the_time(engine: Engine) -> None:
    mine = add(person("ada"), draft(engine.url)).credential
    now = timezone.now()
    day, hour = timedelta(days=1), timedelta(hours=1)
    Inspection.objects.create(workspace=mine.workspace, due_at=now + day, looked_at=now - hour)
    client = clients.client_for_credential(mine)
    with pytest.raises(NoRoute):
        client.workflows.list_folders()
    assert capabilities.due() == [mine.workspace_id]
    Inspection.objects.update(due_at=now + day, looked_at=now)
    with pytest.raises(NoRoute):
        client.workflows.list_folders()
    assert capabilities.due() == []


@pytest.mark.django_db
def test_a_look_at_what_an_engine_can_do_reads_its_version(engine: Engine) -> None:
    mine = add(person("ada"), draft(engine.url)).credential
    engine.version = "0.79.1"
    capabilities.request_inspection(mine)
    capabilities.inspect(mine.workspace_id)
    assert Workspace.objects.get().engine_version == "0.79.1"
    engine.version = "0.83.0"
    capabilities.inspect_now(Workspace.objects.get(), mine)
    assert Workspace.objects.get().engine_version == "0.83.0"


@pytest.mark.django_db
def test_renaming_and_removing_leave_their_traces() -> None:
    users = gather(workspace("sales"), SECRET)
    who = Actor(user=users.owner, address="192.0.2.7", request_id="r1")
    credentials.rename(who, users.credential, "Better name")
    credentials.remove(who, users.credential)
    assert not Credential.objects.filter(owner=users.owner).exists()
    rows = AuditEvent.objects.order_by("pk").values_list("action", "object_name", "user", "address", "request_id")
    assert list(rows) == [
        ("credential.rename", "Better name", users.owner.pk, "192.0.2.7", "r1"),
        ("credential.remove", "Better name", users.owner.pk, "192.0.2.7", "r1"),
    ]


@pytest.mark.django_db
def test_a_member_knows_of_their_own_credentials_and_a_manager_of_all() -> None:
    users = gather(workspace("sales"), SECRET)
    elsewhere = workspace("hr", project="Q" * 21)
    Member.objects.create(workspace=elsewhere, user=users.owner, role=Role.MANAGER)
    credential(elsewhere, users.owner, SECRET, name="Elsewhere")
    colleague, owner = users.place(users.colleague), users.place(users.owner)
    assert [row.name for row in credentials.visible(colleague)] == ["Colleague's key"]
    assert [row.name for row in credentials.visible(owner)] == ["Colleague's key", "My key"]
    assert not credentials.manageable(colleague, users.credential)
    assert credentials.manageable(owner, credentials.visible(colleague).get())
