"""Why a launch or run failed, in the order in which people need it. Pages, mails, notifications and channels all say it from here."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from workflows_ui.core import formats
from workflows_ui.launches.failures import messages as failure_messages

#: Longest message of a step, in characters.
LONGEST = 300


@dataclass(frozen=True)
class FailureReason:
    """Why a launch or run failed, in the active language; each part may be "".

    Attributes:
        step: the title of the step that failed.
        message: what the step itself says, in one line, secrets masked.
        title, text: what that means, where a rule is certain.
        next_step: what usually helps.
        cure: the remedy (FailureMessage.cure).
    """

    step: str
    message: str
    title: str = ""
    text: str = ""
    next_step: str = ""
    cure: str = "flow"

    @property
    def failed(self) -> str:
        """Which step failed, as a sentence; "" if that is not known."""
        return _("“%(step)s” failed") % {"step": self.step} if self.step else ""

    @property
    def headline(self) -> str:
        """The step and its message in one line."""
        if self.step and self.message:
            return _("“%(step)s” failed: %(said)s") % {"step": self.step, "said": self.message}
        return self.failed or self.message

    @property
    def sentences(self) -> list[str]:
        """Its parts for a mail, a channel or a cell, without those that are not known."""
        meaning = ". ".join(filter(None, (self.title, self.text)))
        helps = f"{_('What usually helps:')} {self.next_step}" if self.next_step else ""
        return [sentence for sentence in (self.headline, meaning, helps) if sentence]


def find_reason(step: str, text: str, run_status: str) -> FailureReason:
    """Why a run failed.

    Args:
        step: the title of the failed step.
        text: its whole message, secrets masked.
        run_status: the engine's status of the run.
    """
    failure = failure_messages.explain_failure(text, run_status)
    message = _one_line((failure.service_message if failure else "") or failure_messages.headline(text))
    step = _one_line(step)
    if failure is None:
        return FailureReason(step, message)
    explained = failure.message
    if explained is failure_messages.UNKNOWN:
        return FailureReason(step, message, next_step=str(explained.next_step))
    return FailureReason(
        step, message, str(explained.title), str(explained.text), str(explained.next_step), explained.cure
    )


def _one_line(text: str) -> str:
    """The text without line breaks and invisible characters, cut."""
    line = "".join(character for character in " ".join(text.split()) if character.isprintable())
    return formats.cut(line, LONGEST)
