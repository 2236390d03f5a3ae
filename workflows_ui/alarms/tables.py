"""The list of alarms."""

from django.urls import reverse
from django.utils.translation import gettext_lazy as _, pgettext_lazy

from workflows_ui.alarms.forms import FilterForm
from workflows_ui.alarms.messages import sentence
from workflows_ui.alarms.models import Alarm, AlarmKind
from workflows_ui.lists.declaration import Column
from workflows_ui.lists.local_lists import LocalList


class Alarms(LocalList):
    """The alarms of a workspace, which are all in memory."""

    name = "alarms"
    label, label_plural = _("Alarm"), _("Alarms")
    icon, group = "bell-ring", "watch"
    filters = FilterForm
    logged_as = "alarm"
    empty = _("There is no alarm")
    empty_hint = _(
        "The console learns how often each flow runs. Flows that stop running, are late or slow, or "
        "fail more than usual are listed here."
    )
    file_view = "alarms_file"
    list_display = (
        Column(
            lambda alarm: alarm.title,
            _("Flow"),
            link=True,
            below=lambda alarm: AlarmKind(alarm.kind).label,
            name="flow",
        ),
        Column(
            lambda alarm: sentence(alarm.kind, alarm.facts),
            _("What's unusual"),
            kind="lines",
            wide=True,
            name="text",
            sort=False,
        ),
        Column(lambda alarm: alarm.state.badge, _("State"), kind="badge", name="state"),
        Column(lambda alarm: alarm.since, _("Since"), kind="when", name="since"),
        Column(lambda alarm: alarm.ended_at, pgettext_lazy("alarm", "Ended"), kind="when", phone=False, name="ended"),
        Column(lambda alarm: alarm.times, pgettext_lazy("alarm", "Times"), kind="count", phone=False, name="times"),
    )

    def title(self, row: Alarm) -> str:
        return row.title

    def url(self, slug: str, id: str = "", **query: object) -> str:
        return reverse("alarm", args=[slug, id]) if id else reverse("alarms", args=[slug], query=query or None)
