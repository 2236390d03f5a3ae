"""Explanations of failed steps: reads the error (reading.py) and finds its certain meaning (rules.py)."""

from dataclasses import dataclass

from workflows_ui.launches.failures import reading as failure_reading
from workflows_ui.launches.failures import rules as failure_rules
from workflows_ui.launches.failures.kinds import ENDS, KINDS, UNKNOWN, Cure
from workflows_ui.launches.failures.reading import Report
from workflows_ui.web import formats
from workflows_ui.web.messages import Message

#: Longest displayed message of a service, in characters.
_SHOWN = 400


@dataclass(frozen=True)
class Failure:
    """The explanation of a failure. `service_message` is the service's own message or ""; `status` its HTTP status, if known.

    `kind` is the key in KINDS, "" if no rule is certain of the meaning.
    """

    message: Message
    cure: Cure
    service_message: str = ""
    status: int | None = None
    kind: str = ""

    @property
    def known(self) -> bool:
        return bool(self.kind)


def explain_failure(text: str, run_status: str = "") -> Failure | None:
    """The meaning of a step's error (`errorMessage`, api.md 8.1: a text that may contain JSON); None without a failure or a text.

    Secrets must be masked before. `run_status` is the engine's status of the run.
    """
    text = text[: failure_reading.READ].strip()
    if not text:
        end = ENDS.get(run_status)
        return Failure(end, end.cure) if end else None
    report = failure_reading.read(text)
    name = _kind(report)
    kind = KINDS.get(name, UNKNOWN)
    return Failure(kind, kind.cure, " ".join(report.sentence.split()).strip(" :")[:_SHOWN], report.status, name)


def _kind(report: Report) -> str:
    """The kind by code, else by phrase, else by HTTP status. Contradicting codes are ignored."""
    if len(report.codes) == 1:
        return next(iter(report.codes))
    for kind, pattern in failure_rules.PHRASES:
        if any(pattern.match(line) for line in report.lines):
            return kind
    for name, kind, pattern in failure_rules.NAMED:
        if any(error_name.endswith(name) for error_name in report.names) and any(
            pattern.match(line) for line in report.lines
        ):
            return kind
    if report.status == 429 and any(failure_rules.ALLOWANCE.search(line) for line in report.lines):
        return "quota"
    if report.status is not None:
        return failure_rules.STATUSES.get(report.status, "")
    return ""


def headline(text: str) -> str:
    """The first non-empty line of an error, repeated error names reduced to one: "Error: Error: soft" becomes "Error: soft"."""
    return formats.first_line(failure_reading.collapsed(text))
