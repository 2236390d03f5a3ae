"""A launch right in words: until when, how much of it is used, and whether it still holds."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import formats, timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext, pgettext_lazy

from workflows_ui.kit import show
from workflows_ui.models import Credential, LaunchRight
from workflows_ui.services import access


@dataclass(frozen=True)
class Told:
    """A right as a page shows it: `usable` is whether it can be used now, `state` a word with its colour where it cannot."""

    right: LaunchRight
    usable: bool
    limits: str
    state: str | Promise
    colour: str
    keyless: bool = False


def until(moment: datetime, now: datetime | None = None) -> str:
    """`Friday 18:00` within a week, else the date with its time."""
    now = now or timezone.now()
    if timedelta(0) <= moment - now < timedelta(days=6):
        local = timezone.localtime(moment)
        return formats.date_format(local, pgettext("weekday and time, see Django's date filter", "l H:i"))
    return show.exact(moment, seconds=False)


def limits(right: LaunchRight) -> str:
    """`until Friday 18:00, 7 of 20 launches used`; what has no limit is said too."""
    parts = [_("until %(moment)s") % {"moment": until(right.until)} if right.until else _("without an end")]
    if right.most_launches is None:
        parts.append(ngettext("%(n)s launch so far", "%(n)s launches so far", right.used) % {"n": right.used})
    else:
        parts.append(
            ngettext("%(used)s of %(n)s launch used", "%(used)s of %(n)s launches used", right.most_launches)
            % {"used": right.used, "n": right.most_launches}
        )
    return ", ".join(parts)


def tell(right: LaunchRight, *, keys: bool = False) -> Told:
    """The right in words; with `keys` also whether no credential would act for its holder (one query or two)."""
    now = timezone.now()
    usable = right.usable(now)
    return Told(right, usable, limits(right), *_state(right, now), keyless=keys and usable and not _has_key(right))


def _state(right: LaunchRight, now: datetime) -> tuple[str | Promise, str]:
    if right.revoked_at is not None:
        return pgettext_lazy("launch right", "Withdrawn"), "secondary"
    if right.until is not None and right.until <= now:
        return pgettext_lazy("launch right", "Over"), "secondary"
    if right.most_launches is not None and right.used >= right.most_launches:
        return pgettext_lazy("launch right", "Used up"), "secondary"
    return gettext_lazy("In force"), "green"


def _has_key(right: LaunchRight) -> bool:
    if right.user is not None:
        return access.credential(right.user, right.workspace) is not None
    return Credential.objects.filter(workspace=right.workspace, team=right.team_id).exists()
