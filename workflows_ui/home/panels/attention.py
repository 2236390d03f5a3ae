"""What needs attention, the worst first. What only the engine knows is added by the page's fragment."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property

from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _, ngettext

from workflows_ui.alarms import messages as alarm_messages, services as alarms
from workflows_ui.alarms.models import AlarmKind
from workflows_ui.core import clock, formats, heartbeat
from workflows_ui.core.crypto import CannotOpen
from workflows_ui.core.paths import dict_at, dicts_at, text_at
from workflows_ui.credentials.models import Credential, Health
from workflows_ui.credentials.services import clients, engine_session
from workflows_ui.engine import AddressRefused
from workflows_ui.failures import services as failures
from workflows_ui.failures.models import PatternState
from workflows_ui.failures.services import Pattern
from workflows_ui.failures.tables import failure_list
from workflows_ui.home import queries
from workflows_ui.launches.models import Follow
from workflows_ui.launches.services import statistics
from workflows_ui.members.models import Role
from workflows_ui.members.services import access
from workflows_ui.resource_admin.places import list_url
from workflows_ui.run_index.models import RunIndex
from workflows_ui.unclear_writes import messages as write_messages
from workflows_ui.web.links import reachable
from workflows_ui.web.messages import NO_WORKER, run_state

#: Failures of polls in a row that a person learns of; days within which failed launches and unclear writes count.
_POLL_FAILURES, FAILING_DAYS = 3, 7
#: How long before their end credentials and invitations are tasks.
CREDENTIALS_END, INVITATIONS_END = timedelta(days=14), timedelta(days=2)


@dataclass(frozen=True)
class Task:
    """Something that needs a person.

    Attributes:
        title: what it is.
        detail: what is known of it.
        action: the next step, the label of the link to `url`.
        at: when it last happened.
        number: how many things it stands for: more than one for those that are not named singly.
    """

    title: str
    detail: str = ""
    action: str = ""
    url: str = ""
    icon: str = "triangle-alert"
    tone: str = "orange"
    at: datetime | None = None
    number: int = 1

    @property
    def colour(self) -> str:
        """The class of its icon."""
        return f"text-{self.tone}"


class Attention:
    """The tasks of a person in a workspace, the worst first."""

    def __init__(self, person_access: access.Access, index: RunIndex | None, acting: access.Acting | None) -> None:
        self._access, self._index, self._acting = person_access, index, acting
        self._workspace = person_access.workspace
        self._slug = person_access.workspace.slug
        self._builds, self._manages = (person_access.allows(role) for role in (Role.BUILDER, Role.MANAGER))
        self._now = clock.now()

    @cached_property
    def tasks(self) -> list[Task]:
        return [task for part in self._parts() for task in part()]

    def _parts(self) -> Iterator[Callable[[], Iterator[Task]]]:
        yield self._standstill
        yield self._credentials
        if self._index and self._access.sees("alarms"):
            yield self._alarms
        if self._index and self._access.sees("failures"):
            yield self._failures
        if self._builds:
            yield self._failed_launches
        yield self._unclear_launches
        if self._access.allows(Role.LAUNCHER):
            yield self._unclear_writes
        yield self._credentials_that_end
        if self._manages:
            yield self._people

    def _standstill(self) -> Iterator[Task]:
        if heartbeat.silent():
            yield Task(str(NO_WORKER.title), str(NO_WORKER.next_step), icon="unplug", tone="red")
        if self._workspace.launching_paused:
            if self._manages:
                url, detail = reverse("workspace_settings", args=[self._slug]), ""
            else:
                url, detail = "", _("A manager can resume launching in the settings.")
            yield Task(_("Launching is paused here"), detail, _("Resume launching"), url, "pause")
        # A broken credential is a task of its own; this one is there for engines that do not answer.
        troubles = Follow.objects.filter(pk=self._workspace.pk, failures__gte=_POLL_FAILURES).exclude(trouble="")
        if troubles.exists():
            yield Task(
                _("The engine cannot be asked about launches"),
                _("They continue there; the console keeps trying."),
                _("Check the credential"),
                reachable(reverse("credentials", args=[self._slug])),
                "unplug",
                "red",
            )

    @cached_property
    def _at_risk(self) -> list[tuple[bool, Task]]:
        """A task for each credential that does not work or that ends, with whether it still works. Managers learn of all, others of the one
        that acts for them; that their own ends soon.
        """
        found = []
        for row in queries.credentials_at_risk(self._workspace.pk, self._now + CREDENTIALS_END):
            acting = self._acting if self._acting and self._acting.credential.pk == row.pk else None
            if not self._manages and acting is None:
                continue
            task = self._credential_task(row)
            works = task.tone != "red"
            if acting and not acting.own and not self._manages:
                detail = _("%(owner)s can replace it.") % {"owner": formats.cut(acting.credential.owner.label)}
                task = replace(task, detail=detail, action=_("View the credential"))
                if works:
                    continue
            found.append((works, task))
        return found

    def _credential_task(self, row: Credential) -> Task:
        """The task for a credential that is refused, has ended, or ends; red if it does not work."""
        names, url = {"name": formats.cut(row.name, 80)}, reachable(reverse("credential", args=[self._slug, row.pk]))
        if row.health == Health.REFUSED:
            title, action = _("The engine refuses “%(name)s”") % names, _("Test it again, or replace it")
            return Task(title, "", action, url, "key-round", "red")
        if row.ends_at is None or row.ends_at <= self._now:
            return Task(_("“%(name)s” has ended") % names, "", _("Replace it"), url, "key-round", "red", row.ends_at)
        days = -(-(row.ends_at - self._now) // timedelta(days=1))
        title = ngettext("“%(name)s” ends in %(n)d day", "“%(name)s” ends in %(n)d days", days)
        return Task(title % {**names, "n": days}, "", _("Replace it"), url, "hourglass")

    def _credentials(self) -> Iterator[Task]:
        if self._acting is None:
            yield Task(
                _("You have no credential here"),
                _("Or ask a manager to let your team use one. Until then nothing can be launched."),
                _("Add your own"),
                reverse("connect", query={"workspace": self._slug}),
                "key-round",
                "red",
            )
        yield from (task for works, task in self._at_risk if not works)

    def _credentials_that_end(self) -> Iterator[Task]:
        yield from (task for works, task in self._at_risk if works)

    def _alarms(self) -> Iterator[Task]:
        found = alarms.opened(self._index) if self._index else []
        for alarm in found[: queries.SHOWN]:
            kind, sentence = AlarmKind(alarm.kind).label, alarm_messages.sentence(alarm.kind, alarm.facts)
            detail = f"{kind}. {sentence}" if sentence else str(kind)
            url = reverse("alarm", args=[self._slug, alarm.pk])
            yield Task(alarm.title, detail, _("View the alarm"), url, "bell-ring", "red", alarm.since)
        yield from _rest(
            len(found) - queries.SHOWN,
            lambda n: ngettext("%(n)d more alarm", "%(n)d more alarms", n),
            reverse("alarms", args=[self._slug]),
        )

    def _failures(self) -> Iterator[Task]:
        """The open failures of the run index, those with the most runs first."""
        if self._index is None:
            return
        patterns = [row for row in failures.patterns(self._index)[0] if row.state == PatternState.OPEN]
        patterns.sort(key=lambda row: -row.number)
        for pattern in self._with_errors(patterns[: queries.SHOWN]):
            step, run = pattern.newest.failed_step_title, pattern.newest
            error = pattern.error or str(run_state(run.status).word)
            why = ": ".join(filter(None, (step, error)))
            counted = ngettext("%(n)d run failed", "%(n)d runs failed", pattern.number) % {"n": pattern.number}
            yield Task(
                run.flow_name or run.flow_id,
                f"{why} · {counted}",
                _("View the failure"),
                reverse("failure", args=[self._slug, pattern.key]),
                "circle-x",
                "red",
                pattern.failed_at,
            )
        yield from _rest(
            len(patterns) - queries.SHOWN,
            lambda n: ngettext("%(n)d more open failure", "%(n)d more open failures", n),
            reverse("failures", args=[self._slug]),
        )

    def _with_errors(self, patterns: Sequence[Pattern]) -> Sequence[Pattern]:
        """The patterns with their errors as this person may see them; as they are without a credential that opens."""
        try:
            return failure_list(engine_session.open_session(self._access)).masked(None, patterns) if patterns else ()
        except (clients.NoCredential, CannotOpen, AddressRefused):
            return patterns

    def _failed_launches(self) -> Iterator[Task]:
        """The flows whose launches failed, without those that succeeded since; with an index only launches that led to no run."""
        first = timezone.localdate() - timedelta(days=FAILING_DAYS - 1)
        found = statistics.failing_flows(self._workspace, clock.midnight(first), without_run=self._index is not None)
        lists, query = reverse("launches", args=[self._slug]), {"state": "problem", "since": first.isoformat()}
        for flow in found[: queries.SHOWN]:
            detail = ngettext(
                "%(failed)d of %(n)d launch failed in the last 7 days",
                "%(failed)d of %(n)d launches failed in the last 7 days",
                flow.number,
            ) % {"failed": flow.failed, "n": flow.number}
            url = f"{lists}?{urlencode(query | {'flow': flow.flow_id})}"
            yield Task(flow.name or flow.flow_id, detail, _("View the launches"), url, "circle-x", "red", flow.last)
        yield from _rest(
            len(found) - queries.SHOWN,
            lambda n: ngettext("%(n)d more flow whose launches fail", "%(n)d more flows whose launches fail", n),
            f"{lists}?{urlencode(query)}",
        )

    def _unclear_launches(self) -> Iterator[Task]:
        visible = queries.visible_to_builders if self._builds else queries.own
        owners = () if self._builds else (self._access.user.pk,)
        (unclear,) = visible.unclear(self._workspace.pk, *owners)
        if unclear:
            title = ngettext("%(n)d launch is unclear", "%(n)d launches are unclear", unclear) % {"n": unclear}
            url = reverse("launches", args=[self._slug], query={"state": "unknown"})
            detail, action = _("It may have run."), _("Check whether it ran, then resolve it")
            yield Task(title, detail, action, url, "circle-question-mark", number=unclear)

    def _unclear_writes(self) -> Iterator[Task]:
        since = self._now - timedelta(days=FAILING_DAYS)
        rows = queries.unclear_writes(self._workspace.pk, since)
        rows = [row for row in rows if self._manages or row.user_id == self._access.user.pk]
        for row in rows[: queries.SHOWN]:
            title = _("Unclear whether it was done: %(write)s") % {"write": write_messages.title(row)}
            url = reverse("unclear_write", args=[self._slug, row.pk])
            yield Task(
                title, formats.cut(row.name, 80), _("Look in the engine"), url, "circle-question-mark", at=row.asked_at
            )

    def _people(self) -> Iterator[Task]:
        (requests,) = queries.access_requests(self._workspace.pk)
        if requests:
            title = ngettext("%(n)d person requests access", "%(n)d people request access", requests)
            url = reverse("members", args=[self._slug])
            yield Task(title % {"n": requests}, "", _("Approve or decline"), url, "user-plus", "blue", number=requests)
        invitations = queries.invitations(self._workspace.pk, self._now, self._now + INVITATIONS_END)
        for pk, email, ends, asked in sorted(invitations, key=lambda row: not row[3])[: 2 * queries.SHOWN]:
            url, names = reverse("invitation", args=[self._slug, pk]), {"email": formats.cut(email)}
            if asked:
                title = _("The invitation of %(email)s was used with another address") % names
                yield Task(title, "", _("Confirm or decline"), url, "user-plus", "blue")
            else:
                title = _("The invitation of %(email)s ends on %(time)s and was not used")
                names["time"] = formats.day_and_time(ends)
                yield Task(title % names, "", _("Renew it"), url, "mail", "blue")


def failed_elsewhere(found: Mapping[str, object] | None, *, first: bool) -> Iterator[Task]:
    """The newest of the failed runs that the console did not start (runs.elsewhere.find_runs), each flow once, since the last visit or, on
    the `first`, of the last day.
    """
    failed = dict_at(found or {}, "failed")
    newest = dicts_at(failed, "newest")
    since = (
        _("Started elsewhere, failed in the last 24 hours")
        if first
        else _("Started elsewhere, failed since your last visit")
    )
    for name, row in {text_at(row, "flow"): row for row in reversed(newest)}.items():
        why = ": ".join(filter(None, (text_at(row, "step"), text_at(row, "error"))))
        detail, at = f"{why} · {since}" if why else since, row.get("at")
        moment = at if isinstance(at, datetime) else None
        yield Task(name, detail, _("View the run"), text_at(row, "url"), "circle-x", "red", moment)
    number = failed.get("number")
    yield from _rest(
        (number if isinstance(number, int) else 0) - len(newest),
        lambda n: ngettext("%(n)d more failed run", "%(n)d more failed runs", n),
        text_at(failed, "url"),
    )


def misfits(slug: str, flows: Sequence[tuple[str, str]]) -> Iterator[Task]:
    """The flows that read other data than their forms ask for."""
    for key, name in flows[: queries.SHOWN]:
        detail = _("The form no longer fits the flow, which reads other data than the form asks for.")
        yield Task(name, detail, _("Correct the form"), reverse("form_builder", args=[slug, key]), "clipboard-list")
    yield from _rest(
        len(flows) - queries.SHOWN,
        lambda n: ngettext("%(n)d more form does not fit its flow", "%(n)d more forms do not fit their flows", n),
        list_url(slug, "flows"),
    )


def _rest(number: int, title: Callable[[int], str], url: str) -> Iterator[Task]:
    """A task for those that are not named singly, if there are any."""
    if number > 0:
        yield Task(title(number) % {"n": number}, "", _("Show all"), url, "ellipsis", "secondary", number=number)
