"""What a chaos test plays on: a practice engine in this process, a workspace on it, and real workers around it."""

from datetime import datetime
from pathlib import Path

from django.db import connection

from practice_engine.engine import PracticeEngine
from practice_engine.server import Server, serve
from tests.chaos.stage import Stage
from tests.users import Users, gather, workspace
from workflows_ui.audit.services import audit_log
from workflows_ui.credentials.services import clients
from workflows_ui.launches.models import Launch
from workflows_ui.launches.services import launches


class Scene:
    """A practice engine at its real pace, a workspace on it, and real processes around it."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.engine = PracticeEngine(clock_scale=0.1, samples=False)
        self.server: Server = serve(self.engine)
        given = self.engine.credentials
        space = workspace("sales", address=f"{self.server.url}/api", project=given.project_id)
        self.users: Users = gather(space, given.bearer_token)
        self.workflows = clients.client_for_credential(self.users.credential).workflows
        self.stage = Stage(folder, **settings)

    def ask(self, flow_id: str, number: int, *, wait: bool = False, keep_until: datetime | None = None) -> Launch:
        order = launches.LaunchRequest(
            flow_id,
            "A flow",
            {"number": number},
            wait,
            launches.ticket(),
            confirmed=True,
            keep_until=keep_until,
        )
        launch = launches.create(audit_log.Actor(self.users.owner), self.users.place(self.users.owner), order).launch
        assert launch is not None
        return launch

    def sent(self, launch: Launch) -> int:
        """How often the engine got this launch's trigger."""
        return sum(entry.headers.get("ap-parent-run-id") == launch.pk for entry in self.engine.journal.triggers())

    def settled(self) -> bool:
        rows = list(Launch.objects.all())
        connection.close()
        return all(row.settled for row in rows)

    def close(self) -> None:
        self.stage.stop()
        self.server.stop()
        self.engine.close()
