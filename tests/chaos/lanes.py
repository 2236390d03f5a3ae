"""Launches with a plan each, on several engines behind gateways at once, and the judge who compares their ends with what really ran."""

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from practice_engine.engine import PracticeEngine
from practice_engine.journal import Received
from practice_engine.server import serve
from tests import flows
from tests.chaos.gateway import BREAKS, STATUSES, STRANGERS, THROUGH, Act, Gateway, Plan
from tests.users import credential, person, workspace
from workflows_ui.accounts.models import User
from workflows_ui.audit.services import audit_log
from workflows_ui.credentials.models import Credential, CredentialKind
from workflows_ui.credentials.services import clients
from workflows_ui.launches.models import Launch, Reason, State
from workflows_ui.launches.services import launches
from workflows_ui.members.models import Flavour, Member, Role, Workspace
from workflows_ui.members.services import access

#: Steps of the flows that are launched, and whether they are published.
FLOWS: dict[str, tuple[list[dict[str, Any]], bool]] = {
    "quick": ([flows.code("echo", given="{{trigger.body}}")], True),
    "answers": ([flows.response({"ok": True})], True),
    "declines": ([flows.response({"error": "no such thing"}, 422)], True),
    "fails": ([flows.code("fail Closed")], True),
    "exits": ([flows.code("exit")], True),
    "pauses": ([flows.delay(20), flows.code("echo", a="b")], True),
    "outlasts": ([flows.code("sleep 40")], True),
    "off": ([flows.code("echo", a="b")], False),
}
#: What may be wrong with the answer to a run list, now and then.
TROUBLES = ("500", "502", "reset", "429", "body cut", "200 page", "closed", "504")
#: A run's end and what the launch's must be.
ENDS = {
    "SUCCEEDED": State.SUCCEEDED,
    "FAILED": State.FAILED,
    "TIMEOUT": State.FAILED,
    "LOG_SIZE_EXCEEDED": State.FAILED,
    "INTERNAL_ERROR": State.FAILED,
    "MEMORY_LIMIT_EXCEEDED": State.FAILED,
    "CANCELED": State.CANCELLED,
}


@dataclass(frozen=True)
class Errand:
    """One launch to be asked for: which flow, whether it waits, and what the gateway does with it."""

    flow: str
    wait: bool
    plan: Plan


