"""A bulk action in a worker's hands: the job with its declaration, and the person at the engine."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from workflows_ui.kit import job_person, redact
from workflows_ui.kit.actions import Action, Row
from workflows_ui.kit.caller import Caller
from workflows_ui.kit.resource import Resource
from workflows_ui.models import Job
from workflows_ui.services.jobs import Reason

#: Seconds after which a turn makes room for others.
TURN = 20.0


class Enough(Exception):
    """The same failure came too often: the rest would fail alike."""

    def __init__(self, reason: Reason, technical: str) -> None:
        super().__init__(reason)
        self.reason, self.technical = reason, technical


@dataclass
class Work:
    """All that a turn needs. `apart`: each object by a call of its own; `data`: the form's values."""

    job: Job
    resource: Resource
    action: Action
    asking: Caller
    ends: float
    apart: bool = False
    data: dict[str, Any] = field(default_factory=dict)

    @property
    def over(self) -> bool:
        """Whether the turn's time is up."""
        return time.monotonic() >= self.ends

    def read(self, row: Row) -> Row:
        """A row as pages see it."""
        masked: Row = redact.step(row, secrets=self.resource.secrets)
        return masked


def begin(job: Job, resources: Mapping[str, Resource]) -> Work:
    """Takes it up. Raises Enough where it is declared no more; NoAccess, NotAllowed, NoCredential, CannotOpen, AddressRefused."""
    resource = resources.get(job.resource)
    actions = resource.actions if resource else ()
    action = next((one for one in actions if one.name == job.action and one.bulk and not one.collection), None)
    if resource is None or action is None or action.bulk is None:
        raise Enough(Reason.NOT_DECLARED, "")
    needed = max(action.role, resource.role, key=lambda role: role.rank)
    asking = job_person.caller_of(job, needed)
    work = Work(job, resource, action, asking, time.monotonic() + TURN, apart=action.bulk.together is None)
    stored = job.open("data")
    work.data = json.loads(stored) if stored else {}
    return work
