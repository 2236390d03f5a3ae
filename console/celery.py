"""The Celery application and its clock. The broker is only a bell: the rows in the database are the truth.

A worker: `celery -A console worker -P threads -c <WORKER_SLOTS + 20> --without-gossip --without-mingle --without-heartbeat`; the clock:
`celery -A console beat`. Any number of each may run.
"""

import os
from typing import Any

from celery import Celery
from celery.signals import setup_logging

from console import broker

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "console.settings")
broker.register()
app = Celery("console")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["workflows_ui"])
#: Seconds between two ticks, and after which an unheard one is void: a worker that was away does not hear them all afterwards.
TICK = 1.0
HOUR = 3600.0
app.conf.beat_schedule = {
    "tick": {"task": "workflows_ui.tasks.tick", "schedule": TICK, "options": {"expires": TICK}},
    "purge": {"task": "workflows_ui.tasks.purge", "schedule": HOUR, "options": {"expires": HOUR}},
}


@setup_logging.connect  # type: ignore[untyped-decorator]
def _keep_our_logging(**_signal: Any) -> None:
    """Celery sets logging up in its own way unless somebody listens to this signal; Django has done it already."""
