"""Rings for launches, on the broker of the environment: `python -m tests.chaos.bell LAUNCH ...` as a page does after a click,
`QUEUE=LAUNCH` in a queue of its own."""

import sys

if __name__ == "__main__":
    import django

    django.setup()
    from workflows_ui import tasks

    for pair in sys.argv[1:]:
        queue, _, launch = pair.rpartition("=")
        if queue:
            tasks.send.apply_async((launch,), queue=queue)
        else:
            tasks.ring(launch)
