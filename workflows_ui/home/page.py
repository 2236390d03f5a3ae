"""A workspace's home page: its parts in the person's order. Its first response is made of local rows, so that it works while the engine is
down.
"""

import json
import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property

from django.db.models import F, Max
from django.utils import timezone
from django.utils.translation import gettext as _, gettext_lazy

from workflows_ui.core import clock
from workflows_ui.core.crypto import CannotOpen
from workflows_ui.core.text import Text
from workflows_ui.credentials import messages as credential_messages
from workflows_ui.home import queries, services
from workflows_ui.home.panels import changes
from workflows_ui.home.panels.attention import Attention, Task
from workflows_ui.home.panels.changes import Change
from workflows_ui.home.panels.today import Today
from workflows_ui.launch_forms.models import LaunchFormVersion
from workflows_ui.launch_forms.services import launch_forms
from workflows_ui.launches.models import Launch
from workflows_ui.members.models import Role, Workspace
from workflows_ui.members.services import access
from workflows_ui.notifications.models import Visit
from workflows_ui.run_index.models import RunIndex
from workflows_ui.run_index.services import indexes
from workflows_ui.web import markdown

_log = logging.getLogger(__name__)
#: The most flows at hand besides the favourites.
LATEST = 6
#: Period of the failures elsewhere that are shown on a first visit.
FIRST_LOOK = timedelta(days=1)
#: Fields that a line about a launch does not need; they may be long.
_HEAVY = ("payload", "answer", "failure")
#: Hours at which the afternoon and the evening begin.
_NOON, _EVENING = 12, 18


@dataclass(frozen=True)
class Part:
    """A part of the page: its key, which its template and its element have too, its name, and the column it belongs to on wide screens.

    One that is `fixed` cannot be hidden.
    """

    key: str
    label: Text
    column: str
    fixed: bool = False

    @property
    def template(self) -> str:
        return f"home/parts/{self.key}.html"


_ATTENTION, _AT_HAND = gettext_lazy("Needs attention"), gettext_lazy("Favourites and recent")
_OPEN, _FLOWS = gettext_lazy("Your open launches"), gettext_lazy("Flows to launch")
#: For those who watch what others launch: work at the left, figures at the right, and the flows below.
WATCHED = (
    Part("attention", _ATTENTION, "work", fixed=True),
    Part("open", _OPEN, "work"),
    Part("at_hand", _AT_HAND, "work"),
    Part("today", gettext_lazy("Today"), "figures"),
    Part("changed", gettext_lazy("Flows that changed"), "figures"),
    Part("flows", _FLOWS, "below"),
)
#: For launchers.
LAUNCHED = (
    Part("attention", _ATTENTION, "below", fixed=True),
    Part("at_hand", _AT_HAND, "below"),
    Part("open", _OPEN, "below"),
    Part("flows", _FLOWS, "below"),
)
#: Parts for those who launch, and for those who build.
_FOR_LAUNCHERS, _FOR_BUILDERS = frozenset({"open", "at_hand", "flows"}), frozenset({"changed"})


