"""Inputs saved for another time: one's own are one's own, shared ones are for all, and nobody changes another's."""

import pytest

from tests.users import Users, gather, workspace
from workflows_ui.audit.models import AuditEvent
from workflows_ui.audit.services import audit_log
from workflows_ui.launch_forms.models import SavedInputs
from workflows_ui.launch_forms.services import saved_inputs
from workflows_ui.members.models import Member, Role

FLOW = "F" * 21
pytestmark = [pytest.mark.both_databases, pytest.mark.django_db]


@pytest.fixture
def users() -> Users:
    return gather(workspace("sales"), "secret-secret-secret")


def test_own_inputs_are_seen_by_their_owner_only_and_shared_ones_by_all(users: Users) -> None:
    mine, theirs = users.place(users.colleague), users.place(users.owner)
    row = saved_inputs.save(audit_log.CONSOLE, mine, FLOW, "  Monday ", {"tên": "An Nguyễn", "n": 1.0}, shared=False)
    assert (row.name, saved_inputs.open_values(row)) == ("Monday", {"tên": "An Nguyễn", "n": 1.0})
    assert "An " not in row.payload
    assert list(saved_inputs.usable_inputs(mine, FLOW)) == [row]
    assert not saved_inputs.usable_inputs(mine, "G" * 21).exists()
    assert not saved_inputs.usable_inputs(theirs, FLOW).exists()
    saved_inputs.rename(audit_log.CONSOLE, row, "Tuesday", shared=True)
    assert [found.name for found in saved_inputs.usable_inputs(theirs, FLOW)] == ["Tuesday"]
    assert saved_inputs.may_change(theirs, row)
    Member.objects.filter(user=users.owner).update(role=Role.LAUNCHER)
    assert not saved_inputs.may_change(users.place(users.owner), row)


def test_the_same_name_again_is_given_the_new_values(users: Users) -> None:
    place = users.place(users.colleague)
    saved_inputs.save(audit_log.CONSOLE, place, FLOW, "Monday", 1, shared=False)
    row = saved_inputs.save(audit_log.CONSOLE, place, FLOW, "Monday", [2], shared=True)
    assert (SavedInputs.objects.count(), saved_inputs.open_values(row), row.shared) == (1, [2], True)


def test_a_name_that_is_taken_is_refused_for_another(users: Users) -> None:
    place = users.place(users.colleague)
    saved_inputs.save(audit_log.CONSOLE, place, FLOW, "Monday", 1, shared=False)
    row = saved_inputs.save(audit_log.CONSOLE, place, FLOW, "Tuesday", 2, shared=False)
    with pytest.raises(saved_inputs.NameTaken):
        saved_inputs.rename(audit_log.CONSOLE, row, "Monday", shared=False)


def test_there_are_not_more_than_fit_beside_a_form(users: Users) -> None:
    place = users.place(users.colleague)
    for number in range(saved_inputs.MOST):
        saved_inputs.save(audit_log.CONSOLE, place, FLOW, str(number), number, shared=False)
    with pytest.raises(saved_inputs.TooManySaved):
        saved_inputs.save(audit_log.CONSOLE, place, FLOW, "one more", 1, shared=False)


def test_deleting_is_written_down_without_any_value(users: Users) -> None:
    place = users.place(users.colleague)
    row = saved_inputs.save(audit_log.CONSOLE, place, FLOW, "Monday", {"secret": "hidden-value"}, shared=False)
    saved_inputs.delete(audit_log.CONSOLE, row)
    assert not SavedInputs.objects.exists()
    events = AuditEvent.objects.filter(object_type="saved_inputs").order_by("at")
    assert [event.action for event in events] == ["inputs.save", "inputs.delete"]
    assert not any("hidden-value" in str(event.detail) for event in events)
