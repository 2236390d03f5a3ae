"""Contents of a workspace's home page, from local rows only, so that it works while the engine is down."""

import json
import logging
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from django.db.models import F, Max
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _, ngettext

from workflows_ui.core import clock, days as plot_days, heartbeat
from workflows_ui.core.crypto import CannotOpen
from workflows_ui.credentials import messages as credential_messages
from workflows_ui.home import queries, services as visits
from workflows_ui.launch_forms.models import LaunchFormVersion
from workflows_ui.launch_forms.services import launch_forms
from workflows_ui.launches import panels as plots
from workflows_ui.launches.models import Follow, Launch
from workflows_ui.launches.services import statistics
from workflows_ui.members.models import Role, Workspace
from workflows_ui.members.services import access
from workflows_ui.run_index.services import indexes, statistics as run_statistics
from workflows_ui.runs.plots import RunPlots
from workflows_ui.web import markdown
from workflows_ui.web.links import reachable
from workflows_ui.web.messages import NO_WORKER
from workflows_ui.web.plots import BarPlot

_log = logging.getLogger(__name__)
LATEST = 6
#: Failures of polls in a row that a person learns of.
_FAILURES = 3
#: Period of the failures shown on a first visit; days within which a flow's failures count.
FIRST_LOOK, FAILING_DAYS = timedelta(days=1), 7
#: Fields that a line about a launch does not need; they may be long.
_HEAVY = ("payload", "answer", "failure")


@dataclass(frozen=True)
class Attention:
    """A task for a person: its title, the next step, and the page for it."""

    title: str
    next: str
    url: str
    icon: str = "triangle-alert"


@dataclass(frozen=True)
class Counter:
    """A number with the list of what it counts."""

    label: str
    number: int
    url: str
    icon: str
    colour: str

    @property
    def tone(self) -> str:
        """The class of its icon."""
        return f"text-{self.colour}" if self.number else "text-secondary"


def form_texts(workspace: Workspace, flow_ids: Collection[str]) -> dict[str, dict[str, str]]:
    """The texts of the published forms of these flows, by flow id: the first line of the `note` as plain text, and
    the label of the `button`; "" if it has none. One query.
    """
    if not flow_ids:
        return {}
    rows = LaunchFormVersion.objects.filter(
        form__workspace=workspace, form__flow_id__in=flow_ids, form__published=F("pk")
    )
    rows = rows.select_related("form").only("schema", "form__flow_id")
    return {version.form.flow_id: _form_texts(version) for version in rows}


def _form_texts(version: LaunchFormVersion) -> dict[str, str]:
    try:
        note, button = launch_forms.published_texts(version)
    except (CannotOpen, json.JSONDecodeError):
        _log.exception("a launch form's words cannot be read: %s", version.pk)
        return {}
    return {"note": markdown.first_line(note), "button": button}


