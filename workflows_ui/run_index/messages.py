"""Texts about the state of a run index."""

import hashlib
from dataclasses import dataclass
from functools import cached_property

from django.db.models import Count
from django.utils import timezone
from django.utils.translation import gettext as _, gettext_lazy, ngettext

from workflows_ui.core import formats, heartbeat
from workflows_ui.core.text import Message, Text
from workflows_ui.members.models import Workspace
from workflows_ui.resource_admin.resource import RESOURCES
from workflows_ui.run_index.models import IndexedKind, RunIndex
from workflows_ui.run_index.services import indexes, launch_words, reading, rewriting, uses, values
from workflows_ui.run_index.services.object_rows import KINDS
from workflows_ui.web import messages

#: Seconds between two looks at an index that reads the past, and at one that waits for new runs.
_BUSY, _CALM = 3, 15
_MOVED = Message(
    gettext_lazy("The workspace was moved"),
    gettext_lazy("These runs are from the engine at the earlier address. They are shown to no one."),
    gettext_lazy("Start the run index again: they are then deleted here, and the runs of the new address are read."),
)
_STOPPED = Message(
    gettext_lazy("Stopped: the credential was deleted"),
    gettext_lazy("Nothing new is read, and the runs are shown to no one."),
    gettext_lazy("Choose another credential to continue."),
)
_NOT_SHARED = Message(
    gettext_lazy("The credential is not shared with a team any more"),
    gettext_lazy("Nothing new is read."),
    gettext_lazy("Choose another credential, or ask the owner of this one to share it again."),
)
_STARTING = Message(
    gettext_lazy("Waiting for the first runs"),
    gettext_lazy("They are read within seconds."),
)
#: By state; the others are blue.
_COLOURS = {"moved": "orange", "stopped": "orange", "waiting": "orange", "failing": "red", "current": "green"}

#: Errors of a reading that mean that the engine, its plan or the credential lacks a kind of objects.
_ABSENT = {"Forbidden", "NoRoute", "NotFound", "NotInPlan"}
#: Errors of the engine that end without anybody's help.
_PASSING = {"NotSent", "RateLimited", "Unavailable", "Unreachable"}


