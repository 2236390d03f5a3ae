"""Texts for launch rights: limits, use and state."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.utils import formats, timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext, pgettext_lazy

from workflows_ui.members.models import LaunchRight
from workflows_ui.members.services import launch_rights
from workflows_ui.web import formats as web_formats


@dataclass(frozen=True)
class RightStatus:
    """A right as shown on a page: `usable` is whether it can be used now, `state` the label with its colour if not."""

    right: LaunchRight
    usable: bool
    limits: str
    state: str | Promise
    colour: str
    keyless: bool = False


def until(moment: datetime, now: datetime | None = None) -> str:
    """Return `Friday 18:00` within six days, else the date with its time."""
    now = now or timezone.now()
    if timedelta(0) <= moment - now < timedelta(days=6):
        local = timezone.localtime(moment)
        return formats.date_format(local, pgettext("weekday and time, see Django's date filter", "l H:i"))
    return web_formats.exact(moment, seconds=False)


def limits(right: LaunchRight) -> str:
    """Return `until Friday 18:00, 7 of 20 launches used`; missing limits are stated, too."""
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
    """Return `3 of 20 launches left, until Friday 18:00`; "" for a right without limits."""
    parts = []
    if right.most_launches is not None:
        text = ngettext("%(left)s of %(n)s launch left", "%(left)s of %(n)s launches left", right.most_launches)
        parts.append(text % {"left": max(right.most_launches - right.used, 0), "n": right.most_launches})
    if right.until is not None:
        parts.append(_("until %(moment)s") % {"moment": until(right.until)})
    summary = ", ".join(parts)
    return summary[:1].upper() + summary[1:]


def describe_right(right: LaunchRight) -> RightStatus:
    now = timezone.now()
    return RightStatus(right, right.usable(now), limits(right), *_state(right, now))


def describe_rights(rights: Iterable[LaunchRight]) -> list[RightStatus]:
    """Return the statuses of rights of one workspace, including whether the holder lacks a credential. At most four queries."""
    listed = list(rights)
    keyless = launch_rights.keyless(listed)
    return [replace(describe_right(right), keyless=right.pk in keyless) for right in listed]


def _state(right: LaunchRight, now: datetime) -> tuple[str | Promise, str]:
    if right.revoked_at is not None:
        return pgettext_lazy("launch right", "Withdrawn"), "secondary"
    if right.until is not None and right.until <= now:
        return pgettext_lazy("launch right", "Over"), "secondary"
    if right.most_launches is not None and right.used >= right.most_launches:
        return pgettext_lazy("launch right", "Used up"), "secondary"
    return gettext_lazy("In force"), "green"
