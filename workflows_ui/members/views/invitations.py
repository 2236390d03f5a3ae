"""Invitations: the form, the page that shows a new link once, renewal, revocation, and the page of the link.

Opening a link changes nothing; its form creates an account, or accepts for a signed-in person.
"""

import logging
from collections.abc import Callable
from functools import partial
from smtplib import SMTPException

from allauth.account.adapter import get_adapter
from allauth.account.utils import perform_login
from allauth.core import ratelimit
from django.conf import settings
from django.contrib import messages
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import translation
from django.utils.http import urlencode
from django.utils.translation import gettext as _, gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_POST, require_safe

from workflows_ui.accounts.models import User
from workflows_ui.accounts.services import people
from workflows_ui.audit.requests import actor
from workflows_ui.audit.services.audit_log import Actor
from workflows_ui.core import crypto
from workflows_ui.credentials.services import practice
from workflows_ui.members import messages as member_messages
from workflows_ui.members.forms import DaysForm, InviteForm, JoinForm
from workflows_ui.members.models import ColleagueInvitation, InvitationRequest, Member, Role, Workspace
from workflows_ui.members.services import invitations, members
from workflows_ui.members.services.invitations import TokenMatch, Tokens
from workflows_ui.web import responses
from workflows_ui.web.access import member
from workflows_ui.web.requests import ConsoleRequest, is_sure

_log = logging.getLogger(__name__)
_TOO_MANY = gettext_lazy("You have created many invitations within an hour. Wait a while before you create more.")


def invite_colleague(request: ConsoleRequest, form: InviteForm) -> HttpResponse | None:
    """Make the invitation of a valid form, and redirect to its page; if that is not possible, the form has errors."""
    data = form.cleaned_data
    values = {"email": data["who"], "role": data["role"], "given": data.get("teams") or [], "days": data["days"]}
    return create_invitation(request, form, partial(invitations.invite, **values))


def create_invitation(
    request: ConsoleRequest, form: Form, create: Callable[[Actor, Workspace], tuple[ColleagueInvitation, Tokens]]
) -> HttpResponse | None:
    """Make the invitation of a valid form whose field `who` has the address, and redirect to its page.

    None if that is not possible: then the form has errors.
    """
    if _over_limit(request):
        form.add_error(None, _TOO_MANY)
        return None
    try:
        row, tokens = create(actor(request), request.access.workspace)
    except members.AlreadyMember:
        form.add_error("who", _("Someone with this address belongs to the workspace already."))
    except PermissionError:
        form.add_error(None, _("You may not give one of these teams any more. Look at them again."))
    else:
        return _deliver_link(request, row, tokens)
    return None


@never_cache
@require_safe
@member(Role.MANAGER)
def invitation(request: ConsoleRequest, slug: str, invitation_id: int) -> HttpResponse:
    """Show an invitation: its state, its link once after the creation, and its actions."""
    row = _find(request, invitation_id)
    context = {
        "status": member_messages.describe_invitations([row])[0],
        "link": _unsealed_link(request.session.pop(_link_key(row), ""), row),
        "form": DaysForm(),
        "mail": people.mail_is_set_up(),
    }
    return responses.page(request, "members/invitation.html", context)


@require_POST
@member(Role.MANAGER)
def renew(request: ConsoleRequest, slug: str, invitation_id: int) -> HttpResponse:
    row = _find(request, invitation_id)
    form = DaysForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Choose for how long the link works."))
    elif _over_limit(request):
        messages.error(request, _TOO_MANY)
    else:
        try:
            tokens = invitations.renew(actor(request), row, form.cleaned_data["days"])
        except invitations.NotOpen:
            messages.warning(
                request, _("This invitation was accepted or revoked in the meantime. Invite again if necessary.")
            )
        except PermissionError:
            messages.error(request, _("You may not give one of its teams. Revoke it, and invite again."))
        else:
            return _deliver_link(request, row, tokens)
    return _redirect(request, row)


