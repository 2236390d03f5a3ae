"""What one row of the audit log holds, and that neither our code nor the database lets it be changed."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from hypothesis import given, strategies as some

from tests import audit_guard
from tests.users import gather, person, workspace
from workflows_ui.audit import canonical_text
from workflows_ui.audit.models import BEGUN, AppendOnly, AuditCheckpoint, AuditEvent
from workflows_ui.audit.services import audit_log
from workflows_ui.audit.services.audit_log import CONSOLE, Actor
from workflows_ui.core import clock, masking

pytestmark = pytest.mark.both_databases

EVENTS = "workflows_ui_auditevent"


def test_a_row_keeps_the_name_that_the_person_had(db: None) -> None:
    owner = person("owner")
    owner.first_name, owner.last_name = "Lan", "Nguyễn"
    event = audit_log.record(
        Actor(owner, "203.0.113.7", "request-1", "0123456789abcdef"), "member.add", reason="she asked"
    )
    owner.first_name = "Mai"
    owner.save()
    row = AuditEvent.objects.get(pk=event.pk)
    assert row.user_name == "Lan Nguyễn (owner)"
    assert (row.address, row.session, row.request_id, row.reason) == (
        "203.0.113.7",
        "0123456789abcdef",
        "request-1",
        "she asked",
    )


def test_the_end_of_a_write_is_linked_to_its_beginning(db: None) -> None:
    space = workspace("sales")
    begun = audit_log.begin(
        Actor(person("owner"), "203.0.113.7", "request-1"),
        "flows.delete",
        workspace=space,
        object_type="flows",
        object_id="F",
        object_name="Mail",
        credential="",
        values={"a": 1},
    )
    ended = audit_log.end(begun, "refused", status=409)
    assert begun.outcome == BEGUN
    assert ended.begun == begun
    shared = ("action", "workspace", "object_type", "object_id", "object_name", "user_name", "address", "request_id")
    assert [getattr(ended, name) for name in shared] == [getattr(begun, name) for name in shared]
    assert (ended.outcome, ended.detail) == ("refused", {"status": 409})


_json = some.recursive(
    some.none() | some.booleans() | some.integers() | some.floats() | some.text(),
    lambda inner: some.lists(inner, max_size=4) | some.dictionaries(some.text(), inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.slow
@given(detail=some.dictionaries(some.text(), _json, max_size=5))
def test_the_text_of_a_detail_is_the_same_after_a_round_through_json(detail: dict[str, Any]) -> None:
    plain = canonical_text.plain(detail)
    again = json.loads(json.dumps(plain))
    assert canonical_text.plain(again) == plain
    assert json.dumps(again, sort_keys=True) == json.dumps(plain, sort_keys=True)


@pytest.mark.parametrize(
    "odd",
    [
        {"nul": "a\x00b", "half": "a\ud800b"},
        {"large": 1e300, "whole": 1e16, "small": 1e-300, "minus": -0.0, "many": 2**70, "odd": float("nan")},
        {"true": True, "one": 1, "none": None, "empty": "", "list": [], "map": {}},
        {"deep": [[{"a": [1, 2.5, "x"]}]], "moment": "2026-01-01T00:00:00Z"},
        {"long": "x" * 100_000, "html": "<script>alert(1)</script>", "vi": "Nguyễn Thị Hồng Đào"},
    ],
    ids=lambda odd: next(iter(odd)),
)
def test_what_the_database_gives_back_has_the_text_that_was_stored(db: None, odd: dict[str, Any]) -> None:
    event = audit_log.record(
        Actor(None, "2001:DB8::1"), "odd.row", object_name="a\x00b", object_id="\ud800", reason="\x00", **odd
    )
    row = AuditEvent.objects.get(pk=event.pk)
    assert row.canonical == row.compute_canonical()


def test_an_address_has_one_spelling_in_the_text(db: None) -> None:
    for address in ("::ffff:203.0.113.7", "2001:0db8:0000::0001", "203.0.113.7"):
        row = AuditEvent.objects.get(pk=audit_log.record(Actor(None, address), "odd.row").pk)
        assert row.canonical == row.compute_canonical()


def test_a_text_of_the_first_version_stays_as_it_is(db: None) -> None:
    event = AuditEvent(at=datetime(2026, 1, 2, tzinfo=UTC), action="flows.publish", outcome="done", detail={"form": 7})
    event.canonical = (
        '{"action":"flows.publish","address":null,"at":"2026-01-02T00:00:00.000000+00:00","begun_id":null,'
        '"detail":{"form":7},"form":1,"object_id":"","object_name":"","object_type":"","outcome":"done","reason":"",'
        '"request_id":"","session":"","user_id":null,"user_name":"","workspace_id":null}'
    )
    assert event.compute_canonical() == event.canonical


def test_our_own_code_cannot_change_or_delete_a_row(db: None) -> None:
    event = audit_log.record(CONSOLE, "odd.row")
    event.outcome = "refused"
    with pytest.raises(AppendOnly):
        event.save()
    with pytest.raises(AppendOnly):
        event.delete()
    with pytest.raises(AppendOnly):
        AuditEvent.objects.filter(pk=event.pk).update(outcome="refused")
    with pytest.raises(AppendOnly):
        AuditEvent.objects.bulk_update([event], ["outcome"])
    with pytest.raises(AppendOnly):
        AuditEvent.objects.all().delete()


def _refused(statement: str, *values: Any) -> None:
    with pytest.raises(DatabaseError, match="audit log"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, values)


@pytest.mark.parametrize("column", [*AuditEvent.CANONICAL, "canonical", "id"])
def test_the_database_refuses_to_change_a_column(db: None, column: str) -> None:
    event = audit_log.record(CONSOLE, "odd.row")
    values = {
        "at": clock.now(),
        "detail": '{"a": 1}',
        "user_id": 5,
        "workspace_id": 5,
        "begun_id": 5,
        "id": event.pk + 9,
    }
    value = values.get(column, "203.0.113.9" if column == "address" else "x")
    _refused(f"UPDATE {EVENTS} SET {column} = %s WHERE id = %s", value, event.pk)


def test_the_database_refuses_to_seal_a_row_twice_or_to_unseal_it(db: None) -> None:
    event = audit_log.record(CONSOLE, "odd.row")
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE {EVENTS} SET number = 1, mark = 'm' WHERE id = %s", [event.pk])
    _refused(f"UPDATE {EVENTS} SET number = 2 WHERE id = %s", event.pk)
    _refused(f"UPDATE {EVENTS} SET mark = 'n' WHERE id = %s", event.pk)
    _refused(f"UPDATE {EVENTS} SET number = NULL WHERE id = %s", event.pk)


def test_the_database_refuses_to_delete_rows_and_checkpoints(db: None) -> None:
    event = audit_log.record(CONSOLE, "odd.row")
    _refused(f"DELETE FROM {EVENTS} WHERE id = %s", event.pk)
    now = clock.now()
    AuditCheckpoint.objects.create(number=5, mark="m", until=now, removed=5, made_at=now, key="k", signature="s")
    _refused(f"DELETE FROM {EVENTS} WHERE id = %s", event.pk)
    _refused("DELETE FROM workflows_ui_auditcheckpoint WHERE number > %s", 0)
    _refused("UPDATE workflows_ui_auditcheckpoint SET mark = %s", "x")


@pytest.mark.postgres
def test_postgresql_refuses_to_empty_the_tables(db: None) -> None:
    for table in audit_guard.TABLES:
        _refused(f"TRUNCATE {table} CASCADE")


def test_sqlite_has_its_triggers_after_all_migrations(db: None) -> None:
    """A migration that recreates the table would lose them silently."""
    if connection.vendor == "sqlite":
        assert set(audit_guard.triggers(connection)) == {
            "audit_event_unchanged",
            "audit_event_kept",
            "audit_checkpoint_unchanged",
            "audit_checkpoint_kept",
        }


def test_a_known_secret_of_the_workspace_that_somebody_types_is_masked(db: None) -> None:
    users = gather(workspace("sales"), "a-token-nobody-sees")
    event = audit_log.record(
        Actor(users.owner),
        "flows.rename",
        workspace=users.workspace,
        object_name="Mail a-token-nobody-sees",
        reason="see a-token-nobody-sees",
        values={"name": ["x a-token-nobody-sees y"]},
    )
    row = AuditEvent.objects.filter(pk=event.pk).values().get()
    assert "a-token-nobody-sees" not in repr(row)
    assert "Mail " in row["object_name"]


def test_no_row_is_written_if_the_secrets_to_mask_cannot_be_read(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    users = gather(workspace("sales"), "a-token-nobody-sees")
    masking.clear()
    monkeypatch.delattr(type(users.workspace), "credentials")
    with pytest.raises(AttributeError):
        audit_log.record(Actor(users.owner), "flows.rename", workspace=users.workspace, reason="a-token-nobody-sees")
    assert not AuditEvent.objects.filter(action="flows.rename").exists()
