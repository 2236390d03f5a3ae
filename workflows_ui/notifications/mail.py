"""Mails for notices: in the recipient's language and time zone, each handed to the mail server at most once."""

import smtplib

import structlog
from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.template.loader import render_to_string
from django.utils import timezone, translation

from workflows_ui.accounts.models import User
from workflows_ui.accounts.services import second_step
from workflows_ui.core import database
from workflows_ui.notifications import messages as notification_messages
from workflows_ui.notifications import services as notifications
from workflows_ui.notifications.models import Notice

log = structlog.get_logger(__name__)
#: Rejections by the server: it certainly did not accept the mail.
_NO = (smtplib.SMTPResponseException, smtplib.SMTPRecipientsRefused)


def send(pk: int) -> bool:
    """Mail one notice if it is still wanted; return whether the mail server accepted it.

    After a failed connection or a rejection, the mail is retried later. If the connection is lost during the transfer, the server may have
    accepted it: the mail is never sent again.
    """
    with database.turn():
        row = notifications.claim_mail(pk)
    if row is None:
        return False
    message, connected = build_mail(row), False
    try:
        with get_connection() as server:
            connected = True
            server.send_messages([message])
    except (OSError, smtplib.SMTPException) as problem:
        retry_at = None
        if not connected or isinstance(problem, _NO):
            with database.turn():
                retry_at = notifications.mail_failed(row)
        log.warning(
            "mail.failed", notice=pk, error=type(problem).__name__, again=retry_at.isoformat() if retry_at else "never"
        )
        return False
    return True


def build_mail(row: Notice) -> EmailMessage:
    """Return the mail: plain text, links on BASE_URL. Line breaks in names never reach its headers.

    Without a second step of their own, a person gets no details of a workspace that requires one: a mail cannot know whether single sign-on
    will count.
    """
    person: User = row.user
    with translation.override(person.mail_language), timezone.override(person.zone):
        closed = row.workspace is not None and row.workspace.second_factor_required and not second_step.has(person)
        content = notification_messages.notification_message(row, concealed=closed)
        body = render_to_string(
            "notifications/mail.txt",
            {
                "notice": row,
                "news": content,
                "url": settings.BASE_URL + row.url,
                "profile_url": f"{settings.BASE_URL}/profile/",
                "console_url": settings.BASE_URL,
            },
        )
    return EmailMessage(" ".join(content.title.split()), body, settings.DEFAULT_FROM_EMAIL, [person.email])
