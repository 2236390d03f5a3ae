"""The mail that reminds people of a credential's end, in the language of each."""

from django.conf import settings
from django.core.mail import send_mail
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from workflows_ui.models import User
from workflows_ui.services.credential_care import Reminder


def tell(reminder: Reminder) -> None:
    """Sends one mail to each of the credential's people who have an address. Raises OSError where no mail can be sent."""
    for person in reminder.people:
        if person.email:
            with translation.override(person.language or settings.LANGUAGE_CODE):
                send_mail(_subject(reminder), _text(reminder, person), None, [person.email])


def _subject(reminder: Reminder) -> str:
    name = " ".join(reminder.credential.name.split())[:80]
    words = ngettext(
        "The credential “%(name)s” ends within %(n)s day",
        "The credential “%(name)s” ends within %(n)s days",
        reminder.days,
    )
    return words % {"name": name, "n": reminder.days}


def _text(reminder: Reminder, person: User) -> str:
    credential = reminder.credential
    ends_at = credential.ends_at
    where = reverse("credential", kwargs={"slug": credential.workspace.slug, "credential_id": credential.pk})
    moment = date_format(timezone.localtime(ends_at), "DATETIME_FORMAT") if ends_at else ""
    lines = [
        _("The credential “%(name)s” in the workspace “%(workspace)s” ends on %(moment)s.")
        % {"name": credential.name, "workspace": credential.workspace.name, "moment": moment},
        _("Afterwards nothing can be seen or launched with it. Put another secret in its place before that:"),
        f"{settings.BASE_URL}{where}",
    ]
    return "\n\n".join(lines) + "\n"
