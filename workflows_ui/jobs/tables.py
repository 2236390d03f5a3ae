"""The list of jobs."""

from collections.abc import Mapping, Sequence

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from workflows_ui.core.collation import by_name
from workflows_ui.jobs.models import Job
from workflows_ui.jobs.page import JobPage
from workflows_ui.lists.local_lists import LocalList
from workflows_ui.members.models import Role
from workflows_ui.members.services.access import Access
from workflows_ui.resource_admin.resource import Column, Resource


def _filters(page: JobPage) -> str:
    return " · ".join(f"{label}: {value[:60]}" for label, value in page.job.filters_told)


_JOB = Column(
    lambda page: page.title,
    _("Job"),
    link=lambda _slug, page: page.url,
    name="job",
    sort=("kind", "action", "resource"),
)
_FILTERS = Column(_filters, _("Filters"), kind="note", wide=True, name="filters", sort=False)
_STATE = Column(lambda page: page.badge, _("State"), kind="badge", name="state", sort=("state",))
_SIZE = Column(lambda page: page.size, _("Objects"), kind="count", phone=False, name="size", sort=("total",))
_PERSON = Column(
    lambda page: page.job.user.label,
    _("Person"),
    phone=False,
    name="person",
    sort=by_name("user__first_name", "user__last_name", "user__username"),
)
_WHEN = Column(lambda page: page.job.asked_at, _("Created"), kind="when", name="created", sort=("asked_at",))


class Jobs(LocalList):
    """The jobs that a person may see. Its rows are their pages."""

    name = "jobs"
    label, label_plural = _("Job"), _("Jobs")
    icon, group = "list-checks", "watch"
    moment = "asked_at"
    logged_as = "job"
    empty = _("There are no jobs")
    empty_hint = _(
        "Bulk actions and anything that takes longer run in the background and are listed here. To "
        "begin, select rows in a list of flows or runs."
    )
    file_view = "jobs_file"
    list_display = (_JOB, _FILTERS, _STATE, _SIZE, _WHEN)
    access: Access
    resources: Mapping[str, Resource]

    def masked(self, session: object, rows: Sequence[Job]) -> list[JobPage]:
        """The page of each job."""
        return [JobPage(job, self.access, self.resources) for job in rows]

    def key(self, row: JobPage) -> str:
        return str(row.job.pk)

    def title(self, row: JobPage) -> str:
        return str(row.title)

    def url(self, slug: str, id: str = "", **query: str) -> str:
        return reverse("job", args=[slug, id]) if id else reverse("jobs", args=[slug], query=query or None)

    def refresh_seconds(self, row: JobPage) -> int:
        return 2 if row.can_stop else 0


def job_list(access: Access, resources: Mapping[str, Resource]) -> Jobs:
    """The list for a person: whose a job is has a column for managers."""
    columns = (_JOB, _FILTERS, _STATE, _SIZE, _PERSON, _WHEN) if access.allows(Role.MANAGER) else Jobs.list_display
    return Jobs.with_attributes(access=access, resources=resources, list_display=columns)
