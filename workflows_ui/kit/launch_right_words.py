"""A launch right in words: until when, how much of it is used, and whether it still holds."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.utils import formats, timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext, pgettext_lazy

from workflows_ui.kit import show
from workflows_ui.models import LaunchRight
from workflows_ui.services import launch_rights


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


def left(right: LaunchRight) -> str:
    """`3 of 20 launches left, until Friday 18:00`; "" for a right without any limit."""
    parts = []
    if right.most_launches is not None:
        words = ngettext("%(left)s of %(n)s launch left", "%(left)s of %(n)s launches left", right.most_launches)
        parts.append(words % {"left": max(right.most_launches - right.used, 0), "n": right.most_launches})
    if right.until is not None:
        parts.append(_("until %(moment)s") % {"moment": until(right.until)})
    said = ", ".join(parts)
    return said[:1].upper() + said[1:]


def tell(right: LaunchRight) -> Told:
    """The right in words."""
    now = timezone.now()
    return Told(right, right.usable(now), limits(right), *_state(right, now))


def tell_all(rights: Iterable[LaunchRight]) -> list[Told]:
    """Rights of one workspace in words, and of each that can be used whether no key would act for its holder. Four queries at most."""
    found = list(rights)
    keyless = launch_rights.keyless(found)
    return [replace(tell(right), keyless=right.pk in keyless) for right in found]


def _state(right: LaunchRight, now: datetime) -> tuple[str | Promise, str]:
    if right.revoked_at is not None:
        return pgettext_lazy("launch right", "Withdrawn"), "secondary"
    if right.until is not None and right.until <= now:
        return pgettext_lazy("launch right", "Over"), "secondary"
    if right.most_launches is not None and right.used >= right.most_launches:
        return pgettext_lazy("launch right", "Used up"), "secondary"
    return gettext_lazy("In force"), "green"