@require_POST
@member(Role.MANAGER)
def revoke(request: ConsoleRequest, slug: str, invitation_id: int) -> HttpResponse:
    """Revoke an invitation: its links stop working at once."""
    row = _find(request, invitation_id)
    if not is_sure(request):
        messages.info(request, _("Nothing was changed."))
        return responses.redirect_to_view(request, "members", slug)
    if invitations.revoke(actor(request), row):
        messages.success(request, _("The invitation of %(email)s is revoked.") % {"email": row.email})
    else:
        messages.warning(request, _("Nothing to revoke: it was already accepted or revoked."))
    return responses.redirect_to_view(request, "members", slug)


@require_POST
@member(Role.MANAGER)
def decide(request: ConsoleRequest, slug: str, invitation_id: int) -> HttpResponse:
    """Confirm or refuse a request to use the invitation with another address."""
    row = _find(request, invitation_id)
    chosen = request.POST.get("request", "")
    invitation_request = next(
        (candidate for candidate in invitations.undecided_requests([row]) if str(candidate.pk) == chosen), None
    )
    try:
        text = _decide(request, row, invitation_request) if invitation_request else ""
    except invitations.NotOpen:
        text = ""
    if text:
        messages.success(request, text)
    else:
        messages.warning(
            request, _("Nothing was done: it was decided already, or the invitation does not work any more.")
        )
    return _redirect(request, row)


def _decide(request: ConsoleRequest, row: ColleagueInvitation, invitation_request: InvitationRequest) -> str:
    """Decide, and return the message for the manager. Raises NotOpen."""
    values = {"person": invitation_request.user.label[:80]}
    if request.POST.get("decision") != "confirm":
        invitations.refuse(actor(request), row, invitation_request)
        return _("%(person)s was declined. The invitation stays open for its address.") % values
    member_row = invitations.confirm(actor(request), row, invitation_request)
    if member_row is not None:
        practice.equip(member_row)
    return _("%(person)s now belongs to the workspace.") % values


def _over_limit(request: ConsoleRequest) -> bool:
    """Count a new link; return whether the person has exceeded the hourly limit, which prevents mass mails."""
    return not ratelimit.consume(request, action="invite", user=request.user)


@sensitive_variables("tokens")
def _deliver_link(request: ConsoleRequest, row: ColleagueInvitation, tokens: Tokens) -> HttpResponse:
    """Store the link for the next page, and mail it if mail is configured."""
    request.session[_link_key(row)] = crypto.seal(tokens.link, _link_key(row))
    if not people.mail_is_set_up():
        messages.success(request, _("The invitation was created. Copy the link and pass it on yourself."))
    elif _send(row, tokens.mail):
        messages.success(request, _("The invitation is on its way to %(email)s.") % {"email": row.email})
    else:
        messages.warning(
            request,
            _("The email to %(email)s could not be sent. Copy the link, and give it to them yourself.")
            % {"email": row.email},
        )
    return _redirect(request, row)


@sensitive_variables("token", "context", "mail")
def _send(row: ColleagueInvitation, token: str) -> bool:
    """Mail the link in the language of the account with the address, else in the inviter's; return whether the server accepted it."""
    account = User.objects.filter(email__iexact=row.email).first()
    language = account.mail_language if account else translation.get_language() or settings.LANGUAGE_CODE
    with translation.override(language):
        context = _context(row) | {"link": address(token), "console_url": settings.BASE_URL}
        mail = get_adapter().render_mail("members/email/invitation", row.email, context)
    try:
        mail.send()
    except (SMTPException, OSError) as problem:
        _log.warning("invitation not mailed: %s", type(problem).__name__)
        return False
    invitations.record_mailed(row)
    return True


def address(token: str) -> str:
    """The link with this token, on BASE_URL, independent of the request."""
    return settings.BASE_URL + reverse("join", kwargs={"token": token})


def _unsealed_link(sealed: str, row: ColleagueInvitation) -> str:
    try:
        return address(crypto.unseal(sealed, _link_key(row)))
    except crypto.CannotOpen:
        return ""


