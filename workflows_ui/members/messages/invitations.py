"""Texts for the state of an invitation: for the manager's list, and for invalid links."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from workflows_ui.members.messages.launch_rights import until
from workflows_ui.members.models import ColleagueInvitation, InvitationRequest, Role
from workflows_ui.members.services import invitations
from workflows_ui.web.messages import Message

NO_ROLE = gettext_lazy("no role, only what the teams open")


@dataclass(frozen=True)
class InvitationStatus:
    """An invitation in the manager's list. `open`: it can be revoked; `works`: its link can be used."""

    invitation: ColleagueInvitation
    role: str | Promise
    teams: list[str]
    state: str | Promise
    colour: str
    more: str
    open: bool
    works: bool
    #: Requests of people with another address that wait for a manager.
    requests: list[InvitationRequest]


def describe_invitation(row: ColleagueInvitation) -> InvitationStatus:
    return describe_invitations([row])[0]


def describe_invitations(rows: Iterable[ColleagueInvitation]) -> list[InvitationStatus]:
    """Return the statuses of invitations, in few queries."""
    listed = list(rows)
    working = invitations.working_invitations(listed)
    waiting: dict[int, list[InvitationRequest]] = {}
    for request in invitations.undecided_requests(listed):
        waiting.setdefault(request.invitation_id, []).append(request)
    return [_status(row, row.pk in working, waiting.get(row.pk, [])) for row in listed]


def _status(row: ColleagueInvitation, works: bool, requests: list[InvitationRequest]) -> InvitationStatus:
    state, colour, more = _state(row, works)
    if works and requests:
        state, colour, more = _("Needs your confirmation"), "orange", ""
    pending = row.accepted_at is None and row.revoked_at is None
    return InvitationStatus(
        row, role(row), [team.name for team in row.teams.all()], state, colour, more, pending, works, requests
    )


def role(row: ColleagueInvitation) -> str | Promise:
    """Return the label of the role."""
    return Role(row.role).label if row.role else NO_ROLE


def _state(row: ColleagueInvitation, works: bool) -> tuple[str | Promise, str, str]:
    if row.accepted_at is not None:
        name = row.accepted_by.label if row.accepted_by else ""
        return pgettext_lazy("invitation", "Accepted"), "green", name
    if row.revoked_at is not None:
        return pgettext_lazy("invitation", "Revoked"), "secondary", ""
    if row.expires_at <= timezone.now():
        return pgettext_lazy("invitation", "Over"), "secondary", _("Nobody used the link in time. Make a new one.")
    if not works:
        more = _("The person who gave it no longer manages this workspace. Create a new link.")
        return pgettext_lazy("invitation", "Without effect"), "yellow", more
    more = _("works until %(moment)s") % {"moment": until(row.expires_at)}
    return pgettext_lazy("invitation", "Waiting"), "azure", more


def invalid_link_message(row: ColleagueInvitation | None) -> Message:
    """Return the text for an invalid link; `row` is None for an unknown one."""
    if row is None:
        return Message(
            _("This link does not work"),
            _("Perhaps a part of it was lost on the way, or a newer one has taken its place."),
            _("Copy the whole link, or ask the person who invited you for a new one."),
        )
    if row.accepted_at is not None:
        return Message(
            _("This link was used already"),
            _("An invitation works once."),
            gettext_lazy("If it was you, sign in. If not, ask the person who invited you for a new one."),
        )
    if row.revoked_at is None and row.expires_at <= timezone.now():
        return Message(
            _("This link is over"),
            _("An invitation works for a while only."),
            _("Ask the person who invited you for a new one."),
        )
    return Message(
        _("This invitation was revoked"),
        _("Nobody can join by this link any more."),
        _("If you still need one, ask the person who invited you."),
    )
