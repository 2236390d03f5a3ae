"""What the engine of a workspace can do, as it was last seen: looked at once a day and when asked for, and learnt from use.

The asking itself is in inspecting.py. What a look cannot tell leaves standing what was known.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

import structlog
from django.db.models import Q

from workflows_ui.crypto import CannotOpen
from workflows_ui.engine import AddressRefused, Client, EngineError
from workflows_ui.models import Ability, Capability, Credential, Health, Inspection, Workspace
from workflows_ui.services import clients, clock, database, inspecting, probe
from workflows_ui.services.inspecting import LEARNT, NAMES, Survey, Verdict

log = structlog.get_logger(__name__)

#: A look that has not come back after this long is taken over by another worker.
LEASE = timedelta(minutes=2)
DAILY = timedelta(days=1)
#: After a look that reached nobody: so long, doubled with each failure, up to a day.
AGAIN = timedelta(minutes=5)
#: What was learnt in use is forgotten after so long, so that it is tried again.
BELIEVED = timedelta(days=7)
#: Credentials that one look may use; workspaces named by one sweep.
CREDENTIALS, SWEPT = 3, 50


@dataclass(frozen=True)
class Abilities:
    """What is known to be lacking in a workspace: the name, and why (NO or NOT_IN_PLAN)."""

    lacking: Mapping[str, Ability]

    def lack(self, name: str) -> Ability | None:
        """Why this is lacking; None where it is not, or where that is not known."""
        return self.lacking.get(name)


@dataclass(frozen=True)
class _Work:
    workspace: Workspace
    clients: list[tuple[Credential, Client]]
    #: The credential for whose sake it is looked at, where it is the first that is asked.
    asker: Credential | None = None


def of(workspace: Workspace) -> Abilities:
    """What the workspace's engine is known to lack. One query."""
    lacking = Capability.objects.filter(workspace=workspace, state__in=(Ability.NO, Ability.NOT_IN_PLAN))
    return Abilities({name: Ability(state) for name, state in lacking.values_list("name", "state")})


def keep(workspace: Workspace, survey: Survey) -> None:
    """Writes down what a look saw. An unknown never replaces what was known."""
    now = clock.now()
    rows = [
        Capability(
            workspace=workspace,
            name=name,
            state=seen.state,
            status=seen.status,
            code=seen.code,
            checked_at=now,
            credential=credential,
        )
        for name, (seen, credential) in survey.verdicts.items()
    ]
    _put([row for row in rows if row.state != Ability.UNKNOWN])
    Capability.objects.bulk_create([row for row in rows if row.state == Ability.UNKNOWN], ignore_conflicts=True)


def learn(workspace: Workspace, credential_id: str, name: str, error: EngineError | None = None) -> Ability | None:
    """What using a capability told: it worked (no error), or it was refused. Gives why it is lacking, if it is.

    Names that are none are ignored.
    """
    if name not in NAMES:
        return None
    seen = Verdict(Ability.YES) if error is None else inspecting.verdict(name, error)
    if seen is None or seen.state is Ability.UNKNOWN:
        return None
    if not Capability.objects.filter(workspace=workspace, name=name, state=seen.state).exists():
        _put(
            [
                Capability(
                    workspace=workspace,
                    name=name,
                    state=seen.state,
                    status=seen.status,
                    code=seen.code,
                    checked_at=clock.now(),
                    credential=Credential.objects.filter(pk=credential_id, workspace=workspace).first(),
                )
            ]
        )
        if seen.state is not Ability.YES and name not in LEARNT:
            # One bad answer, of a gateway that is just being exchanged for instance, closes nothing for a whole day.
            soon = clock.now() + AGAIN
            Inspection.objects.filter(pk=workspace.pk, due_at__gt=soon).update(due_at=soon)
    return None if seen.state is Ability.YES else seen.state


def look_now(workspace: Workspace, credential: Credential) -> Survey:
    """Looks at once with one credential, because a person asked; what was only learnt in use is forgotten. Raises CannotOpen."""
    client = clients.of_credential(credential, timeouts=probe.TIMEOUTS)
    survey = inspecting.look([(credential, client)])
    keep(workspace, survey)
    if survey.verdicts:
        _forget(workspace)
        _settle(workspace, reached=True)
    return survey


