"""An empty POST ends and deletes nothing, at any address: whatever does so is confirmed, or its button says what it is for."""

import functools
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection, transaction

from tests import caches, users
from tests.web import matrix
from tests.web.filled_workspace import Furnished, furnish, once
from tests.web.matrix import Address
from workflows_ui.members.models import Flavour

#: What a single press of a button ends, for the person who presses it or until somebody presses another one; or what asks for the
#: password again before.
BUTTONS = {
    "access_refuse": "the person may ask again",
    "account_logout": "one's own session",
    "export_stop": "a file, which can be made again",
    "flow_trigger_cancel": "a test of a trigger",
    "follow_unmute": "a mute, which can be made again",
    "job_stop": "a job, which can be continued",
    "mfa_deactivate_totp": "asks for the password again",
    "mfa_generate_recovery_codes": "asks for the password again",
    "mfa_remove_webauthn": "asks for the password again",
    "own_unmute": "one's own mute",
    "session_end": "one's own session",
    "sessions_end_others": "one's own sessions",
    "unfollow": "one's own subscription",
    "unfollow_lost": "one's own subscriptions",
}
_ENDS = ("DELETE", 'SET "is_active"', 'SET "revoked_at"', 'SET "role"', 'SET "session_generation"')
#: Tables from which rows go that are no person's things.
_PASSING = (
    "django_session",
    "expiringvalue",
    "workflows_ui_notice",
    "workflows_ui_inspection",
    "account_emailconfirmation",
    "usersessions_",
)


@pytest.fixture(scope="module")
def stage(django_db_setup: None, django_db_blocker: Any) -> Iterator[Furnished]:
    """Once for all: what one question does is taken back before the next one is asked."""
    with once(django_db_blocker) as stub_engine:
        yield furnish(stub_engine)


def _note(ended: list[str], execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
    if (
        any(word in sql for word in _ENDS)
        and not sql.startswith(("SELECT", "INSERT"))
        and not any(table in sql for table in _PASSING)
    ):
        ended.append(sql[:100])
    return execute(sql, params, many, context)


def ended_by(stage: Furnished, address: Address, who: str) -> list[str]:
    """What an empty POST of somebody ends in the database and in the engine. It is taken back."""
    caches.forget_answers()
    base = stage.stub_engine.url if address.flavour == Flavour.IMBRACE else f"{stage.stub_engine.url}/api"
    users.move(stage.sales.workspace, flavour=address.flavour, address=base)
    stage.stub_engine.seen.clear()
    ended: list[str] = []
    with transaction.atomic():
        with connection.execute_wrapper(functools.partial(_note, ended)):
            matrix._send(stage.browsers[who], "POST", address.url(stage.sales, who), {})
        transaction.set_rollback(True)
    return ended + [f"{call.method} {call.path}" for call in stage.stub_engine.seen if call.method == "DELETE"]


def _walk(stage: Furnished, names: set[str] | None) -> dict[str, list[str]]:
    found = {}
    for address in matrix.addresses():
        if address.name in BUTTONS or address.whose == matrix.OTHERS or (names and address.name not in names):
            continue
        for who in ("manager", "superuser"):
            ended = ended_by(stage, address, who)
            if ended:
                found[f"{who}: {address.label}"] = ended
    return found


@pytest.mark.slow
def test_an_empty_post_deactivates_no_account_and_deletes_no_team_credential_or_member(stage: Furnished) -> None:
    names = {"person_deactivate", "team_delete", "team_take_out", "team_owner", "credential_delete", "member_remove"}
    names |= {"credential_share", "launch_right_revoke", "invitation_revoke", "run_index_stop", "access_withdraw"}
    assert _walk(stage, names | {"person_end_sessions"}) == {}


@pytest.mark.slow
def test_an_empty_post_ends_and_deletes_nothing_at_any_address(stage: Furnished) -> None:
    assert _walk(stage, None) == {}
