"""The link of an invitation: read it as often as you like; the form on its page makes an account, or lets in whoever is signed in."""

from allauth.account.utils import perform_login
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import path, reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from workflows_ui.forms.colleague_invitations import JoinForm
from workflows_ui.kit import invitation_words, launch_right_words, respond
from workflows_ui.kit.request import actor
from workflows_ui.models import ColleagueInvitation, Member, User
from workflows_ui.services import colleague_invitations, practice
from workflows_ui.services.colleague_invitations import Found


@never_cache
@sensitive_post_parameters("password1", "password2")
def join(request: HttpRequest, token: str) -> HttpResponse:
    """What the invitation brings, and the way in: one for whoever is signed in, one for whoever has no account yet."""
    found = colleague_invitations.by_token(token)
    if found is None:
        return _dead(request, None)
    if not colleague_invitations.works(found.invitation):
        return _dead(request, found.invitation)
    if isinstance(request.user, User):
        return _confirm(request, found, request.user)
    return _sign_up(request, found, token)


def _confirm(request: HttpRequest, found: Found, person: User) -> HttpResponse:
    if request.method != "POST":
        return respond.page(request, "joining/confirm.html", _context(found) | {"person": person})
    try:
        member = colleague_invitations.accept(actor(request), found, person)
    except colleague_invitations.NotOpen:
        return _dead(request, found.invitation)
    messages.success(
        request, _("You now belong to %(workspace)s.") % {"workspace": found.invitation.workspace.name[:80]}
    )
    return respond.redirect(request, _inside(member))


def _sign_up(request: HttpRequest, found: Found, token: str) -> HttpResponse:
    invitation = found.invitation
    sign_in = f"{reverse('account_login')}?{urlencode({'next': reverse('join', args=[token])})}"
    context = _context(found) | {"sign_in_url": sign_in}
    if colleague_invitations.has_account(invitation):
        return respond.page(request, "joining/has_account.html", context)
    form = JoinForm(request.POST or None, instance=User(email=invitation.email))
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            person, member = colleague_invitations.join(
                actor(request),
                found,
                username=data["username"],
                first_name=data["first_name"],
                last_name=data["last_name"],
                password=data["password1"],
            )
        except colleague_invitations.NotOpen:
            return _dead(request, invitation)
        except colleague_invitations.AddressTaken:
            return respond.page(request, "joining/has_account.html", context)
        except colleague_invitations.NameTaken:
            form.add_error("username", _("Somebody has this user name. Choose another one."))
        else:
            response: HttpResponse = perform_login(request, person, redirect_url=_inside(member))
            return response
    return respond.page(request, "joining/sign_up.html", context | {"form": form}, status=422 if form.errors else 200)


def _inside(member: Member | None) -> str:
    """Where whoever joined goes: into the workspace, or home, where the flows are that their teams may launch."""
    if member is None:
        return reverse("home")
    practice.equip(member)
    return reverse("workspace", args=[member.workspace.slug])


def _dead(request: HttpRequest, invitation: ColleagueInvitation | None) -> HttpResponse:
    """A plain page that says why the link does not work and what to do. 404 for a link that nobody made, else 410."""
    if invitation is not None:
        invitation.refresh_from_db()
    context = {"words": invitation_words.dead(invitation), "known": isinstance(request.user, User)}
    return respond.page(request, "joining/dead.html", context, status=404 if invitation is None else 410)


def _context(found: Found) -> dict[str, object]:
    invitation = found.invitation
    return {
        "invitation": invitation,
        "role": invitation_words.role(invitation),
        "until": launch_right_words.until(invitation.expires_at),
    }


urlpatterns = [path("join/<str:token>/", join, name="join")]
