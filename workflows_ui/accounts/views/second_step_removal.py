"""For superusers: removing the second step of a person who has lost it."""

from allauth.account.adapter import get_adapter
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import translation
from django.utils.translation import gettext as _

from workflows_ui.accounts.models import User
from workflows_ui.accounts.services import second_step
from workflows_ui.web import responses
from workflows_ui.web.access import superuser
from workflows_ui.web.requests import ConsoleRequest, actor


@superuser
def take_away(request: ConsoleRequest, person_id: int) -> HttpResponse:
    """Ask for confirmation, then remove it and notify the person by mail."""
    person = get_object_or_404(User, pk=person_id)
    if request.method != "POST":
        return responses.page(request, "members/people/second_step.html", {"person": person})
    values = {"person": person.label[:80]}
    if second_step.remove_all(actor(request), person):
        with translation.override(person.mail_language):
            get_adapter(request).send_notification_mail("mfa/email/second_step_taken", person)
        messages.success(request, _("The two-factor authentication of %(person)s is removed.") % values)
    else:
        messages.info(request, _("%(person)s had no two-factor authentication.") % values)
    return responses.redirect(request, "person", person.pk)
