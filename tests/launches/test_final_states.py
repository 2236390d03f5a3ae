"""The names of final states."""

from django.utils import translation

from workflows_ui.audit.messages import OUTCOMES
from workflows_ui.jobs.models import ItemState, JobState
from workflows_ui.launches.states import ENDED, Reason


def test_final_states_do_not_read_as_not_yet_in_vietnamese() -> None:
    """A launch that was not sent never will be: "Chưa gửi" says that it is still to come."""
    with translation.override("vi"):
        names = [str(state.label) for state in (*ENDED, *Reason) if state.label]
        names += [str(badge.word) for badge in OUTCOMES.values()]
        names += [str(JobState.STOPPED.label), str(JobState.FAILED.label), str(ItemState.SKIPPED.label)]
        assert "Không gửi" in names
        # That nobody knows yet is no end.
        assert [name for name in names if name.startswith("Chưa") and not name.startswith("Chưa rõ")] == []
