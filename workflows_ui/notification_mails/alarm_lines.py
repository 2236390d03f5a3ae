"""The alarms of a notice as its mail has them: with the step and the error of failures, and the addresses of their pages."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings
from django.utils.translation import get_language, gettext as _

from workflows_ui.accounts.models import User
from workflows_ui.core import formats
from workflows_ui.members.models import Role
from workflows_ui.members.services import members
from workflows_ui.notification_mails.causes import find_alarm_causes
from workflows_ui.notifications.messages import News
from workflows_ui.notifications.models import Notice


@dataclass(frozen=True)
class AlarmLine:
    """An alarm in a mail.

    Attributes:
        sentences: what is counted, since when, and the cause of failures, or how it ended.
        next_step: what people can do; "" if it is over.
        url, answer_url: absolute addresses of its page, and of the one that asks whether it was right ("" for people who may not say).
    """

    title: str
    sentences: Sequence[str]
    next_step: str
    url: str
    answer_url: str
    ended: bool


def build(person: User, notice: Notice, news: News) -> list[AlarmLine]:
    """The alarms that a notice is about; none for other notices, and if their workspace is closed to the person."""
    if not news.alarms or notice.workspace is None:
        return []
    causes = find_alarm_causes(person, notice, [alarm.run for alarm in news.alarms])
    answers = members.has_role(notice.workspace, person, Role.BUILDER)
    lines = []
    for position, alarm in enumerate(news.alarms):
        cause = causes.get(position)
        # Mail programs make links of addresses, and nobody can tell who wrote one in the message of a service.
        said = _("Error: %(message)s") % {"message": formats.unlinked(cause.message)} if cause and cause.message else ""
        lines.append(
            AlarmLine(
                alarm.title,
                [sentence for sentence in (*alarm.sentences[:1], said, *alarm.sentences[1:]) if sentence],
                alarm.next_step,
                settings.BASE_URL + (alarm.path or notice.url),
                settings.BASE_URL + alarm.answer_path if answers and alarm.answer_path else "",
                alarm.ended,
            )
        )
    return lines


def context(subject: str) -> dict[str, object]:
    """What the mail of a notice of alarms says beside them."""
    return {"subject": subject, "language": get_language()}
