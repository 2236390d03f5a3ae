"""The list of failures by cause."""

from collections.abc import Sequence
from dataclasses import replace

from django.urls import reverse
from django.utils.translation import gettext_lazy as _, pgettext_lazy

from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.engine_objects.runs import Run
from workflows_ui.failures.forms import FilterForm
from workflows_ui.failures.services import Pattern
from workflows_ui.lists.declaration import Column
from workflows_ui.lists.local_lists import LocalList
from workflows_ui.run_index.services import rows as indexed_rows
from workflows_ui.runs import masking, reading
from workflows_ui.web import messages


def _error(pattern: Pattern) -> str:
    """The error; of a run that ended without one, the state that says why it ended."""
    return pattern.error or str(messages.run_state(pattern.newest.status).word)


def _assigned(pattern: Pattern) -> str:
    return pattern.row.assigned_to.label if pattern.row and pattern.row.assigned_to else ""


class Failures(LocalList):
    """The patterns of a workspace, which are all in memory."""

    name = "failures"
    label, label_plural = _("Failure"), pgettext_lazy("page", "Failures")
    icon, group = "repeat", "watch"
    filters = FilterForm
    logged_as = "failure"
    empty = _("Nothing is open")
    empty_hint = _(
        "Runs that fail in the same way are listed here once, until someone handles them or the flow succeeds."
    )
    file_view = "failures_file"
    list_display = (
        Column(
            lambda pattern: pattern.newest.flow_name or pattern.newest.flow_id,
            _("Flow"),
            link=True,
            below=lambda pattern: pattern.newest.failed_step_title,
            name="flow",
        ),
        Column(_error, _("Error"), kind="lines", wide=True, name="error", sort=False),
        Column(lambda pattern: pattern.state.badge, _("State"), kind="badge", name="state"),
        Column(lambda pattern: pattern.number, pgettext_lazy("noun", "Runs"), kind="count", name="number"),
        Column(
            lambda pattern: pattern.first,
            pgettext_lazy("failure", "First"),
            kind="when",
            phone=False,
            name="first",
        ),
        Column(lambda pattern: pattern.last, pgettext_lazy("failure", "Last"), kind="when", name="last"),
        Column(_assigned, _("Assigned to"), phone=False, name="person"),
    )

    session: EngineSession

    def masked(self, session: object, rows: Sequence[Pattern]) -> list[Pattern]:
        """With the error of each as this person may see it."""
        runs = masking.masked(self.session, [indexed_rows.to_engine(pattern.newest) for pattern in rows])
        return [replace(pattern, error=reading.error_of(Run(run))) for pattern, run in zip(rows, runs, strict=True)]

    def key(self, row: Pattern) -> str:
        return row.key

    def title(self, row: Pattern) -> str:
        return row.newest.flow_name or row.newest.flow_id

    def url(self, slug: str, id: str = "", **query: object) -> str:
        return reverse("failure", args=[slug, id]) if id else reverse("failures", args=[slug], query=query or None)


def failure_list(session: EngineSession) -> Failures:
    return Failures.with_attributes(session=session)
