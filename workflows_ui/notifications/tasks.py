"""Tasks of notifications."""

from celery import shared_task

from workflows_ui.notifications import mail as notification_mail


@shared_task
def mail(pk: int) -> None:
    notification_mail.send(pk)
