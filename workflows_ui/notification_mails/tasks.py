"""The task that sends mails of notifications."""

from celery import shared_task

from workflows_ui.notification_mails import mail as notification_mail


#: The name is the one in the queues of earlier releases.
@shared_task(name="workflows_ui.notifications.tasks.mail")
def mail(pk: int) -> None:
    notification_mail.send(pk)
