"""What people own in jobs: those that are not finished."""

from collections.abc import Iterator

from django.utils.translation import gettext_lazy as _

from workflows_ui.audit import messages as audit_messages
from workflows_ui.jobs import messages
from workflows_ui.jobs.models import JOB_OVER, Job
from workflows_ui.jobs.page import job_url
from workflows_ui.jobs.services import jobs
from workflows_ui.offboarding.belongings import Found, Item, Owned, Scope


def _unfinished(found: Found[Job]) -> Iterator[Item]:
    rows = found.rows.exclude(state__in=JOB_OVER).select_related("user")
    for row in rows.order_by("asked_at", "pk"):
        name = str(audit_messages.action(f"{row.resource}.{row.action or 'export'}"))
        url = "" if found.reach.scope is Scope.CONSOLE else job_url(row.workspace.slug, row)
        yield found.item(row, name, ends=True, at=row.asked_at, facts=(messages.badge(row).word,), url=url)


JOB = Owned(
    name="job",
    model=Job,
    owner="user",
    icon="list-checks",
    title=_("Jobs that are not finished"),
    otherwise=_("It continues. If the account is deactivated, it ends early."),
    end_label=_("Stop it"),
    moment=_("Started"),
    items=_unfinished,
    end=jobs.stop,
)
