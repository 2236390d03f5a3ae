"""The mail with a link to choose a new password. The link is created with the mail and never stored in broker or database."""

import smtplib

import structlog
from allauth.account.adapter import get_adapter
from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from django.conf import settings
from django.core.mail import EmailMessage
from django.urls import reverse
from django.utils import translation
from django.views.decorators.debug import sensitive_variables

from workflows_ui.accounts.models import User
from workflows_ui.core import database

log = structlog.get_logger(__name__)


def send(pk: int, language: str) -> bool:
    """Mail a person the link, in their own language, else in `language`; return False if the mail server did not accept it.

    People with single sign-on and no password get no mail.
    """
    with database.turn():
        person = User.objects.filter(pk=pk, is_active=True).exclude(email="").first()
        if person is None or not (person.has_usable_password() or not person.identities.exists()):
            return True
        message = build_mail(person, language)
    try:
        message.send()
    except (OSError, smtplib.SMTPException) as problem:
        log.warning("mail.failed", reset_of=pk, error=type(problem).__name__)
        return False
    return True


@sensitive_variables("key", "address", "context")
def build_mail(person: User, language: str) -> EmailMessage:
    """The mail to the stored address of the account, not to the typed one; its link is on BASE_URL."""
    languages = (code for code in (person.language, language) if code in dict(settings.LANGUAGES))
    key = default_token_generator.make_token(person)
    arguments = {"uidb36": user_pk_to_url_str(person), "key": key}
    address = settings.BASE_URL + reverse("account_reset_password_from_key", kwargs=arguments)
    context = {"password_reset_url": address, "username": person.username, "console_url": settings.BASE_URL}
    with translation.override(next(languages, settings.LANGUAGE_CODE)):
        message: EmailMessage = get_adapter().render_mail("account/email/password_reset_key", person.email, context)
    return message