def errands(count: int, seed: int) -> list[Errand]:
    """As many launches as are wanted: each kind of answer with an engine that never got it, had acted, or acts only later; and
    some whose answer comes through. The same for the same seed."""
    chance = random.Random(seed)
    wrong = (*STATUSES, *BREAKS, *STRANGERS)
    plans = [Plan(act, answer) for answer in wrong for act in (Act.NEVER, Act.BEFORE)]
    late = [Plan(Act.AFTER, answer) for answer in wrong]
    chance.shuffle(late)
    plans += late[: len(wrong) // 2]
    plans += [Plan(Act.BEFORE, THROUGH)] * (60 - len(plans))
    made: list[Errand] = []
    while len(made) < count:
        chance.shuffle(plans)
        for plan in plans:
            kinds = [name for name in FLOWS if name != "off" or plan.answer == THROUGH]
            made.append(Errand(chance.choice(kinds), chance.random() < 0.5, plan))
    return made[:count]


@dataclass
class Lane:
    """An engine of some version behind a gateway of its own, the workspace on it, and the launches that were asked for there.

    Attributes:
        endless, dropped, trouble, ahead, date_ahead: of its gateway.
        appear_after: for how many of the engine's seconds a fresh run is hidden.
    """

    name: str
    owner: User
    colleague: User
    version: str = "0.83.0"
    flavour: Flavour = Flavour.ACTIVEPIECES
    ahead: timedelta = timedelta(0)
    date_ahead: timedelta = timedelta(0)
    appear_after: float = 5.0
    trouble: Callable[[int], str] = lambda _number: ""
    endless: bool = False
    dropped: frozenset[str] = frozenset()
    asked: dict[str, Errand] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.engine = PracticeEngine(clock_scale=0.02, samples=False)
        self.engine.settings.version = self.version
        self.engine.settings.appear_after = self.appear_after
        self.server = serve(self.engine)
        self.gateway = Gateway(
            self.server.port,
            trouble=self.trouble,
            ahead=self.ahead,
            date_ahead=self.date_ahead,
            endless=self.endless,
            dropped=self.dropped,
        )
        imbrace, given = self.flavour == Flavour.IMBRACE, self.engine.credentials
        base = "imbrace" if imbrace else "api"
        self.workspace: Workspace = workspace(
            self.name, flavour=self.flavour, address=f"{self.gateway.url}/{base}", project=given.project_id
        )
        kind = CredentialKind.API_KEY if imbrace else CredentialKind.BEARER_TOKEN
        keys = (
            (given.api_key, given.api_key_colleague) if imbrace else (given.bearer_token, given.bearer_token_colleague)
        )
        self.keys: dict[User, Credential] = {}
        for user, secret, role in zip((self.owner, self.colleague), keys, (Role.MANAGER, Role.LAUNCHER), strict=True):
            Member.objects.create(workspace=self.workspace, user=user, role=role)
            self.keys[user] = credential(self.workspace, user, secret, kind=kind)
        workflows = clients.client_for_credential(self.keys[self.owner]).workflows
        self.flows = {
            name: flows.make(workflows, name, *steps, publish=published) for name, (steps, published) in FLOWS.items()
        }

    def ask(self, errand: Errand, user: User | None = None) -> str:
        """Asks for a launch; its id."""
        user = user or self.owner
        place = access.access_for(user, self.workspace.slug)
        order = launches.LaunchRequest(
            self.flows[errand.flow],
            errand.flow,
            {"number": len(self.asked)},
            errand.wait,
            launches.ticket(),
            confirmed=True,
        )
        launch = launches.create(audit_log.Actor(user), place, order).launch
        assert launch is not None
        self.asked[launch.pk] = errand
        self.gateway.plans[launch.pk] = errand.plan
        return launch.pk

    def expire(self, user: User) -> None:
        """From now on the person's key is refused."""
        self.gateway.refused.add(self.keys[user].open("secret"))

    @property
    def quiet(self) -> bool:
        """Whether the engine has got all that it is ever going to get, and is done with it."""
        with self.engine.state.lock:
            return not self.gateway.busy and all(row["status"] in ENDS for row in self.engine.state.runs.values())

    def runs(self, launch: str) -> list[dict[str, Any]]:
        """The runs of a launch, as the engine knows them: each began with a request that bore its id."""
        ids = {run for entry in self.engine.journal.triggers() if _named(entry) == launch for run in entry.runs}
        with self.engine.state.lock:
            return [row for row in self.engine.state.runs.values() if row["id"] in ids]

    @property
    def provable(self) -> bool:
        """Whether lists can prove that there is no run: they end, and the marker has been seen to come back."""
        with self.engine.state.lock:
            marked = any(row["parentRunId"] in self.asked for row in self.engine.state.runs.values())
        return marked and not self.endless

    def close(self) -> None:
        self.gateway.stop()
        self.server.stop()
        self.engine.close()


@dataclass(frozen=True)
class Verdict:
    """What is wrong with the end of one launch."""

    kind: str
    lane: str
    errand: Errand
    state: str
    reason: str
    ran: str
    arrived: int

    def __str__(self) -> str:
        plan = f"{self.errand.plan.answer}, engine {self.errand.plan.act}"
        wait = "waiting" if self.errand.wait else "not waiting"
        said = f"{self.state} ({self.reason})" if self.reason else self.state
        ran = f"arrived {self.arrived}, run: {self.ran or 'none'}"
        return f"{self.kind:8} {self.lane:8} {self.errand.flow:9} {wait:12} {plan:32} {said:28} {ran}"


def judge(lanes: Iterable[Lane]) -> list[Verdict]:
    """Whatever did not end as the engine's log shows."""
    wrong: list[Verdict] = []
    for lane in lanes:
        for launch in Launch.objects.filter(workspace=lane.workspace):
            runs, arrived = lane.runs(launch.pk), lane.gateway.arrived(launch.pk)
            kind = _fault(lane, launch, runs, arrived)
            if kind:
                ran = ", ".join(run["status"] for run in runs)
                errand = lane.asked[launch.pk]
                wrong.append(Verdict(kind, lane.name, errand, launch.state, launch.reason, ran, arrived))
    return wrong


def _fault(lane: Lane, launch: Launch, runs: list[dict[str, Any]], arrived: int) -> str:
    if arrived > 1 or len(runs) > 1:
        return "TWICE"
    if not launch.settled:
        return "OPEN"
    if launch.state == State.UNKNOWN:
        # What ran is to be found wherever lists are read; that nothing ran cannot be proved everywhere, and is final after a day.
        return "UNCLEAR" if runs or (lane.provable and launch.reason != Reason.NO_TRACE) else ""
    if runs:
        same = launch.state == ENDS[runs[0]["status"]]
        return "" if same and launch.run_id in ("", runs[0]["id"]) else "FALSE"
    return "" if launch.state in {State.REFUSED, State.NOT_SENT} else "FALSE"


def _named(entry: Received) -> str:
    return entry.headers.get("ap-parent-run-id") or entry.headers.get("x-console-launch-id", "")


def crowd() -> tuple[User, User]:
    """The two people who launch."""
    return person("owner"), person("colleague")
