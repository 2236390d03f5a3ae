"""For superusers: taking the second step away from somebody who has lost it."""

from allauth.account.adapter import get_adapter
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.urls import path, reverse
from django.utils import translation
from django.utils.translation import gettext as _

from workflows_ui.kit import respond
from workflows_ui.kit.access import superuser
from workflows_ui.kit.request import ConsoleRequest, actor
from workflows_ui.models import User
from workflows_ui.services import second_step


@superuser
def take_away(request: ConsoleRequest, person_id: int) -> HttpResponse:
    """Asks, then does it; the person is told by mail."""
    found = User.objects.filter(pk=person_id).first()
    if found is None:
        raise Http404
    if request.method != "POST":
        return respond.page(request, "people/second_step.html", {"person": found})
    name = {"person": found.label[:80]}
    if second_step.take_away(actor(request), found):
        with translation.override(found.language or translation.get_language()):
            get_adapter(request).send_notification_mail("mfa/email/second_step_taken", found)
        messages.success(request, _("The second step of %(person)s is taken away.") % name)
    else:
        messages.info(request, _("%(person)s had no second step.") % name)
    return respond.redirect(request, reverse("person", args=[found.pk]))


urlpatterns = [path("people/<int:person_id>/second-step/", take_away, name="second_step_take_away")]
