"""The page on which the owner of a credential agrees to share it with teams, and ends shares. It needs no role in the workspace."""

import uuid

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _

from workflows_ui.audit.requests import actor
from workflows_ui.credentials.models import Credential, CredentialShare
from workflows_ui.credentials.services import sharing
from workflows_ui.members.services import access
from workflows_ui.web import responses
from workflows_ui.web.access import signed_in
from workflows_ui.web.requests import ConsoleRequest


@signed_in
def consent(request: ConsoleRequest, credential_id: uuid.UUID) -> HttpResponse:
    """GET: the requests and shares of one's own credential. POST: the decision about one of them, in `share` and `decision`."""
    credentials = Credential.objects.select_related("workspace", "owner")
    credential = get_object_or_404(credentials, pk=credential_id, owner=request.user)
    if request.method == "POST":
        _decide(request, credential)
        return responses.redirect_to_view(request, "credential_consent", credential.pk)
    context = {
        "credential": credential,
        "waiting": sharing.waiting(credential=credential),
        "shares": sharing.genuine(credential=credential),
        "belongs": access.belongs(request.user, credential.workspace),
    }
    return responses.page(request, "credentials/consent.html", context)


def _decide(request: ConsoleRequest, credential: Credential) -> None:
    key, decision = request.POST.get("share", ""), request.POST.get("decision", "")
    rows = CredentialShare.objects.filter(credential=credential).select_related("team", "shared_by")
    row = rows.filter(pk=key).first() if key.isascii() and key.isdigit() and len(key) < 19 else None
    if decision not in {"agree", "end"}:
        messages.info(request, _("Nothing was changed."))
    elif row is None or not sharing.decide(actor(request), row, agrees=decision == "agree"):
        messages.warning(request, _("Nothing was changed: this was decided or revoked meanwhile."))
    elif decision == "agree":
        messages.success(request, _("The team %(team)s uses the credential now.") % {"team": row.team.name[:80]})
    else:
        messages.success(request, _("The team %(team)s does not use the credential.") % {"team": row.team.name[:80]})
