"""One's own account: signing in and out, passwords, profile. allauth does the work; pages, words and addresses are ours.

Only the addresses that make sense here exist: nobody signs up. The second step is in second_step.py, sessions are in sessions.py.
"""

import logging
from smtplib import SMTPException
from typing import Any

from allauth.account import views as allauth_views
from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.decorators import reauthentication_required
from allauth.core import ratelimit
from django.conf import settings
from django.contrib import messages
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path, re_path, reverse, reverse_lazy
from django.utils import translation
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from workflows_ui import crypto
from workflows_ui.crypto import CannotOpen
from workflows_ui.forms import accounts as forms
from workflows_ui.kit import respond, sign_in_log
from workflows_ui.kit.access import signed_in
from workflows_ui.kit.request import ConsoleRequest, address
from workflows_ui.models import Identity, User
from workflows_ui.services import people, single_sign_on
from workflows_ui.tasks import ring_password_mail
from workflows_ui.views.refusing import Refuses

_log = logging.getLogger(__name__)
_RESET_KEY = allauth_views.INTERNAL_RESET_SESSION_KEY
_MISMATCH = gettext_lazy("The name or the password is not right.")


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """What allauth asks of us: nobody signs up, addresses in mails are the console's own, errors are told in our words."""

    error_messages = DefaultAccountAdapter.error_messages | {
        "username_password_mismatch": _MISMATCH,
        "email_password_mismatch": _MISMATCH,
        "too_many_login_attempts": gettext_lazy("Too many attempts. Wait five minutes, then try again."),
        "enter_current_password": gettext_lazy("This is not your password until now."),
        "invalid_password_reset": gettext_lazy("This link does not work any more."),
        "account_inactive": gettext_lazy("This account is switched off."),
        "incorrect_password": gettext_lazy("This is not your password."),
        "duplicate_email": gettext_lazy("This is your address already."),
        "email_taken": gettext_lazy("Somebody else has this address."),
        "rate_limited": gettext_lazy("Too many attempts. Wait five minutes, then try again."),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Always closed."""
        return False

    def format_email_subject(self, subject: str) -> str:
        """The subject as the template has it, without a host name that a request could choose."""
        return str(subject)

    def get_email_confirmation_url(self, request: HttpRequest, emailconfirmation: Any) -> str:
        """The link that confirms a new address: on BASE_URL, never on the host that the request named."""
        return settings.BASE_URL + reverse("account_confirm_email", args=[emailconfirmation.key])

    def get_email_verification_redirect_url(self, email_address: Any) -> str:
        """A confirmed address leads to the profile, or to the sign-in page and from there to it."""
        return reverse("profile")

    def get_client_ip(self, request: HttpRequest) -> str:
        """As everywhere in the console. Where nothing is an address, one that is nobody's (RFC 5737): such requests share one limit."""
        return address(request) or "192.0.2.0"

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        """Written down, without what was typed."""
        sign_in_log.failed(request, str(credentials.get("username") or credentials.get("email") or ""))

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        """Attempts are counted by account: name and address of one account are not two locks. A name that nobody has is its own."""
        typed = str(credentials.get("email") or credentials.get("username") or "").strip().lower()
        named = User.objects.filter(Q(username__iexact=typed) | Q(email__iexact=typed)).order_by("pk")
        found = named.values_list("pk", flat=True).first()
        return f"account:{found}" if found is not None else f"typed:{typed}"

    def logout(self, request: HttpRequest) -> None:
        """Written down before the session is gone."""
        sign_in_log.signed_out(request)
        super().logout(request)

    def get_reauthentication_methods(self, user: Any) -> list[dict[str, Any]]:
        """The ways in which this person can say again who they are; passkeys only where there are any."""
        words = {
            "reauthenticate": _("Use the password"),
            "mfa_reauthenticate": _("Use a code"),
            "mfa_reauthenticate:webauthn": _("Use a passkey"),
        }
        ways = super().get_reauthentication_methods(user)
        if not settings.PASSKEYS:
            ways = [way for way in ways if way["id"] != "mfa_reauthenticate:webauthn"]
        return [way | {"description": words[way["id"]]} for way in ways]

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """As allauth does, with the console's address for the foot of the mail.

        A server that does not take it is told to whoever is signed in. A stranger sees the same as ever: only known addresses get mails.
        """
        try:
            super().send_mail(template_prefix, email, {"console_url": settings.BASE_URL, **context})
        except (SMTPException, OSError) as problem:
            _log.error("account mail not sent: %s", type(problem).__name__)
            if self.request is not None and self.request.user.is_authenticated:
                messages.error(self.request, _("The mail could not be sent. Try again in some minutes."))

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        """A changed password leads to the profile."""
        return reverse("profile")


class _SignIn(Refuses, allauth_views.LoginView):  # type: ignore[misc]
    form_class = forms.SignInForm

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Which other ways in there are, and where they lead."""
        context: dict[str, Any] = super().get_context_data(**kwargs)
        return context | {
            "passkeys": settings.PASSKEYS,
            "single_sign_on": settings.OIDC_NAME if single_sign_on.offered() else "",
        }


class _ChangePassword(Refuses, allauth_views.PasswordChangeView):  # type: ignore[misc]
    form_class = forms.ChangePasswordForm
    extra_context = {"tab": "password"}


class _SetPassword(Refuses, allauth_views.PasswordSetView):  # type: ignore[misc]
    """A first password. Whoever comes through single sign-on gets none: it would outlive their account there."""

    form_class = forms.SetPasswordForm
    extra_context = {"tab": "password"}

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """The page, or the reason why there is none."""
        joined = Identity.objects.filter(user__pk=request.user.pk or 0).exists()
        if joined and request.user.is_authenticated and not request.user.has_usable_password():
            context = {"tab": "password", "provider": settings.OIDC_NAME}
            return respond.page(request, "account/no_password.html", context)
        return super().dispatch(request, *args, **kwargs)


class _ResetPassword(Refuses, allauth_views.PasswordResetView):  # type: ignore[misc]
    form_class = forms.ResetPasswordForm

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Says so where no mail can leave the console."""
        context: dict[str, Any] = super().get_context_data(**kwargs)
        return context | {"no_mail": no_mail()}

    def form_valid(self, form: forms.ResetPasswordForm) -> HttpResponse:
        """Rings for the mail. Not allauth's way, which mails within the request: how long that takes would tell who has an account."""
        typed = form.cleaned_data["email"].lower()
        limited: HttpResponse | None = ratelimit.consume_or_429(self.request, action="reset_password", key=typed)
        if limited is not None:
            return limited
        ring_password_mail(people.with_address(typed), translation.get_language() or "")
        return HttpResponseRedirect(self.get_success_url())


class _NewPassword(Refuses, allauth_views.PasswordResetFromKeyView):  # type: ignore[misc]
    """By the link of a mail. Its key leaves the address for the session, where it is sealed: sessions are rows of the database."""

    form_class = forms.NewPasswordForm

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """As allauth does, which finds and leaves the key in clear, in memory only."""
        session = request.session
        if _RESET_KEY in session:
            try:
                session[_RESET_KEY] = crypto.unseal(session[_RESET_KEY], _RESET_KEY)
            except CannotOpen:
                del session[_RESET_KEY]
        answer = super().dispatch(request, *args, **kwargs)
        if session.get(_RESET_KEY):
            session[_RESET_KEY] = crypto.seal(session[_RESET_KEY], _RESET_KEY)
        return answer


@method_decorator(reauthentication_required(app="allauth.account"), name="dispatch")
class _Address(Refuses, allauth_views.EmailView):  # type: ignore[misc]
    """The e-mail address. Asks who one is once more: whoever has the address can have the password replaced."""

    form_class = forms.AddressForm
    success_url = reverse_lazy("account_email")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Says so where no mail can leave the console."""
        context: dict[str, Any] = super().get_context_data(**kwargs)
        return context | {"no_mail": no_mail(), "tab": "profile"}


class _Again(Refuses, allauth_views.ReauthenticateView):  # type: ignore[misc]
    form_class = forms.PasswordAgainForm


def no_mail() -> bool:
    """Whether the console has no way to send mail."""
    return str(settings.EMAIL_BACKEND).endswith("dummy.EmailBackend")


def sign_up_closed(request: HttpRequest) -> HttpResponse:
    """Says that nobody signs up here, and how one gets in."""
    return respond.page(request, "account/signup_closed.html")


@signed_in
def profile(request: ConsoleRequest) -> HttpResponse:
    """Name, language and time zone of the person who is signed in."""
    person = User.objects.get(pk=request.user.pk)
    form = forms.ProfileForm(request.POST or None, instance=person)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, _("Your profile is saved."))
        return respond.redirect(request, reverse("profile"))
    return respond.page(
        request, "account/profile.html", {"form": form, "tab": "profile"}, status=422 if form.errors else 200
    )


urlpatterns = [path("profile/", profile, name="profile")]

#: allauth's names, since allauth looks its addresses up by them.
account_urlpatterns = [
    path("login/", _SignIn.as_view(), name="account_login"),
    path("logout/", allauth_views.logout, name="account_logout"),
    path("inactive/", allauth_views.account_inactive, name="account_inactive"),
    path("signup/", sign_up_closed, name="account_signup"),
    path("again/", signed_in(_Again.as_view()), name="account_reauthenticate"),
    path("address/", signed_in(_Address.as_view()), name="account_email"),
    re_path(r"^address/confirm/(?P<key>[-:\w]+)/$", allauth_views.confirm_email, name="account_confirm_email"),
    path("password/change/", signed_in(_ChangePassword.as_view()), name="account_change_password"),
    path("password/set/", signed_in(_SetPassword.as_view()), name="account_set_password"),
    path("password/reset/", _ResetPassword.as_view(), name="account_reset_password"),
    path("password/reset/done/", allauth_views.password_reset_done, name="account_reset_password_done"),
    re_path(
        r"^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        _NewPassword.as_view(),
        name="account_reset_password_from_key",
    ),
    path(
        "password/reset/key/done/",
        allauth_views.password_reset_from_key_done,
        name="account_reset_password_from_key_done",
    ),
]
