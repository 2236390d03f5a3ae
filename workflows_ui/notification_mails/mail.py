"""Mails for notices, and daily digests of them: in the recipient's language and time zone, handed to the mail server at most once."""

import smtplib
from dataclasses import replace

import structlog
from django.conf import settings
from django.core.mail import EmailMessage, EmailMultiAlternatives, get_connection
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import ngettext

from workflows_ui.accounts.models import User
from workflows_ui.accounts.services import second_step
from workflows_ui.core import database, formats
from workflows_ui.core.text import Text
from workflows_ui.members.services import access as member_access
from workflows_ui.notification_mails import alarm_lines, unsubscribe
from workflows_ui.notification_mails.causes import find_causes, find_repairs
from workflows_ui.notifications import mutes, services as notifications
from workflows_ui.notifications.messages import notification_message
from workflows_ui.notifications.models import KINDS_OF_TOPIC, Notice, Topic

#: Notices in a digest; others are counted.
DIGEST = 50
#: Runs that are read from the engine for one mail, to name the cause; of others, the mail names the step only.
ENGINE_READS = 5

log = structlog.get_logger(__name__)
#: Rejections by the server: it certainly did not accept the mail.
_NO = (smtplib.SMTPResponseException, smtplib.SMTPRecipientsRefused)


def send(pk: int) -> bool:
    """Mail one notice, or the digest that it is in, if it is still wanted; return whether the mail server accepted it.

    After a failed connection or a rejection, the mail is retried later. If the connection is lost during the transfer, the server may have
    accepted it: the mail is never sent again.
    """
    with database.turn():
        rows = [row for row in notifications.claim_mail(pk) if _may_open(row)]
    if not rows:
        return False
    message, connected = build_mail(*rows), False
    try:
        with get_connection() as server:
            connected = True
            server.send_messages([message])
    except (OSError, smtplib.SMTPException) as problem:
        retry_at = None
        if not connected or isinstance(problem, _NO):
            with database.turn():
                retry_at = notifications.mail_failed(rows)
        log.warning(
            "mail.failed", notice=pk, error=type(problem).__name__, again=retry_at.isoformat() if retry_at else "never"
        )
        return False
    return True


def _may_open(row: Notice) -> bool:
    """Whether a person may still open the workspace that a notice is about. Their own credentials stay their affair without it."""
    if row.workspace is None or row.kind in KINDS_OF_TOPIC[Topic.CREDENTIALS]:
        return True
    try:
        member_access.access_for(row.user, row.workspace.slug)
    except member_access.NoAccess:
        return False
    return True


def build_mail(*rows: Notice) -> EmailMessage:
    """The mail of one notice, or a digest of several: plain text, links on BASE_URL. Line breaks in names never reach its headers.

    Without a second step of their own, a person gets no details of a workspace that requires one: a mail cannot know whether single sign-on
    will count.
    """
    person: User = rows[0].user
    with translation.override(person.mail_language), timezone.override(person.zone):
        alone = not second_step.has(person)
        spaces = [row.workspace for row in rows if row.workspace is not None]
        closed = {space.pk for space in spaces if alone and space.second_factor_required}
        causes = find_causes(person, rows[:DIGEST], closed=closed, engine_reads=ENGINE_READS)
        repairs = find_repairs(person, rows[:DIGEST], closed=closed)
        items: list[dict[str, object]] = []
        titles: list[Text] = []
        for row in rows[:DIGEST]:
            reason = causes.get(row.pk)
            # Mail programs make links of addresses, and nobody can tell who wrote one in the message of a service.
            if reason is not None:
                plain_step, plain_message = formats.unlinked(reason.step), formats.unlinked(reason.message)
                reason = replace(reason, step=plain_step, message=plain_message)
            news = notification_message(row, concealed=row.workspace_id in closed, reason=reason)
            alarms = alarm_lines.build(person, row, news)
            titles.append(news.title)
            repair = settings.BASE_URL + repairs[row.pk] if row.pk in repairs else ""
            url = settings.BASE_URL + row.url
            items.append({"notice": row, "news": news, "alarms": alarms, "url": url, "repair_url": repair})
        scope = mutes.scope_of(rows[0]) if len(rows) == 1 else None
        unsubscribe_url = unsubscribe.url(person, scope)
        following = reverse("notice_following", args=[rows[0].pk]) if len(rows) == 1 else reverse("following")
        context: dict[str, object] = {
            "unsubscribe_url": unsubscribe_url,
            "following_url": settings.BASE_URL + following,
            "settings_url": settings.BASE_URL + reverse("notification_settings"),
            "console_url": settings.BASE_URL,
        }
        html = ""
        if len(rows) == 1 and items[0]["alarms"]:
            subject, context = str(titles[0]), context | items[0] | alarm_lines.context(str(titles[0]))
            body = render_to_string("notifications/alarm_mail.txt", context)
            html = render_to_string("notifications/alarm_mail.html", context)
        elif len(rows) == 1:
            subject = str(titles[0])
            body = render_to_string("notifications/mail.txt", context | items[0])
        else:
            subject = ngettext("%(n)d notification", "%(n)d notifications", len(rows)) % {"n": len(rows)}
            more = {"items": items, "more": len(rows) - len(items), "list_url": settings.BASE_URL + reverse("notices")}
            body = render_to_string("notifications/digest.txt", context | more)
    message = EmailMultiAlternatives(
        " ".join(subject.split()),
        body,
        settings.DEFAULT_FROM_EMAIL,
        [person.email],
        headers=unsubscribe.headers(unsubscribe_url),
    )
    if html:
        message.attach_alternative(html, "text/html")
    return message