class Home:
    """A person's home page in a workspace. Every part is computed on first access.

    `last_visit` is the end of the previous visit, None for the first.
    """

    def __init__(self, person_access: access.Access, last_visit: datetime | None) -> None:
        self._access = person_access
        self._slug = person_access.workspace.slug
        #: Whether this is the first visit.
        self.first = last_visit is None
        #: Failures since this moment are shown.
        self.since = last_visit or clock.now() - FIRST_LOOK
        self.builds, self.may_launch = (person_access.allows(role) for role in (Role.BUILDER, Role.LAUNCHER))
        #: Whether the page shows the runs of others: to everybody except launchers.
        self.watches = self.builds or person_access.role == Role.VIEWER
        self._place = (person_access.workspace.pk, person_access.user.pk)
        self._visible = queries.visible_to_builders if self.builds else queries.own
        self._seen = self._place[:1] if self.builds else self._place

    @cached_property
    def favourites(self) -> dict[str, str]:
        return visits.favourites(self._access.user, self._access.workspace)

    @cached_property
    def recent(self) -> list[Launch]:
        """The person's latest launches of different flows, the latest first."""
        return list(self._newest_by_flow.values())[:LATEST]

    @cached_property
    def _newest(self) -> list[Launch]:
        return queries.newest_of_person(*self._place)

    @cached_property
    def _newest_by_flow(self) -> dict[str, Launch]:
        found: dict[str, Launch] = {}
        for row in self._newest:
            found.setdefault(row.flow_id, row)
        return found

    def last(self, flow_ids: Collection[str]) -> dict[str, Launch]:
        """The person's latest launch of each of these flows, by flow id."""
        found = {key: self._newest_by_flow[key] for key in flow_ids if key in self._newest_by_flow}
        others = [key for key in flow_ids if key not in found]
        if not others or len(self._newest) < queries.NEWEST:
            return found
        rows = Launch.objects.filter(user=self._access.user, workspace=self._access.workspace, flow_id__in=others)
        rows = rows.defer(*_HEAVY)
        latest = rows.order_by().values("flow_id").annotate(at=Max("asked_at")).values_list("at", flat=True)
        return found | {row.flow_id: row for row in rows.filter(asked_at__in=list(latest)).order_by("asked_at")}

    @cached_property
    def running(self) -> list[Launch]:
        """The newest of the visible launches in progress."""
        return self._visible.in_progress(*self._seen)

    @cached_property
    def number_running(self) -> int:
        number = len(self.running)
        return self._visible.number_in_progress(*self._seen)[0] if number == queries.SHOWN else number

    @cached_property
    def counters(self) -> list[Counter]:
        """The launches in progress, those that are kept if there are any, those of today that went wrong, and the tasks; each with the
        list that shows it."""
        today = timezone.localdate()
        query = {"state": "problem", "since": today.isoformat()}
        (failed,) = self._visible.failed(*self._seen, clock.midnight(today))
        lists = reverse("launches", args=[self._slug])
        # A kept launch is one in progress.
        (number_kept,) = self._visible.number_kept(*self._seen) if self.number_running else (0,)
        waiting = Counter(_("Kept until the engine is back"), number_kept, f"{lists}?state=kept", "hourglass", "orange")
        tasks, url = len(self.attention), "#attention" if self.attention else lists
        return [
            Counter(_("Launches in progress"), self.number_running, f"{lists}?state=open", "loader-circle", "blue"),
            *([waiting] if number_kept else ()),
            Counter(_("Launches failed today"), failed, f"{lists}?{urlencode(query)}", "circle-x", "red"),
            Counter(_("Needs attention"), tasks, url, "triangle-alert", "orange"),
        ]

    @cached_property
    def days(self) -> BarPlot | None:
        """The visible launches of the last days by outcome; None if there were none."""
        days = plot_days.days_until(timezone.localdate())
        counted = statistics.counted(self._visible.days(*self._seen, *statistics.midnights(days)), len(days))
        return plots.per_day(counted, reverse("launches", args=[self._slug]), {}, days)

    @cached_property
    def runs_per_day(self) -> BarPlot | None:
        """The workspace's runs of the last days by outcome, from the index; None without an index that the person may see."""
        index = indexes.for_access(self._access) if self._access.sees("runs") else None
        return RunPlots(index, self._slug, run_statistics.listed(index), {}).days if index else None

    @cached_property
    def failing(self) -> list[tuple[statistics.Failing, str]]:
        """The flows whose launches failed most within the last days, each with the list of these launches."""
        first = timezone.localdate() - timedelta(days=FAILING_DAYS - 1)
        found = statistics.failing_flows(self._access.workspace, clock.midnight(first))
        query = {"state": "problem", "since": first.isoformat()}
        lists = reverse("launches", args=[self._slug])
        return [(flow, f"{lists}?{urlencode(query | {'flow': flow.flow_id})}") for flow in found]

    @cached_property
    def key(self) -> str:
        """The credential used for the person here, and the reason for the choice, or ""."""
        return credential_messages.acting_label(self._acting) if self._acting else ""

    @cached_property
    def _acting(self) -> access.Acting | None:
        return access.acting(self._access.user, self._access.workspace)

    @cached_property
    def attention(self) -> list[Attention]:
        """The tasks for the person, most urgent first."""
        return list(self._attention())

    def _attention(self) -> Iterator[Attention]:
        if heartbeat.silent():
            yield Attention(str(NO_WORKER.title), str(NO_WORKER.next_step), "", "unplug")
        yield from self._credentials()
        if self._access.workspace.launching_paused:
            url = reverse("workspace_settings", args=[self._slug]) if self._access.allows(Role.MANAGER) else ""
            yield Attention(
                _("Launching is paused here"), _("A manager can resume launching in the settings."), url, "pause"
            )
        (unclear,) = self._visible.unclear(*self._seen)
        if unclear:
            title = ngettext("%(n)d launch is unclear", "%(n)d launches are unclear", unclear) % {"n": unclear}
            url = reverse("launches", args=[self._slug], query={"state": "unknown"})
            yield Attention(title, _("Check whether it ran, then resolve it."), url, "circle-question-mark")
        if self._access.allows(Role.MANAGER):
            (requests,) = queries.access_requests(self._access.workspace.pk)
            if requests:
                title = ngettext("%(n)d person requests access", "%(n)d people request access", requests)
                url = reverse("members", args=[self._slug])
                yield Attention(title % {"n": requests}, _("Approve or decline."), url, "user-plus")
        troubles = Follow.objects.filter(pk=self._access.workspace.pk, failures__gte=_FAILURES).exclude(trouble="")
        if troubles.exists():
            yield Attention(
                _("The engine cannot be asked about launches"),
                _("They continue there; the console keeps trying. Check whether the credential still works."),
                reachable(reverse("credentials", args=[self._slug])),
                "unplug",
            )

    def _credentials(self) -> Iterator[Attention]:
        url = reachable(reverse("credentials", args=[self._slug]))
        if self._acting is None:
            yield Attention(
                _("You have no credential here"),
                _("Add your own, or ask a manager to let your team use one. Until then nothing can be launched."),
                reverse("connect", query={"workspace": self._slug}),
                "key-round",
            )
        refused = queries.refused_credentials(self._access.workspace.pk)
        if not self._access.allows(Role.MANAGER):
            refused = [(pk, name) for pk, name in refused if self._acting and pk == self._acting.credential.pk]
        for _pk, name in refused[: queries.SHOWN]:
            title = _("The engine refuses “%(name)s”") % {"name": name[:80]}
            yield Attention(title, _("Test it again, or replace it."), url, "key-round")
