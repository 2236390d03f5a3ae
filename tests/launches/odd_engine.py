"""An engine that says whatever a test puts into it, true or not, and the users that launches there."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from tests.engine.servers import WEBHOOK_ID, Recorder, Reply, Seen
from tests.stub_engine import identity, run
from tests.users import Users, gather, workspace
from workflows_ui.audit.services import audit_log
from workflows_ui.engine.transport import close_pools
from workflows_ui.launches.models import Launch, State
from workflows_ui.launches.services import following, launches, sending

SECRET = "tok-the-secret-of-the-liars-credential"
FLOW = identity(1)


class Liar(Recorder):
    """`flow` answers reads of a flow, `trigger` triggers,
    `pages` the next run lists, `page` the others (None: a page of `runs`), `single` single runs (by default those of `runs`)."""

    def __init__(self) -> None:
        self.runs: list[dict[str, Any]] = []
        self.more: str | None = None
        self.page: Reply | None = None
        self.pages: list[Reply] = []
        self.single: dict[str, Reply] = {}
        self.flow = Reply(200, {"id": FLOW, "status": "ENABLED"})
        self.trigger = Reply(200, {}, (("x-webhook-id", WEBHOOK_ID),))
        super().__init__(answer=self._say)
        self.users: Users = gather(workspace("sales", address=f"{self.url}/api"), SECRET)

    def __enter__(self) -> "Liar":
        super().__enter__()
        return self

    def __exit__(self, *details: object) -> None:
        close_pools()
        super().__exit__(*details)

    def _say(self, seen: Seen) -> Reply:
        if "/webhooks/" in seen.path:
            return self.trigger
        if "/flows/" in seen.path:
            return self.flow
        if seen.path.endswith("/flow-runs"):
            if self.pages:
                return self.pages.pop(0)
            rows = [{key: value for key, value in row.items() if key != "steps"} for row in self.runs]
            return self.page or Reply(200, {"data": rows, "next": self.more, "previous": None})
        wanted = seen.path.rsplit("/", 1)[-1]
        gone = Reply(400, {"code": "FLOW_RUN_NOT_FOUND", "params": {}})
        found = next((Reply(200, row) for row in self.runs if row.get("id") == wanted), gone)
        return self.single.get(wanted, found)

    def launch(self, *, send: bool = True, payload: Any = None) -> Launch:
        """A launch of the colleague's, sent as a worker would."""
        order = launches.LaunchRequest(FLOW, "A flow", payload or {}, False, launches.ticket(), confirmed=True)
        made = launches.create(
            audit_log.Actor(self.users.colleague), self.users.place(self.users.colleague), order
        ).launch
        assert made is not None
        if send:
            sending.send(made.pk)
        return self.now(made)

    def accepted(self, *, ago: timedelta = timedelta(seconds=5)) -> Launch:
        """A launch that was accepted a while ago, without a call."""
        made = self.launch(send=False)
        then = timezone.now() - ago
        Launch.objects.filter(pk=made.pk).update(
            state=State.ACCEPTED, asked_at=then, sending_at=then, answered_at=then, poll_at=then
        )
        return self.now(made)

    def shows(self, launch: Launch, number: int = 1, **changes: Any) -> None:
        """Puts a run of the launch among the engine's runs."""
        self.runs.append(run(number, **({"parentRunId": launch.pk, "flowId": FLOW} | changes)))

    def poll(self) -> None:
        """Looks once, now, at everything that wants to be looked at."""
        Launch.objects.filter(poll_at__isnull=False).update(poll_at=timezone.now() - timedelta(seconds=1))
        following.poll(self.users.workspace.pk)

    def now(self, launch: Launch) -> Launch:
        """The launch as it stands in the database."""
        return Launch.objects.select_related("workspace").get(pk=launch.pk)
