"""The input of a flow that a rule launches: what is known of the failure, in a shape that docs/on-failure.md describes."""

from datetime import UTC, datetime

from django.conf import settings
from django.urls import reverse

from workflows_ui.core import masking, redaction
from workflows_ui.core.secret_names import MASK
from workflows_ui.engine import HIDDEN
from workflows_ui.failure_rules.models import Failure, FailureRule
from workflows_ui.launches.failures.reasons import FailureReason
from workflows_ui.launches.models import RunRetry
from workflows_ui.launches.page import LaunchPage
from workflows_ui.members.services.access import Access
from workflows_ui.run_index.models import IndexedRun
from workflows_ui.run_index.services import rows as indexed_rows
from workflows_ui.runs.panels import reason_of

#: In place of a secret. A mask would look like one that was copied from a page, which no launch accepts.
LEFT_OUT = "[hidden]"
#: An example of the input, for the page that adds a rule, and for docs/on-failure.md.
SHAPE = """{
  "event": "flow_failed",
  "workspace": {"id": "sales", "name": "Sales"},
  "flow": {"id": "6tDmu6XDkRnpRYJ5ZU8cb", "name": "Order intake"},
  "run": {"id": "rVhFp2sTnqmN8vCwQb4kD", "failed_at": "2026-03-02T09:15:04Z"},
  "step": {"name": "step_2", "title": "Charge the card"},
  "message": "Card declined",
  "link": "https://console.example.com/w/sales/runs/rVhFp2sTnqmN8vCwQb4kD/",
  "rule": {"id": "m3RzW0yTqk7LhVbXn5aJc", "owner": "Lan Pham"},
  "noticed_at": "2026-03-02T09:15:11Z"
}"""


def build(rule: FailureRule, failure: Failure, access: Access) -> dict[str, object]:
    """The input, for a rule whose owner has this access. Times are in ISO 8601, in UTC; what is not known is ""."""
    workspace = access.workspace
    found = {
        "event": "flow_failed",
        "workspace": {"id": workspace.slug, "name": workspace.name},
        "flow": {"id": failure.flow_id, "name": failure.flow_name},
        "run": {"id": failure.run_id, "failed_at": _iso(failure.failed_at)},
        "step": {"name": failure.step, "title": failure.step_title},
        "message": _message(failure, access),
        "link": settings.BASE_URL + page_path(workspace.slug, failure),
        "rule": {"id": rule.pk, "owner": rule.owner.label},
        "noticed_at": _iso(failure.noticed_at),
    }
    return {name: _clean(access, value) for name, value in found.items()}


def page_path(slug: str, failure: Failure) -> str:
    """The page of the failed launch or run."""
    if failure.launch_id or not failure.run_id:
        return (
            reverse("launch", args=[slug, failure.launch_id]) if failure.launch_id else reverse("launches", args=[slug])
        )
    return reverse("resource_detail", args=[slug, "runs", failure.run_id])


def _message(failure: Failure, access: Access) -> str:
    """What the failed step says, in one line, masked as for a reader who did not launch the run.

    "" if the workspace leaves causes out of mails and notifications, and if a launch with secret inputs led to the run: its message may
    repeat them in any form.
    """
    if not access.workspace.causes_in_notices:
        return ""
    reason: FailureReason | None = None
    if failure.launch is not None:
        reason = None if failure.launch.secret_marks else LaunchPage(failure.launch, access).reason
    else:
        row = IndexedRun.objects.filter(workspace=access.workspace, run_id=failure.run_id).first()
        if row is not None and not indexed_rows.secretive(access.workspace.pk, [row]) and not _repeated(row):
            reason = reason_of(redaction.step(indexed_rows.to_engine(row)))
    return reason.message if reason else ""


def _repeated(row: IndexedRun) -> bool:
    """Whether the run repeats another one, whose launch may have had secret inputs."""
    return RunRetry.objects.filter(workspace=row.workspace_id, new_run_id=row.run_id).exists()


def _clean(access: Access, value: object) -> object:
    if isinstance(value, dict):
        return {name: _clean(access, item) for name, item in value.items()}
    text = masking.workspace_mask(access.workspace).text(str(value))
    return text.replace(HIDDEN, LEFT_OUT).replace(MASK, LEFT_OUT)


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
