"""How long a launch took: its run from start to end, as in the plots and the usual time. Waiting before and after is not part of it."""

from django.db.models import DurationField, ExpressionWrapper, F, QuerySet

from workflows_ui.launches.models import Launch
from workflows_ui.web import formats


def milliseconds(launch: Launch) -> float | None:
    """How long it took; None while it is under way, and if its run or one of the run's times is not known."""
    return formats.between(launch.run_started_at, launch.run_finished_at)


def with_duration(rows: QuerySet[Launch]) -> QuerySet[Launch]:
    """With `took`, to sort by."""
    return rows.annotate(took=ExpressionWrapper(F("run_finished_at") - F("run_started_at"), DurationField()))
