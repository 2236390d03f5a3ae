"""What a workspace's home shows a person, from the console's own rows: no engine is asked, so it is there while one is down."""

import json
import logging
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from django.db.models import F, Max, QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from workflows_ui.crypto import CannotOpen
from workflows_ui.kit import credential_words, markdown
from workflows_ui.kit.words import NO_WORKER
from workflows_ui.models import (
    UNDER_WAY,
    AccessRequest,
    Credential,
    Follow,
    Health,
    Launch,
    LaunchFormVersion,
    Role,
    State,
    Workspace,
)
from workflows_ui.services import access, clock, heartbeat, launch_forms, launches, visits

_log = logging.getLogger(__name__)
LATEST, SHOWN = 6, 5
#: Whoever comes for the first time is told what failed within this time.
FIRST_LOOK = timedelta(days=1)
#: What a line about a launch does not need: it may be long.
_HEAVY = ("payload", "answer", "failure")
_BAD = (State.FAILED, State.REFUSED, State.UNKNOWN)


@dataclass(frozen=True)
class Attention:
    """Something that wants a person: what it is, what to do, and the page where it is done."""

    title: str
    next: str
    url: str
    icon: str = "triangle-exclamation"


@dataclass(frozen=True)
class Recent:
    """A flow that the person launched lately, with the latest launch of it."""

    flow_id: str
    name: str
    launch: Launch


@dataclass(frozen=True)
class Form:
    """What a published form says of its flow before it is opened: the first line of its note as plain text, and its button ("" for
    nothing)."""

    note: str = ""
    button: str = ""


def forms(workspace: Workspace, flow_ids: Collection[str]) -> dict[str, Form]:
    """The published forms of these flows, by the flow's id. One query."""
    rows = LaunchFormVersion.objects.filter(
        form__workspace=workspace, form__flow_id__in=flow_ids, form__published=F("pk")
    )
    return {version.form.flow_id: _form(version) for version in rows.select_related("form")}


def _form(version: LaunchFormVersion) -> Form:
    try:
        note, button = launch_forms.words_of(version)
    except (CannotOpen, json.JSONDecodeError):
        _log.exception("a launch form's words cannot be read: %s", version.pk)
        return Form()
    return Form(markdown.first_line(note), button)


