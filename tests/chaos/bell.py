"""Rings for launches in queues of their own: `python -m tests.chaos.bell QUEUE=LAUNCH ...`, on the broker of the environment."""

import sys

if __name__ == "__main__":
    import django

    django.setup()
    from workflows_ui import tasks

    for pair in sys.argv[1:]:
        queue, _, launch = pair.partition("=")
        tasks.send.apply_async((launch,), queue=queue)
