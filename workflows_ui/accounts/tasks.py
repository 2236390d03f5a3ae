"""Tasks of accounts."""

from typing import Any

from celery import shared_task

from workflows_ui.accounts import password_mail

#: Seconds after which a password mail is no longer expected.
EXPIRES = 1800


@shared_task(bind=True, max_retries=5)
def mail_password(self: Any, people: list[int], language: str) -> None:
    """Mail these people a link to choose a new password; retry later for mails that were not accepted."""
    refused = [pk for pk in people if not password_mail.send(pk, language)]
    if refused and self.request.retries < self.max_retries:
        raise self.retry((refused, language), countdown=30 * 2**self.request.retries)
