"""A Celery worker that is struck twice when it has a launch's answer in its hands: by an exception in the console, then by `kill -9`.

`python -m tests.secrets.crashing QUEUE`. The product knows nothing of this.
"""

import sys
from typing import Any

from tests.chaos.victim import die

if __name__ == "__main__":
    import django

    django.setup()
    from console.celery import app
    from workflows_ui.launches.services import sending

    struck: list[str] = []

    def record(*_args: Any, **_kwargs: Any) -> None:
        """Fails with everything of the launch in the frames above, the next time for good."""
        if struck:
            die()
        struck.append("once")
        raise RuntimeError("a bug")

    sending.record = record
    # One thread: the second launch comes after the first.
    app.worker_main(
        ["worker", "-P", "threads", "-c", "1", "-Q", sys.argv[1], "--loglevel=DEBUG", "--without-heartbeat"]
    )
