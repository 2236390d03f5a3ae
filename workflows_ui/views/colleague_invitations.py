"""Inviting colleagues into a workspace: the form, the page that shows a new link once, making the link anew, taking it back."""

import json
import logging
from smtplib import SMTPException

from allauth.core import ratelimit
from django.conf import settings
from django.contrib import messages
from django.core import mail
from django.http import Http404, HttpResponse
from django.template.loader import render_to_string
from django.urls import path, reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_POST

from workflows_ui import crypto
from workflows_ui.forms.colleague_invitations import DaysForm, InviteForm
from workflows_ui.kit import invitation_words, launch_right_words, respond
from workflows_ui.kit.access import member
from workflows_ui.kit.request import ConsoleRequest, actor
from workflows_ui.models import ColleagueInvitation, Role, User
from workflows_ui.services import colleague_invitations, members, teams
from workflows_ui.services.colleague_invitations import Tokens

_log = logging.getLogger(__name__)
_TOO_MANY = gettext_lazy("You have made many invitations within an hour. Wait a while, then go on.")
#: Where a session keeps the link, sealed, between making it and showing it once.
_SHOWN_ONCE = "invitation_links"


@never_cache
@member(Role.MANAGER)
def invite(request: ConsoleRequest, slug: str) -> HttpResponse:
    """The form, and making the invitation."""
    workspace = request.access.workspace
    form = InviteForm(request.POST or None, teams=teams.giveable(request.user, workspace))
    if request.method == "POST" and form.is_valid() and _too_many(request):
        form.add_error(None, _TOO_MANY)
    elif request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            row, tokens = colleague_invitations.invite(
                actor(request),
                workspace,
                email=data["email"],
                role=form.chosen,
                given=data.get("teams") or [],
                days=data["days"],
            )
        except members.AlreadyMember:
            form.add_error("email", _("Somebody with this address belongs to the workspace already."))
        except PermissionError:
            form.add_error(None, _("You may not give one of these teams any more. Look at them again."))
        else:
            return _made(request, row, tokens)
    return respond.page(request, "members/invite.html", {"form": form}, status=422 if form.errors else 200)


@never_cache
@member(Role.MANAGER)
def invitation(request: ConsoleRequest, slug: str, invitation_id: int) -> HttpResponse:
    """One invitation: its state, its link directly after it was made, and what can be done with it."""
    row = _find(request, invitation_id)
    kept = request.session.get(_SHOWN_ONCE)
    link = ""
    if isinstance(kept, dict) and str(row.pk) in kept:
        link = _opened(kept.pop(str(row.pk)), row)
        request.session[_SHOWN_ONCE] = kept
    context = {
        "told": invitation_words.tell(row),
        "link": link,
        "form": DaysForm(),
        "mail": _mail_is_set_up(),
    }
    return respond.page(request, "members/invitation.html", context)


@require_POST
@member(Role.MANAGER)
def renew(request: ConsoleRequest, slug: str, invitation_id: int) -> HttpResponse:
    """A new link, which takes the place of the old one."""
    row = _find(request, invitation_id)
    form = DaysForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Choose for how long the link works."))
        return _there(request, row)
    if _too_many(request):
        messages.error(request, _TOO_MANY)
        return _there(request, row)
    try:
        tokens = colleague_invitations.renew(actor(request), row, form.cleaned_data["days"])
    except colleague_invitations.NotOpen:
        messages.warning(request, _("This invitation was accepted or taken back meanwhile. Invite anew if needed."))
        return _there(request, row)
    except PermissionError:
        messages.error(request, _("You may not give one of its teams. Take it back, and invite anew."))
        return _there(request, row)
    return _made(request, row, tokens)


@require_POST
@member(Role.MANAGER)
def revoke(request: ConsoleRequest, slug: str, invitation_id: int) -> HttpResponse:
    """Takes an invitation back: its links die at once."""
    row = _find(request, invitation_id)
    if colleague_invitations.revoke(actor(request), row):
        messages.success(request, _("The invitation of %(email)s is taken back.") % {"email": row.email})
    else:
        messages.warning(request, _("There was nothing to take back: it was accepted or taken back already."))
    return respond.redirect(request, reverse("members", kwargs={"slug": slug}))


