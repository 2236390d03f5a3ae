"""Tasks of accounts."""

from celery import Task, shared_task

from workflows_ui.accounts import password_mail

#: Seconds after which a password mail is no longer expected.
EXPIRES = 1800
_RETRIES = 5


@shared_task(bind=True, max_retries=_RETRIES)
def mail_password(self: "Task[[list[int], str], None]", people: list[int], language: str) -> None:
    """Mail these people a link to choose a new password; retry later for mails that were not accepted."""
    refused = [pk for pk in people if not password_mail.send(pk, language)]
    if refused and self.request.retries < _RETRIES:
        raise self.retry((refused, language), countdown=30 * 2**self.request.retries)
