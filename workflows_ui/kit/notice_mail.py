"""Mails of notices: in the receiver's language and time zone, each handed over at most once."""

import smtplib

import structlog
from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.template.loader import render_to_string
from django.utils import timezone, translation

from workflows_ui.kit import notice_words
from workflows_ui.models import Notice, User
from workflows_ui.services import database, notices, second_step

log = structlog.get_logger(__name__)
#: The server's own no, by which it is certain that it did not take a mail.
_NO = (smtplib.SMTPResponseException, smtplib.SMTPRecipientsRefused)


def send(pk: int) -> bool:
    """Mails one notice, if it is still wanted; says whether the mail server took it.

    A server that cannot be reached or says no is tried again later. One that falls silent while it is handed the mail may have taken it:
    that mail is never sent again.
    """
    with database.turn():
        row = notices.claim_mail(pk)
    if row is None:
        return False
    message, reached = letter(row), False
    try:
        with get_connection() as server:
            reached = True
            server.send_messages([message])
    except (OSError, smtplib.SMTPException) as problem:
        again = None
        if not reached or isinstance(problem, _NO):
            with database.turn():
                again = notices.mail_failed(row)
        log.warning(
            "mail.failed", notice=pk, error=type(problem).__name__, again=again.isoformat() if again else "never"
        )
        return False
    return True


def letter(row: Notice) -> EmailMessage:
    """The mail: plain text, links on the console's own address. No line break of a flow's name gets into its head.

    Whoever has no second step is told nothing of a workspace that demands one; whether a single sign-on will count, no mail knows.
    """
    person: User = row.user
    language = person.language if person.language in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE
    with translation.override(language), timezone.override(person.zone):
        shut = row.workspace is not None and row.workspace.second_factor_required and not second_step.has(person)
        news = notice_words.veiled(row) if shut else notice_words.of(row)
        body = render_to_string(
            "notices/mail.txt",
            {
                "notice": row,
                "news": news,
                "url": settings.BASE_URL + row.url,
                "profile_url": f"{settings.BASE_URL}/profile/",
                "console_url": settings.BASE_URL,
            },
        )
    return EmailMessage(" ".join(news.title.split()), body, settings.DEFAULT_FROM_EMAIL, [person.email])
