"""The periodic tasks: they find due rows in the database and enqueue a feature's task for each."""

from celery import shared_task

from workflows_ui.accounts import tasks as account_tasks  # noqa: F401  (registers it with Celery)
from workflows_ui.accounts.services import sessions
from workflows_ui.alarms import (
    channels as alarm_channels,
    checking as alarm_checking,
    services as alarms,
    tasks as alarm_tasks,
)
from workflows_ui.audit.services import hash_chain
from workflows_ui.core import broker, caching, database, heartbeat
from workflows_ui.credentials import tasks as credential_tasks
from workflows_ui.credentials.services import capabilities, renewal, scheduled_checks, secret_rotation
from workflows_ui.deleted_objects import services as deleted_objects
from workflows_ui.failure_rules import acting as failure_acting, noticing as failure_noticing, tasks as failure_tasks
from workflows_ui.flow_editing import services as flow_edits
from workflows_ui.jobs.services import turns as job_turns
from workflows_ui.launches import tasks as launch_tasks
from workflows_ui.launches.services import following, repairs, sweeping, watching
from workflows_ui.notification_mails import tasks as notification_tasks
from workflows_ui.notifications import services as notifications
from workflows_ui.resource_admin.jobs import tasks as job_tasks
from workflows_ui.run_index import tasks as run_index_tasks
from workflows_ui.run_index.services import indexes, launch_words, reading
from workflows_ui.unclear_writes import services as unclear_writes
from workflows_ui.write_looks import tasks as write_look_tasks


@shared_task
def tick() -> None:
    """Every second: end late launches, handle lost ones, and enqueue what people wait for."""
    with database.turn():
        sweeping.end_late()
        sweeping.notice_lost()
        launches = sweeping.to_enqueue()
        job_turns.notice_lost()
        jobs = job_turns.to_enqueue()
        polled = following.due()
        indexed = reading.due()
        unclear = unclear_writes.to_enqueue()
    for launch_id in launches:
        launch_tasks.send.delay(launch_id)
    for job_id in jobs:
        job_tasks.work.delay(job_id)
    broker.enqueue_each(launch_tasks.follow, polled)
    broker.enqueue_each(run_index_tasks.read, indexed)
    broker.enqueue_each(write_look_tasks.look, unclear)
    with database.turn():
        heartbeat.beat()


@shared_task
def seal() -> None:
    """Every second: append new rows of the audit log to its chain."""
    with database.turn():
        hash_chain.seal()


@shared_task
def news() -> None:
    """Every few seconds: write notifications, and enqueue what nobody waits for, such as mails and checks of flows and credentials."""
    with database.turn():
        sweeping.forget_files()
        watching.find_news()
        workspaces = watching.due()
        retried = repairs.due()
        mails = notifications.to_mail()
        checked = alarm_checking.due()
        failed = failure_acting.due()
        announced = alarm_channels.due()
        inspected = capabilities.due()
        renewed = renewal.due()
        tested = scheduled_checks.due()
        worded = launch_words.due()
    broker.enqueue_each(launch_tasks.watch, workspaces)
    broker.enqueue_each(launch_tasks.look_at_retries, retried)
    broker.enqueue_each(notification_tasks.mail, mails)
    broker.enqueue_each(alarm_tasks.check, checked)
    broker.enqueue_each(failure_tasks.act, failed)
    broker.enqueue_each(alarm_tasks.send, announced)
    broker.enqueue_each(credential_tasks.renew, map(str, renewed))
    broker.enqueue_each(credential_tasks.test_credential, map(str, tested))
    broker.enqueue_each(credential_tasks.inspect, inspected)
    broker.enqueue_each(run_index_tasks.read_launches, worded)


@shared_task
def purge() -> None:
    """Every hour: delete expired rows, and send reminders about credentials."""
    with database.turn():
        sweeping.purge()
        job_turns.purge()
        secret_rotation.purge()
        deleted_objects.purge()
        flow_edits.purge()
        unclear_writes.purge()
        scheduled_checks.schedule()
        scheduled_checks.remind()
        hash_chain.prune()
        hash_chain.log_head()
        notifications.purge()
        alarms.purge()
        alarm_channels.purge()
        failure_noticing.purge()
        sessions.purge()
        caching.prune()
    # In a turn of its own: an index that was ended may leave a million rows.
    with database.turn():
        indexes.purge()