@dataclass(frozen=True)
class Status:
    """The state of the workspace's index, as pages show it."""

    index: RunIndex
    workspace: Workspace

    @cached_property
    def progress(self) -> indexes.Progress:
        return indexes.progress(self.index)

    @cached_property
    def state(self) -> str:
        """`moved`, `stopped`, `waiting` for a worker, `failing`, `starting`, `filling` or `current`."""
        if self.index.moves != self.workspace.moves:
            return "moved"
        if self.index.credential is None:
            return "stopped"
        if heartbeat.silent():
            return "waiting"
        if self.index.failures:
            return "failing"
        if self.index.read_at is None:
            return "starting"
        return "filling" if self.progress.filled_to else "current"

    @property
    def colour(self) -> str:
        return _COLOURS.get(self.state, "blue")

    @property
    def runs(self) -> str:
        return formats.number(self.progress.runs)

    @property
    def limit(self) -> str:
        """The most runs that are kept, and since when, if the limit is reached."""
        number = formats.number(self.index.keep_runs)
        if self.progress.since is None:
            return number
        values = {"n": number, "time": formats.exact(self.progress.since, seconds=False)}
        return _("%(n)s, reached: runs since %(time)s are kept") % values

    @property
    def message(self) -> Message:
        """The activity of the index, or why it is not being read, and the next step."""
        match self.state:
            case "moved":
                return _MOVED
            case "stopped":
                return _STOPPED
            case "waiting":
                return messages.NO_WORKER
            case "failing":
                trouble = self.index.trouble
                problem = _NOT_SHARED if trouble == reading.NOT_SHARED else messages.recorded_error_message(trouble)
                if trouble in _PASSING:
                    return Message(problem.title, self._last_attempt)
                return Message(problem.title, f"{problem.text} {problem.next_step}", self._last_attempt)
            case "starting":
                return _STARTING
            case "filling":
                return Message(_("Reading the past"), self._as_of)
        often = _("New runs are read every minute, and every few seconds while someone looks at the list of runs.")
        return Message(_("Up to date"), f"{self._as_of} {often}")

    @cached_property
    def objects(self) -> list[tuple[Text, str]]:
        """The kinds of objects that are kept, with how many there are, as of when."""
        rows = uses.current(self.index.pk)
        counts = dict(rows.values_list("kind").annotate(n=Count("pk")))
        known = {row.kind: row for row in IndexedKind.objects.filter(index=self.index)}
        return [
            (RESOURCES[kind].label_plural, _kind_text(known.get(kind), counts.get(kind, 0)))
            for kind in KINDS
            if kind in RESOURCES
        ]

    @cached_property
    def unread(self) -> str:
        """How many runs' steps and launches' words are still to be read; "" for none, and if nothing of them is kept."""
        if self.state in {"moved", "stopped"}:
            return ""
        runs, launches = values.backlog(self.index), launch_words.backlog(self.index, values.COUNTED + 1)
        parts = []
        if runs:
            parts.append(_number(ngettext("%(n)s run", "%(n)s runs", runs), runs))
        if launches:
            parts.append(_number(ngettext("%(n)s launch", "%(n)s launches", launches), launches))
        return ", ".join(parts)

    @cached_property
    def unwritten(self) -> str:
        """How many runs' words are still to be written again after a change of the search; "" for none."""
        if self.state in {"moved", "stopped"}:
            return ""
        left = rewriting.backlog(self.index, values.COUNTED + 1)
        return _number(ngettext("%(n)s run", "%(n)s runs", left), left) if left else ""

    @property
    def values_bytes(self) -> int:
        """The approximate size of inputs and outputs on disk."""
        return indexes.remember(self.index, "bytes of values", lambda: values.stored_bytes(self.index))

    @property
    def pace(self) -> str:
        """How fast the steps of runs are read."""
        text = _("The newest come first, at most %(n)d a minute.")
        return text % {"n": values.MINUTE}

    @property
    def filled(self) -> str:
        """How much of the past has been read."""
        if self.progress.filled_to is None:
            return ""
        values = {"share": self.progress.share, "day": formats.date(timezone.localtime(self.progress.filled_to))}
        return _("%(share)d%% of the time, back to %(day)s") % values

    @property
    def _as_of(self) -> str:
        return _("As of %(time)s.") % {"time": formats.short_time(self.index.read_at)} if self.index.read_at else ""

    @property
    def _last_attempt(self) -> str:
        again = {"again": formats.short_time(self.index.due_at)}
        if self.index.read_at is None:
            return _("Nothing has been read yet. The console tries again at %(again)s.") % again
        values = again | {"time": formats.short_time(self.index.read_at)}
        return _("The runs are as of %(time)s. The console tries again at %(again)s.") % values

    @property
    def seconds(self) -> int:
        """Seconds after which the page looks again; 0 if nothing will change."""
        if self.state in {"moved", "stopped"}:
            return 0
        return _BUSY if self.state in {"starting", "filling"} else _CALM

    @property
    def version(self) -> str:
        """A text that changes with the content of the page."""
        shown = [
            self.objects,
            self.state,
            str(self.message.text),
            self.runs,
            self.limit,
            self.filled,
            self.index.missed,
            self.index.compared_at,
        ]
        shown += [self.unread, self.unwritten]
        return hashlib.sha256(repr(shown).encode()).hexdigest()[:16]

    @property
    def summary(self) -> Text:
        """One sentence: how many runs there are, as of when."""
        if self.state in {"moved", "stopped"}:
            return f"{self.message.title}. {self.message.next_step}"
        if self.index.read_at is None:
            return f"{self.message.title}."
        values = {"n": self.runs, "time": formats.short_time(self.index.read_at), "filled": self.filled}
        if self.filled:
            text = ngettext(
                "%(n)s run so far. The past is being read: %(filled)s.",
                "%(n)s runs so far. The past is being read: %(filled)s.",
                self.progress.runs,
            )
        else:
            text = ngettext("%(n)s run as of %(time)s.", "%(n)s runs as of %(time)s.", self.progress.runs)
        return text % values if self.state in {"filling", "current"} else f"{text % values} {self.message.title}."


def _number(text: str, number: int) -> str:
    """The text with a number, or with “more than” a number that was not counted further."""
    shown = formats.number(min(number, values.COUNTED))
    if number > values.COUNTED:
        shown = _("more than %(n)s") % {"n": shown}
    return text % {"n": shown}


def _kind_text(row: IndexedKind | None, number: int) -> str:
    if row is None or row.read_at is None:
        return _("The engine does not give them") if row and row.trouble in _ABSENT else _("Not read yet")
    values = {"n": formats.number(number), "time": formats.short_time(row.read_at)}
    return _("%(n)s as of %(time)s") % values


def summary(workspace: Workspace) -> Text:
    """One sentence on the workspace's run index, or on lists without one."""
    index = indexes.index_of(workspace)
    if index is None:
        return _(
            "Not started. Lists of runs come from the engine each time: without totals, and without runs that it has deleted."
        )
    return Status(index, workspace).summary
