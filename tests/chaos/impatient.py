"""A healthy worker whose claim on a job is soon over: `python -m tests.chaos.impatient SECONDS`.

A test would else have to sit through the two minutes after which a job of a killed worker goes on. The product knows nothing of this.
"""

import sys
from datetime import timedelta

if __name__ == "__main__":
    import django

    django.setup()
    from console.celery import app
    from workflows_ui.jobs.services import turns as job_turns

    job_turns.LEASE = timedelta(seconds=int(sys.argv[1]))
    app.worker_main(["worker", "-P", "threads", "-c", "4", "--loglevel=WARNING", "--without-heartbeat"])
