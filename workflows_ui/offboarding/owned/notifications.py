"""What people own in notifications: their subscriptions, and what they have not read."""

from collections.abc import Iterator

from django.db.models import Count
from django.utils.translation import gettext_lazy as _, ngettext

from workflows_ui.launches.services import watching
from workflows_ui.members.models import Role
from workflows_ui.notifications.models import Notice, Watch, WatchKind
from workflows_ui.offboarding.belongings import Found, Item, Owned


def _watches(found: Found[Watch]) -> Iterator[Item]:
    for row in found.rows.order_by("kind", "name", "pk"):
        # Only builders may see other people's launches.
        least = Role.VIEWER if row.kind in {WatchKind.FLOW, WatchKind.ALARMS, WatchKind.OWN_ALARMS} else Role.BUILDER
        to, facts = found.space(row).people(least), (row.get_kind_display(),)
        yield found.item(row, row.name or row.object_id, to=to, ends=True, at=row.created_at, facts=facts)


WATCH = Owned(
    name="watch",
    model=Watch,
    owner="user",
    icon="bell",
    title=_("Notification subscriptions"),
    otherwise=_("They stop when the account is deactivated."),
    end_label=_("End them"),
    moment=_("Since"),
    items=_watches,
    give=watching.hand_over,
    end=watching.end,
)


def _unread(found: Found[Notice]) -> Iterator[Item]:
    unread = Notice.objects.filter(found.owned, read_at=None)
    for pk, number in unread.order_by().values_list("workspace").annotate(n=Count("pk")):
        text = ngettext("%(n)s unread notification", "%(n)s unread notifications", number) % {"n": number}
        yield Item(found.kind, str(pk), text, found.reach.workspaces[pk])


NOTICE = Owned(
    name="notice",
    model=Notice,
    owner="user",
    icon="mail",
    title=_("Unread notifications"),
    otherwise=_("They stay with the account and are deleted after 90 days."),
    items=_unread,
)
