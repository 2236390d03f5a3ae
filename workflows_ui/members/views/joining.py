"""The page of an invitation's link. Opening it changes nothing; its form creates an account, or accepts for a signed-in person."""

from allauth.account.utils import perform_login
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from workflows_ui.accounts.models import User
from workflows_ui.credentials.services import practice
from workflows_ui.members import messages as member_messages
from workflows_ui.members.forms import JoinForm
from workflows_ui.members.models import ColleagueInvitation, Member
from workflows_ui.members.services import invitations
from workflows_ui.members.services.invitations import TokenMatch
from workflows_ui.web import responses
from workflows_ui.web.requests import actor


@never_cache
@sensitive_post_parameters("password1", "password2")
def join(request: HttpRequest, token: str) -> HttpResponse:
    """Show the invitation, with the form for a signed-in person or for a new account."""
    match = invitations.find_by_token(token)
    if match is None:
        return _invalid_link(request, None)
    if not invitations.works(match.invitation):
        return _invalid_link(request, match.invitation)
    if isinstance(request.user, User):
        return _confirm(request, match, request.user)
    return _sign_up(request, match, token)


def _confirm(request: HttpRequest, match: TokenMatch, person: User) -> HttpResponse:
    if not invitations.meant_for(match, person):
        return _request_confirmation(request, match, person)
    if request.method != "POST":
        return responses.page(request, "members/joining/confirm.html", _context(match) | {"person": person})
    try:
        member = invitations.accept(actor(request), match, person)
    except invitations.NotOpen:
        return _invalid_link(request, match.invitation)
    messages.success(
        request, _("You now belong to %(workspace)s.") % {"workspace": match.invitation.workspace.name[:80]}
    )
    return responses.redirect(request, _first_page(member))


def _request_confirmation(request: HttpRequest, match: TokenMatch, person: User) -> HttpResponse:
    """Let a person with another address request a confirmation, and show the decision."""
    if request.method == "POST":
        try:
            invitations.ask(actor(request), match, person)
        except invitations.NotOpen:
            return _invalid_link(request, match.invitation)
        return responses.redirect(request, request.path)
    context = _context(match) | {"person": person, "asked": match.invitation.requests.filter(user=person).first()}
    return responses.page(request, "members/joining/ask.html", context)


def _sign_up(request: HttpRequest, match: TokenMatch, token: str) -> HttpResponse:
    invitation = match.invitation
    sign_in = f"{reverse('account_login')}?{urlencode({'next': reverse('join', args=[token])})}"
    context = _context(match) | {"sign_in_url": sign_in}
    if invitations.has_account(invitation):
        return responses.page(request, "members/joining/has_account.html", context)
    form = JoinForm(request.POST or None, instance=User(email=invitation.email))
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            names = {name: data[name] for name in ("username", "first_name", "last_name")}
            person, member = invitations.join(actor(request), match, **names, password=data["password1"])
        except invitations.NotOpen:
            return _invalid_link(request, invitation)
        except invitations.AddressTaken:
            return responses.page(request, "members/joining/has_account.html", context)
        except invitations.NameTaken:
            form.add_error("username", _("Somebody has this user name. Choose another one."))
        else:
            response: HttpResponse = perform_login(request, person, redirect_url=_first_page(member))
            return response
    return responses.form_page(request, "members/joining/sign_up.html", form, context)


def _first_page(member: Member | None) -> str:
    """Return the first page after joining: the workspace, or home with the flows that the person's teams may launch."""
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


def _context(match: TokenMatch) -> dict[str, object]:
    invitation = match.invitation
    return {
        "invitation": invitation,
        "role": member_messages.role(invitation),
        "until": member_messages.until(invitation.expires_at),
    }