def _link_key(row: ColleagueInvitation) -> str:
    """The session key of the sealed link until it is shown once, and the binding of the ciphertext."""
    return f"invitation:{row.pk}:link"


def _find(request: ConsoleRequest, invitation_id: int) -> ColleagueInvitation:
    return get_object_or_404(invitations.recent_invitations(request.access.workspace), pk=invitation_id)


def _redirect(request: ConsoleRequest, row: ColleagueInvitation) -> HttpResponse:
    return responses.redirect_to_view(request, "invitation", request.access.workspace.slug, row.pk)


@never_cache
@sensitive_post_parameters("password1", "password2")
def join(request: HttpRequest, token: str) -> HttpResponse:
    """Show the invitation, with the form for a signed-in person or for a new account."""
    match = invitations.find_by_token(token)
    if match is None:
        return _invalid_link(request, None)
    if not invitations.works(match.invitation):
        return _invalid_link(request, match.invitation)
    try:
        if isinstance(request.user, User):
            return _confirm(request, match, request.user)
        return _sign_up(request, match, token)
    except invitations.NotOpen:
        return _invalid_link(request, match.invitation)


def _confirm(request: HttpRequest, match: TokenMatch, person: User) -> HttpResponse:
    if not invitations.meant_for(match, person):
        return _request_confirmation(request, match, person)
    if request.method != "POST":
        return responses.page(request, "members/joining/confirm.html", _context(match.invitation) | {"person": person})
    member = invitations.accept(actor(request), match, person)
    messages.success(
        request, _("You are now a member of %(workspace)s.") % {"workspace": match.invitation.workspace.name[:80]}
    )
    return responses.redirect(request, _first_page(member))


def _request_confirmation(request: HttpRequest, match: TokenMatch, person: User) -> HttpResponse:
    """Let a person with another address request a confirmation, and show the decision."""
    if request.method == "POST":
        invitations.ask(actor(request), match, person)
        return responses.redirect(request, request.path)
    context = _context(match.invitation) | {
        "person": person,
        "asked": match.invitation.requests.filter(user=person).first(),
    }
    return responses.page(request, "members/joining/ask.html", context)


def _sign_up(request: HttpRequest, match: TokenMatch, token: str) -> HttpResponse:
    invitation = match.invitation
    sign_in = f"{reverse('account_login')}?{urlencode({'next': reverse('join', args=[token])})}"
    context = _context(invitation) | {"sign_in_url": sign_in}
    if invitations.has_account(invitation):
        return responses.page(request, "members/joining/has_account.html", context)
    form = JoinForm(request.POST or None, instance=User(email=invitation.email))
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        names = {name: data[name] for name in JoinForm.Meta.fields}
        try:
            person, member = invitations.join(actor(request), match, **names, password=data["password1"])
        except invitations.AddressTaken:
            return responses.page(request, "members/joining/has_account.html", context)
        except people.NameTaken:
            form.add_error("username", _("Someone has this username. Choose another one."))
        else:
            response: HttpResponse = perform_login(request, person, redirect_url=_first_page(member))
            return response
    return responses.form_page(request, "members/joining/sign_up.html", form, context)


def _first_page(member: Member | None) -> str:
    """The first page after joining: the workspace, or home with the flows that the person's teams may launch."""
    if member is None:
        return reverse("home")
    practice.equip(member)
    return reverse("workspace", args=[member.workspace.slug])


def _invalid_link(request: HttpRequest, invitation: ColleagueInvitation | None) -> HttpResponse:
    """Explain why the link is invalid. 404 for an unknown link, else 410."""
    if invitation is not None:
        invitation.refresh_from_db()
    context = {"words": member_messages.invalid_link_message(invitation), "known": isinstance(request.user, User)}
    return responses.page(request, "members/joining/expired.html", context, status=404 if invitation is None else 410)


def _context(invitation: ColleagueInvitation) -> dict[str, object]:
    return {
        "invitation": invitation,
        "role": member_messages.role(invitation),
        "until": member_messages.until(invitation.expires_at),
    }