def _too_many(request: ConsoleRequest) -> bool:
    """Whether this person has made so many links within the hour that mails of theirs would be a nuisance."""
    return not ratelimit.consume(request, action="invite", user=request.user)


@sensitive_variables("tokens", "kept")
def _made(request: ConsoleRequest, row: ColleagueInvitation, tokens: Tokens) -> HttpResponse:
    """Keeps the link for the page that follows, and sends it by mail where mail is set up."""
    kept = request.session.get(_SHOWN_ONCE)
    kept = kept if isinstance(kept, dict) else {}
    kept[str(row.pk)] = crypto.seal(json.dumps(tokens.link), _place(row))
    request.session[_SHOWN_ONCE] = kept
    if not _mail_is_set_up():
        messages.success(request, _("The invitation is made. Copy the link, and give it to them yourself."))
    elif _send(row, tokens.mail):
        messages.success(request, _("The invitation is on its way to %(email)s.") % {"email": row.email})
    else:
        messages.warning(
            request,
            _("The mail to %(email)s could not be sent. Copy the link, and give it to them yourself.")
            % {"email": row.email},
        )
    return _there(request, row)


@sensitive_variables("token", "context", "text")
def _send(row: ColleagueInvitation, token: str) -> bool:
    """Sends the link in the language of whoever has the address, else in the inviter's; says whether a mail server took it."""
    known = User.objects.filter(email__iexact=row.email).first()
    language = known.language if known and known.language else translation.get_language() or settings.LANGUAGE_CODE
    with translation.override(language):
        context = {
            "row": row,
            "role": invitation_words.role(row),
            "until": launch_right_words.until(row.expires_at),
            "link": address(token),
            "console_url": settings.BASE_URL,
        }
        subject = " ".join(render_to_string("members/email/invitation_subject.txt", context).split())
        text = render_to_string("members/email/invitation_message.txt", context)
    try:
        mail.send_mail(subject, text, settings.DEFAULT_FROM_EMAIL, [row.email])
    except (SMTPException, OSError) as problem:
        _log.warning("invitation not mailed: %s", type(problem).__name__)
        return False
    colleague_invitations.mailed(row)
    return True


def address(token: str) -> str:
    """The link with this token, on the console's own address, whatever host a request named."""
    return settings.BASE_URL + reverse("join", kwargs={"token": token})


def _opened(sealed: object, row: ColleagueInvitation) -> str:
    try:
        return address(str(json.loads(crypto.unseal(str(sealed), _place(row)))))
    except (crypto.CannotOpen, ValueError):
        return ""


def _place(row: ColleagueInvitation) -> str:
    return f"invitation:{row.pk}:link"


def _mail_is_set_up() -> bool:
    return not settings.EMAIL_BACKEND.endswith("dummy.EmailBackend")


def _find(request: ConsoleRequest, invitation_id: int) -> ColleagueInvitation:
    row = colleague_invitations.listed(request.access.workspace).filter(pk=invitation_id).first()
    if row is None:
        raise Http404
    return row


def _there(request: ConsoleRequest, row: ColleagueInvitation) -> HttpResponse:
    named = {"slug": request.access.workspace.slug, "invitation_id": row.pk}
    return respond.redirect(request, reverse("invitation", kwargs=named))


urlpatterns = [
    path("w/<slug:slug>/members/invite/", invite, name="invite"),
    path("w/<slug:slug>/members/invitations/<int:invitation_id>/", invitation, name="invitation"),
    path("w/<slug:slug>/members/invitations/<int:invitation_id>/renew/", renew, name="invitation_renew"),
    path("w/<slug:slug>/members/invitations/<int:invitation_id>/revoke/", revoke, name="invitation_revoke"),
]