class Home:
    """A person's home in a workspace. Every part is worked out when it is asked for.

    `last_visit` is when the visit before this one ended, None for the first.
    """

    def __init__(self, place: access.Access, last_visit: datetime | None) -> None:
        self._place = place
        self._slug = place.workspace.slug
        #: Nothing is known of a visit before this one.
        self.first = last_visit is None
        #: From when on failures are told.
        self.since = last_visit or clock.now() - FIRST_LOOK

    @property
    def looks_after(self) -> bool:
        """Whether the person looks after flows, not only launches them."""
        return self._place.allows(Role.BUILDER)

    @property
    def watches(self) -> bool:
        """Whether the person wants to see how the flows of others do: whoever is not here to launch only."""
        return self.looks_after or self._place.role == Role.VIEWER

    @property
    def may_launch(self) -> bool:
        """Whether the person launches here."""
        return self._place.allows(Role.LAUNCHER)

    @cached_property
    def favourites(self) -> dict[str, str]:
        """Names of the person's favourite flows by id."""
        return visits.favourites(self._place.user, self._place.workspace)

    @property
    def _mine(self) -> QuerySet[Launch]:
        rows = Launch.objects.filter(user=self._place.user, workspace=self._place.workspace)
        return rows.defer(*_HEAVY)

    @cached_property
    def recent(self) -> list[Recent]:
        """Flows that the person launched lately, the latest first."""
        found: dict[str, Recent] = {}
        for row in self._mine.order_by("-asked_at")[:60]:
            found.setdefault(row.flow_id, Recent(row.flow_id, row.flow_name or row.flow_id, row))
        return list(found.values())[:LATEST]

    def last(self, flow_ids: Collection[str]) -> dict[str, Launch]:
        """The person's latest launch of each of these flows, by the flow's id."""
        mine = self._mine.filter(flow_id__in=flow_ids)
        latest = mine.order_by().values("flow_id").annotate(at=Max("asked_at")).values_list("at", flat=True)
        return {row.flow_id: row for row in mine.filter(asked_at__in=list(latest)).order_by("asked_at")}

    @property
    def _visible(self) -> QuerySet[Launch]:
        return launches.of_workspace(self._place).defer(*_HEAVY)

    @cached_property
    def running(self) -> list[Launch]:
        """Launches under way that the person may see, the newest."""
        return list(self._visible.filter(state__in=UNDER_WAY)[:SHOWN])

    @cached_property
    def running_count(self) -> int:
        """How many are under way."""
        return self._visible.filter(state__in=UNDER_WAY).count() if len(self.running) == SHOWN else len(self.running)

    @cached_property
    def failed(self) -> list[Launch]:
        """Launches that did not end well since the last visit (on the first one: within a day), the newest."""
        return list(self._failed[:SHOWN])

    @cached_property
    def failed_count(self) -> int:
        """How many did not."""
        return self._failed.count() if len(self.failed) == SHOWN else len(self.failed)

    @property
    def _failed(self) -> QuerySet[Launch]:
        return self._visible.filter(state__in=_BAD, ended_at__gt=self.since)

    @cached_property
    def key(self) -> str:
        """The credential that acts for the person here, and why it is this one; "" where there is none."""
        acting = access.acting(self._place.user, self._place.workspace)
        return credential_words.whose(acting) if acting else ""

    @cached_property
    def attention(self) -> list[Attention]:
        """What wants the person, most pressing first; empty when all is well."""
        return list(self._attention())

    def _attention(self) -> Iterator[Attention]:
        if heartbeat.silent():
            yield Attention(str(NO_WORKER.title), str(NO_WORKER.next_step), "", "plug-circle-xmark")
        yield from self._credentials()
        if self._place.workspace.launching_paused:
            url = reverse("workspace_settings", args=[self._slug]) if self._place.allows(Role.MANAGER) else ""
            yield Attention(
                _("Launching is paused here"), _("A manager can let it go on in the settings."), url, "pause"
            )
        unclear = self._visible.filter(state=State.UNKNOWN).count()
        if unclear:
            title = ngettext("%(n)d launch is unclear", "%(n)d launches are unclear", unclear) % {"n": unclear}
            url = reverse("launches", args=[self._slug], query={"state": "unknown"})
            yield Attention(title, _("See whether it ran, then settle it."), url, "circle-question")
        if self._place.allows(Role.MANAGER):
            asked = AccessRequest.objects.filter(workspace=self._place.workspace, decided_at=None).count()
            if asked:
                title = ngettext("%(n)d person asks to be let in", "%(n)d people ask to be let in", asked) % {
                    "n": asked
                }
                yield Attention(title, _("Let them in, or refuse."), reverse("members", args=[self._slug]), "user-plus")
        trouble = Follow.objects.filter(pk=self._place.workspace.pk, failures__gte=3).values_list("trouble", flat=True)
        if trouble.first():
            yield Attention(
                _("The engine cannot be asked about launches"),
                _("They go on there; the console keeps trying. See whether the credential still works."),
                reverse("credentials", args=[self._slug]),
                "plug-circle-xmark",
            )

    def _credentials(self) -> Iterator[Attention]:
        place = self._place
        acting = access.credential(place.user, place.workspace)
        url = reverse("credentials", args=[self._slug])
        if acting is None:
            yield Attention(
                _("You have no credential here"),
                _("Add your own, or ask a manager to let your team use one. Until then nothing can be launched."),
                reverse("credential_add"),
                "key",
            )
        refused = Credential.objects.filter(workspace=place.workspace, health=Health.REFUSED)
        if not place.allows(Role.MANAGER):
            refused = refused.filter(pk=acting.pk) if acting else refused.none()
        for credential in refused.order_by("name")[:SHOWN]:
            title = _("The engine refuses “%(name)s”") % {"name": credential.name[:80]}
            yield Attention(title, _("Test it again, or replace it."), url, "key")
