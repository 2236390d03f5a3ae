"""The Celery application and its clock. The broker is only a bell: the rows in the database are the truth.

A worker: `celery -A console worker -P threads -c <WORKER_SLOTS + 20> --without-gossip --without-mingle --without-heartbeat`; the clock:
`celery -A console beat`. Any number of each may run.
"""

import os
from typing import Any

import structlog
from celery import Celery
from celery.signals import before_task_publish, setup_logging, task_postrun, task_prerun

from console import broker

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "console.settings")
broker.register()
app = Celery("console")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["workflows_ui"])
#: Seconds between two ticks; and after which an unheard one is void, so that a worker that was away does not hear them all
#: afterwards. The second is much longer, since it compares the clocks of two machines.
TICK, TICK_LIFE = 1.0, 30.0
NEWS = 3.0
HOUR = 3600.0
app.conf.beat_schedule = {
    "tick": {"task": "workflows_ui.tasks.tick", "schedule": TICK, "options": {"expires": TICK_LIFE}},
    "seal": {"task": "workflows_ui.tasks.seal", "schedule": TICK, "options": {"expires": TICK_LIFE}},
    "news": {"task": "workflows_ui.tasks.news", "schedule": NEWS, "options": {"expires": TICK_LIFE}},
    "purge": {"task": "workflows_ui.tasks.purge", "schedule": HOUR, "options": {"expires": HOUR}},
}


@setup_logging.connect
def _keep_our_logging(**_signal: Any) -> None:
    """Celery sets logging up in its own way unless somebody listens to this signal; Django has done it already."""


@before_task_publish.connect
def _send_request_id(headers: dict[str, Any] | None = None, **_signal: Any) -> None:
    """The request that led to a task is named in the task's own log lines."""
    request_id = structlog.contextvars.get_contextvars().get("request_id")
    if headers is not None and request_id:
        headers["console_request_id"] = request_id


@task_prerun.connect
def _name_request(task_id: str = "", task: Any = None, **_signal: Any) -> None:
    request_id = getattr(task.request, "console_request_id", None)
    structlog.contextvars.bind_contextvars(
        task_id=task_id, task=task.name, **({"request_id": request_id} if request_id else {})
    )


@task_postrun.connect
def _forget_request(**_signal: Any) -> None:
    structlog.contextvars.unbind_contextvars("task_id", "task", "request_id")
