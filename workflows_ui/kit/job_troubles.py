"""What an error on the way means for a job or for one of its objects: the reason, and whether it waits, goes on or ends."""

from workflows_ui.crypto import CannotOpen
from workflows_ui.engine import EngineError
from workflows_ui.engine import errors as engine
from workflows_ui.models import ItemState, Job
from workflows_ui.services import database, job_turns
from workflows_ui.services.access import NoAccess, NotAllowed
from workflows_ui.services.clients import NoCredential
from workflows_ui.services.jobs import Reason

#: Errors after which no object of the job can be done: the first match wins.
_ENDING: tuple[tuple[type[Exception], Reason], ...] = (
    (NoAccess, Reason.NO_ACCESS),
    (NotAllowed, Reason.NO_ACCESS),
    (NoCredential, Reason.NO_CREDENTIAL),
    (CannotOpen, Reason.CREDENTIAL_UNREADABLE),
    (engine.AddressRefused, Reason.ADDRESS_REFUSED),
    (engine.CredentialRefused, Reason.CREDENTIAL_REFUSED),
)
#: What a whole job may meet: `met` says what it means.
OF_A_JOB = (EngineError, NoAccess, NotAllowed, NoCredential, CannotOpen)
#: What may pass by itself: the same call may be made again later, since it was not acted on.
PASSING = (engine.NotSent, engine.TooMany)
#: What is said about one object, but may hold for all: after so many in a row the job ends early.
IN_A_ROW = 3
_DOUBTFUL: dict[type[EngineError], Reason] = {
    engine.Forbidden: Reason.FORBIDDEN,
    engine.NotInPlan: Reason.NOT_IN_PLAN,
    engine.Unavailable: Reason.UNAVAILABLE,
}


def met(job: Job, problem: Exception) -> None:
    """The job met one of OF_A_JOB: it waits where that may pass by itself, else it ends early."""
    reason = ending(problem)
    if reason is None and isinstance(problem, (*PASSING, engine.Unavailable)):
        with database.turn():
            job_turns.pause(job, technical(problem))
    else:
        end(job, reason or doubtful(problem) or Reason.REFUSED, technical(problem))


def end(job: Job, reason: Reason, told: str = "") -> None:
    """Ends the job early; `told` are the engine's or the network's own words."""
    with database.turn():
        job_turns.fail(job, reason, told)


def ending(problem: Exception) -> Reason | None:
    """Why the whole job ends early; None where it need not."""
    return next((reason for kind, reason in _ENDING if isinstance(problem, kind)), None)


def doubtful(problem: Exception) -> Reason | None:
    """What may end the job where it comes again and again."""
    return next((reason for kind, reason in _DOUBTFUL.items() if isinstance(problem, kind)), None)


def outcome(problem: EngineError) -> tuple[ItemState, Reason]:
    """What became of the object that the error is about. Not for errors that are `ending` or PASSING."""
    if isinstance(problem, engine.Unknown):
        return ItemState.UNCLEAR, Reason.CUT_OFF
    if isinstance(problem, engine.NotFound) and problem.code:
        # Without a code it was not the engine that said so, but perhaps something in between.
        return ItemState.SKIPPED, Reason.GONE
    if isinstance(problem, engine.Refused):
        return ItemState.FAILED, Reason.IN_USE if problem.code == "FLOW_IN_USE" else Reason.REFUSED
    return ItemState.FAILED, doubtful(problem) or Reason.UNAVAILABLE


def technical(problem: Exception) -> str:
    """The engine's or the network's own words, for the folded part."""
    if not isinstance(problem, EngineError):
        return ""
    return " · ".join(part for part in (problem.message, problem.code, problem.technical) if part)
