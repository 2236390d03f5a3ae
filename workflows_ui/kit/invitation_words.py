"""The state of an invitation in words, for the manager's list and for whoever opens a link that does not work."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from workflows_ui.kit.launch_right_words import until
from workflows_ui.kit.words import Words
from workflows_ui.models import ColleagueInvitation, Role
from workflows_ui.services import colleague_invitations

NO_ROLE = gettext_lazy("no role, only what the teams open")


@dataclass(frozen=True)
class Told:
    """An invitation as the manager's list shows it. `open`: it can be taken back; `works`: its link can be used."""

    invitation: ColleagueInvitation
    role: str | Promise
    teams: list[str]
    state: str | Promise
    colour: str
    more: str
    open: bool
    works: bool


def tell(row: ColleagueInvitation) -> Told:
    """The invitation in words."""
    return tell_all([row])[0]


def tell_all(rows: Iterable[ColleagueInvitation]) -> list[Told]:
    """Invitations in words, in few queries."""
    found = list(rows)
    working = colleague_invitations.working(found)
    return [_tell(row, row.pk in working) for row in found]


def _tell(row: ColleagueInvitation, works: bool) -> Told:
    state, colour, more = _state(row, works)
    pending = row.accepted_at is None and row.revoked_at is None
    return Told(row, role(row), [team.name for team in row.teams.all()], state, colour, more, pending, works)


def role(row: ColleagueInvitation) -> str | Promise:
    """As what the person is invited."""
    return Role(row.role).label if row.role else NO_ROLE


def _state(row: ColleagueInvitation, works: bool) -> tuple[str | Promise, str, str]:
    if row.accepted_at is not None:
        who = row.accepted_by.label if row.accepted_by else ""
        return pgettext_lazy("invitation", "Accepted"), "green", who
    if row.revoked_at is not None:
        return pgettext_lazy("invitation", "Taken back"), "secondary", ""
    if row.expires_at <= timezone.now():
        return pgettext_lazy("invitation", "Over"), "secondary", _("Nobody used the link in time. Make a new one.")
    if not works:
        more = _("Whoever gave it does not manage this workspace any more. Make a new link.")
        return pgettext_lazy("invitation", "Without effect"), "yellow", more
    more = _("works until %(moment)s") % {"moment": until(row.expires_at)}
    return pgettext_lazy("invitation", "Waiting"), "azure", more


def dead(row: ColleagueInvitation | None) -> Words:
    """What to tell whoever opens a link that does not work (any more)."""
    if row is None:
        return Words(
            _("This link does not work"),
            _("Perhaps a part of it was lost on the way, or a newer one has taken its place."),
            _("Copy the whole link, or ask whoever invited you for a new one."),
        )
    if row.accepted_at is not None:
        return Words(
            _("This link was used already"),
            _("An invitation works once."),
            gettext_lazy("If it was you, sign in. If not, ask whoever invited you for a new one."),
        )
    if row.revoked_at is None and row.expires_at <= timezone.now():
        return Words(
            _("This link is over"),
            _("An invitation works for a while only."),
            _("Ask whoever invited you for a new one."),
        )
    return Words(
        _("This invitation was taken back"),
        _("Nobody can join by this link any more."),
        _("Ask whoever invited you for a new one, if you still need it."),
    )