def ask(credential: Credential) -> int:
    """Has the engine looked at soon, first by this credential; gives the workspace's id, to ring for."""
    Inspection.objects.update_or_create(
        workspace_id=credential.workspace_id,
        defaults={"due_at": clock.now(), "credential": credential},
    )
    return credential.workspace_id


def due() -> list[int]:
    """Ids of the workspaces whose engine is to be looked at now, and that nobody is looking at. Those without a credential wait."""
    now = clock.now()
    never = Q(inspection__isnull=True)
    waiting = Q(inspection__due_at__lte=now) & (
        Q(inspection__lease_until__isnull=True) | Q(inspection__lease_until__lt=now)
    )
    opened = Credential.objects.values("workspace_id")
    return list(Workspace.objects.filter(never | waiting, pk__in=opened).values_list("pk", flat=True)[:SWEPT])


def inspect(workspace_id: int) -> None:
    """Looks once at the engine of a workspace whose time has come. Safe to call any number of times, from any number of workers."""
    with database.turn():
        work = _take(workspace_id)
    if work is None:
        return
    survey = inspecting.look(work.clients)
    reached = bool(survey.verdicts)
    if not reached:
        log.info("inspect.failed", workspace=workspace_id, error=type(survey.stopped).__name__)
    with database.turn():
        keep(work.workspace, survey)
        if reached and work.asker is not None:
            _tell(work.asker, survey)
        if reached:
            _forget(work.workspace, before=BELIEVED)
        _settle(work.workspace, reached=reached)


def _take(workspace_id: int) -> _Work | None:
    """Takes the lease by one conditional UPDATE, so that any number of clocks and workers look once."""
    workspace = Workspace.objects.filter(pk=workspace_id).first()
    if workspace is None:
        return None
    now = clock.now()
    found, _made = Inspection.objects.get_or_create(workspace=workspace, defaults={"due_at": now})
    taken = Inspection.objects.filter(
        Q(lease_until__isnull=True) | Q(lease_until__lt=now), pk=workspace_id, due_at__lte=now
    ).update(lease_until=now + LEASE)
    if not taken:
        return None
    rows = Credential.objects.filter(workspace=workspace).select_related("workspace").order_by("-created_at")
    first = [row for row in rows if row.pk == found.credential_id]
    others = [row for row in rows if row.pk != found.credential_id and row.health != Health.REFUSED]
    usable = []
    for credential in [*first, *others][:CREDENTIALS]:
        try:
            usable.append((credential, clients.of_credential(credential, timeouts=probe.TIMEOUTS)))
        except (AddressRefused, CannotOpen, ValueError) as problem:
            log.warning("inspect.unusable", credential=str(credential.pk), error=type(problem).__name__)
    asker = usable[0][0] if first and usable and usable[0][0].pk == first[0].pk else None
    return _Work(workspace, usable, asker)


def _tell(credential: Credential, survey: Survey) -> None:
    """Adds what a new secret may do to what its test found, unless it was replaced or tested again meanwhile."""
    if all(by.pk != credential.pk for _seen, by in survey.verdicts.values()):
        return  # It was refused altogether, and others were asked.
    rows = Credential.objects.filter(pk=credential.pk, secret=credential.secret, tested_at=credential.tested_at)
    rows.update(findings=credential.findings | inspecting.allowed(survey, credential.pk))


def _settle(workspace: Workspace, *, reached: bool) -> None:
    """Gives the lease back and says when the next look is."""
    now = clock.now()
    row, _made = Inspection.objects.get_or_create(workspace=workspace, defaults={"due_at": now})
    failures = 0 if reached else row.failures + 1
    wait = DAILY if reached else min(AGAIN * 2 ** min(failures - 1, 10), DAILY)
    more = {"looked_at": now} if reached else {}
    Inspection.objects.filter(pk=workspace.pk).update(
        due_at=now + wait, lease_until=None, credential=None, failures=failures, **more
    )


def _forget(workspace: Workspace, before: timedelta = timedelta()) -> None:
    """What no read can tell is open again, so that a person may try."""
    Capability.objects.filter(workspace=workspace, name__in=LEARNT, checked_at__lte=clock.now() - before).exclude(
        state=Ability.YES
    ).update(state=Ability.UNKNOWN)


def _put(rows: list[Capability]) -> None:
    Capability.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["workspace", "name"],
        update_fields=["state", "status", "code", "checked_at", "credential"],
    )
