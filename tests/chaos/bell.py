"""Rings for launches, on the broker of the environment: `python -m tests.chaos.bell LAUNCH ...` as a page does after a click,
`QUEUE=LAUNCH` in a queue of its own."""

import sys

if __name__ == "__main__":
    import django

    django.setup()
    from workflows_ui.launches import tasks as launch_tasks

    for pair in sys.argv[1:]:
        queue, _, launch = pair.rpartition("=")
        if queue:
            launch_tasks.send.apply_async((launch,), queue=queue)
        else:
            launch_tasks.enqueue(launch)
