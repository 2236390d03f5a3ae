"""What people own in launches: those that wait to be sent, and those under way."""

from collections.abc import Iterator

from django.utils.translation import gettext_lazy as _

from workflows_ui.launches.models import OPEN, UNSENT, Launch
from workflows_ui.launches.services import launches
from workflows_ui.offboarding.belongings import Found, Item, Owned


def _waiting(found: Found[Launch]) -> Iterator[Item]:
    rows = found.rows.filter(state__in=UNSENT).select_related("user", "credential")
    for row in rows.order_by("asked_at", "pk"):
        waits = _("waits with %(credential)s") % {"credential": row.credential.name} if row.credential else ""
        yield found.item(row, row.flow_name or row.flow_id, ends=True, at=row.asked_at, facts=(waits,))


WAITING_LAUNCH = Owned(
    name="launch",
    model=Launch,
    owner="user",
    icon="hourglass",
    title=_("Launches waiting to be sent"),
    otherwise=_("It is sent as usual, but not after the account is deactivated."),
    end_label=_("Cancel it"),
    moment=_("Launched"),
    view="launch",
    guests=True,
    items=_waiting,
    end=launches.withdraw,
)


def _under_way(found: Found[Launch]) -> Iterator[Item]:
    for row in found.rows.filter(OPEN).exclude(state__in=UNSENT).order_by("asked_at", "pk"):
        yield found.item(row, row.flow_name or row.flow_id, at=row.asked_at)


LAUNCH_UNDER_WAY = Owned(
    name="run",
    model=Launch,
    owner="user",
    icon="rocket",
    title=_("Launches under way"),
    otherwise=_("It continues and is followed to its end, with another credential of the workspace if necessary."),
    moment=_("Launched"),
    view="launch",
    guests=True,
    items=_under_way,
)