@dataclass(frozen=True)
class Placed:
    """A part as a person arranged it: whether it is hidden, and whether it can move up or down among those of its column."""

    part: Part
    hidden: bool
    up: bool
    down: bool


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
    """A person's home page in a workspace. Every part is computed on first access."""

    def __init__(self, person_access: access.Access, visit: Visit) -> None:
        self._access, self._visit = person_access, visit
        #: Whether this is the first visit.
        self.first = visit.before is None
        #: Failures elsewhere since this moment are shown.
        self.since = visit.before or clock.now() - FIRST_LOOK
        self.builds, self.may_launch, self.manages = (
            person_access.allows(role) for role in (Role.BUILDER, Role.LAUNCHER, Role.MANAGER)
        )
        #: Whether the page shows the runs of others: to everybody except launchers.
        self.watches = self.builds or person_access.role == Role.VIEWER
        self._place = (person_access.workspace.pk, person_access.user.pk)

    @cached_property
    def index(self) -> RunIndex | None:
        """The run index, if the person may see it and watches runs."""
        return indexes.for_access(self._access) if self.watches and self._access.sees("runs") else None

    # --- Parts ------------------------------------------------------------------------------------

    @cached_property
    def _parts(self) -> dict[str, Part]:
        """The parts that there are for this person."""
        return {
            part.key: part
            for part in (WATCHED if self.watches else LAUNCHED)
            if (self.may_launch or part.key not in _FOR_LAUNCHERS)
            and (self.builds or part.key not in _FOR_BUILDERS)
            and (self.builds or self.index or part.key != "today")
        }

    @cached_property
    def arrangement(self) -> services.Arrangement:
        return services.arrangement(self._visit.parts, list(self._parts))

    @property
    def arranged(self) -> list[Placed]:
        """All parts in the person's order, column by column."""
        by_column: dict[str, list[Part]] = {part.column: [] for part in self._parts.values()}
        for key in self.arrangement.order:
            by_column[self._parts[key].column].append(self._parts[key])
        return [
            Placed(part, self.is_hidden(part), position > 0, position < len(parts) - 1)
            for parts in by_column.values()
            for position, part in enumerate(parts)
        ]

    def is_hidden(self, part: Part) -> bool:
        return part.key in self.arrangement.hidden and not part.fixed

    @cached_property
    def columns(self) -> dict[str, list[Part]]:
        """The parts that are shown, by column."""
        found: dict[str, list[Part]] = {"work": [], "figures": [], "below": []}
        for placed in self.arranged:
            if not placed.hidden:
                found[placed.part.column].append(placed.part)
        return found

    @property
    def shown_keys(self) -> frozenset[str]:
        """The keys of the parts that are shown."""
        return frozenset(part.key for parts in self.columns.values() for part in parts)

    def moved(self, key: str, *, up: bool) -> services.Arrangement:
        """The arrangement with a part before or after its neighbour in its column, unchanged at the edge of the column."""
        order = [placed.part.key for placed in self.arranged]
        placed = next((one for one in self.arranged if one.part.key == key), None)
        if placed and (placed.up if up else placed.down):
            position = order.index(key)
            other = position - 1 if up else position + 1
            order[position], order[other] = order[other], order[position]
        return services.Arrangement(order, self.arrangement.hidden)

    def toggled(self, key: str, *, hidden: bool) -> services.Arrangement:
        """The arrangement with a part hidden or shown, unchanged for an unknown part."""
        keys = self.arrangement.hidden
        if key not in self._parts:
            return self.arrangement
        return services.Arrangement(self.arrangement.order, keys | {key} if hidden else keys - {key})

    # --- For launching ----------------------------------------------------------------------------

    @property
    def greeting(self) -> str:
        name, hour = self._access.user.first_name.strip() or self._access.user.label, timezone.localtime().hour
        if hour < _NOON:
            text = _("Good morning, %(name)s")
        else:
            text = _("Good afternoon, %(name)s") if hour < _EVENING else _("Good evening, %(name)s")
        return text % {"name": name[:60]}

    @cached_property
    def favourites(self) -> dict[str, str]:
        return services.favourites(self._access.user, self._access.workspace)

    @cached_property
    def at_hand(self) -> list[dict[str, object]]:
        """The favourites, then the flows launched last, each with the person's last launch of it."""
        found: list[dict[str, object]] = [
            {"id": key, "name": name, "starred": True, "last": self._newest_by_flow.get(key)}
            for key, name in self.favourites.items()
        ]
        others = [row for row in self._newest_by_flow.values() if row.flow_id not in self.favourites]
        return found + [
            {"id": row.flow_id, "name": row.flow_name, "starred": False, "last": row} for row in others[:LATEST]
        ]

    @cached_property
    def open(self) -> list[Launch]:
        """The newest of the person's own launches that have not ended."""
        return [row for row in self._newest if row.is_open][: queries.SHOWN]

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
    def key(self) -> str:
        """The credential used for the person here, and the reason for the choice, or ""."""
        return credential_messages.acting_label(self._acting) if self._acting else ""

    @cached_property
    def _acting(self) -> access.Acting | None:
        return access.acting(self._access.user, self._access.workspace)

    # --- For watching -----------------------------------------------------------------------------

    @cached_property
    def attention(self) -> Sequence[Task]:
        """The tasks for the person that local rows tell of, the worst first."""
        return Attention(self._access, self.index, self._acting).tasks

    @cached_property
    def today(self) -> Today:
        return Today(self._access, self.index)

    @cached_property
    def changes(self) -> Sequence[Change]:
        return changes.changed_flows(self._access)
