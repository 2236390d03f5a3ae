"""Mails that the console leaves to its workers: takes what pages rang for from the real broker, and carries it out as a worker would."""

from queue import Empty
from typing import Any

from console.celery import app
from workflows_ui.accounts import tasks as account_tasks


def rung(task: Any) -> list[tuple[Any, ...]]:
    """The arguments of what was rung for and waits, oldest first; everything is taken out of the broker, other bells too."""
    found: list[tuple[Any, ...]] = []
    with app.connection_for_read() as connection, connection.SimpleQueue(app.conf.task_default_queue) as queue:
        while True:
            try:
                message = queue.get(block=False)
            except Empty:
                return found
            message.ack()
            if message.headers["task"] == task.name:
                found.append(tuple(message.payload[0]))


def carry() -> list[tuple[Any, ...]]:
    """Sends the password mails that were asked for. Gives what the broker held of each."""
    asked = rung(account_tasks.mail_password)
    for arguments in asked:
        account_tasks.mail_password.apply(arguments)
    return asked


def forget() -> None:
    """Takes out what earlier tests asked for and left there."""
    rung(account_tasks.mail_password)
