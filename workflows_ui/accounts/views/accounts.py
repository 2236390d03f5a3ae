"""A person's own account: signing in and out, passwords, profile, sessions, language and theme. Based on allauth, with the console's
pages, texts and URLs.

Only the needed URLs exist: there is no sign-up. The second step is in second_step.py.
"""

import logging
from smtplib import SMTPException

from allauth.account import views as allauth_views
from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.decorators import reauthentication_required
from allauth.account.models import EmailConfirmation
from allauth.core import ratelimit
from django.conf import settings
from django.contrib import messages
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import reverse, reverse_lazy
from django.utils import timezone, translation
from django.utils.decorators import method_decorator
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _, gettext_lazy, ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from workflows_ui.accounts import forms, known_browsers, sign_in_log, tasks
from workflows_ui.accounts.models import Identity, User
from workflows_ui.accounts.services import passwords, people, sessions, single_sign_on
from workflows_ui.audit.requests import actor, address
from workflows_ui.core import broker, crypto
from workflows_ui.core.crypto import CannotOpen
from workflows_ui.web import navigation, responses
from workflows_ui.web.access import signed_in
from workflows_ui.web.requests import ConsoleRequest

_log = logging.getLogger(__name__)
_RESET_KEY = allauth_views.INTERNAL_RESET_SESSION_KEY
_MISMATCH = gettext_lazy("Wrong username or password.")


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """allauth's adapter: no sign-up, links in mails on BASE_URL, and the console's error messages."""

    error_messages = DefaultAccountAdapter.error_messages | {
        "username_password_mismatch": _MISMATCH,
        "email_password_mismatch": _MISMATCH,
        "too_many_login_attempts": gettext_lazy("Too many attempts. Wait five minutes, then try again."),
        "enter_current_password": gettext_lazy("This is not your current password."),
        "invalid_password_reset": gettext_lazy("This link does not work any more."),
        "account_inactive": gettext_lazy("This account is deactivated."),
        "incorrect_password": gettext_lazy("This is not your password."),
        "duplicate_email": gettext_lazy("This is already your address."),
        "email_taken": gettext_lazy("Someone else has this address."),
        "rate_limited": gettext_lazy("Too many attempts. Wait five minutes, then try again."),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def format_email_subject(self, subject: str) -> str:
        """The subject without a prefix, which would contain a host name from the request."""
        return str(subject)

    def get_email_confirmation_url(self, request: HttpRequest, emailconfirmation: EmailConfirmation) -> str:
        """The link that confirms a new address: on BASE_URL, never on the host of the request."""
        return settings.BASE_URL + reverse("account_confirm_email", args=[emailconfirmation.key])

    def get_email_verification_redirect_url(self, email_address: object) -> str:
        """The profile, which anonymous visitors reach through the sign-in page."""
        return reverse("profile")

    def get_client_ip(self, request: HttpRequest) -> str:
        """The client address as in the rest of the console, else an unassigned one (RFC 5737): such requests share one limit.

        While attempts are counted, a known browser stands for its address: allauth's limits of an address know no other way.
        """
        return known_browsers.counted_by(request) or address(request) or "192.0.2.0"

    def authentication_failed(self, request: HttpRequest, **credentials: object) -> None:
        """Record the failure without the typed values."""
        sign_in_log.failed(request, str(credentials.get("username") or credentials.get("email") or ""))

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: object) -> str:
        """Count attempts by account, so that its name and address share one limit; an unknown name has its own.

        Attempts from a known browser of the account are counted separately: strangers cannot lock its owner out there.
        """
        typed = str(credentials.get("email") or credentials.get("username") or "").strip().lower()
        user_id = _account_of(typed)
        if user_id is None:
            return f"typed:{typed}"
        browser = known_browsers.find_browser(request, user_id)
        return f"browser:{browser.pk}" if browser is not None else f"account:{user_id}"

    def pre_authenticate(self, request: HttpRequest, **credentials: object) -> None:
        """Count the attempt: a known browser's separately, others by account and address."""
        typed = str(credentials.get("email") or credentials.get("username") or "")
        with known_browsers.counted_apart(request, _account_of(typed)):
            super().pre_authenticate(request, **credentials)

    def post_login(self, request: HttpRequest, user: User, **more: object) -> HttpResponse:
        return known_browsers.remember(request, super().post_login(request, user, **more), user)

    def logout(self, request: HttpRequest) -> None:
        """Record the sign-out before the session ends."""
        sign_in_log.signed_out(request)
        super().logout(request)

    def get_reauthentication_methods(self, user: object) -> list[dict[str, object]]:
        """The methods of reauthentication; passkeys only if they are enabled."""
        labels = {
            "reauthenticate": _("Use the password"),
            "mfa_reauthenticate": _("Use a code"),
            "mfa_reauthenticate:webauthn": _("Use a passkey"),
        }
        methods = super().get_reauthentication_methods(user)
        if not settings.PASSKEYS:
            methods = [method for method in methods if method["id"] != "mfa_reauthenticate:webauthn"]
        return [method | {"description": labels[method["id"]]} for method in methods]

    def send_notification_mail(
        self, template_prefix: str, user: User, context: dict[str, object] | None = None, email: str | None = None
    ) -> None:
        """Send a notification in the reader's language and time zone, which are not the page's if another person changed the account, or
        if its owner is not signed in."""
        signed_in_person = self.request.user if self.request is not None else None
        language = translation.get_language() if user == signed_in_person else user.mail_language
        with translation.override(language), timezone.override(user.zone):
            super().send_notification_mail(template_prefix, user, context, email)

    def send_mail(self, template_prefix: str, email: str, context: dict[str, object]) -> None:
        """Send a mail with the console's URL for its footer.

        A failure is shown only to signed-in people: for others, the response must not reveal that the address is known.
        """
        try:
            super().send_mail(template_prefix, email, {"console_url": settings.BASE_URL, **context})
        except (SMTPException, OSError) as problem:
            _log.error("account mail not sent: %s", type(problem).__name__)
            if self.request is not None and self.request.user.is_authenticated:
                messages.error(self.request, _("The email could not be sent. Try again in some minutes."))

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        return reverse("profile")


def _account_of(typed: str) -> int | None:
    """The key of the account with this name or address, in any case."""
    typed = typed.strip()
    # PostgreSQL accepts no NUL; the form refuses it.
    if not typed or "\0" in typed or len(typed) > forms.LONGEST_LOGIN:
        return None
    users = User.objects.filter(Q(username__iexact=typed) | Q(email__iexact=typed)).order_by("pk")
    return users.values_list("pk", flat=True).first()


class SignIn(allauth_views.LoginView):  # type: ignore[misc]
    def dispatch(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        """Limit the attempts of an address, and of a known browser apart from its address (ACCOUNT_RATE_LIMITS)."""
        if request.method == "POST":
            with known_browsers.counted_apart(request, _account_of(request.POST.get("login", ""))):
                limited: HttpResponse | None = ratelimit.consume_or_429(request, action="sign_in")
            if limited is not None:
                return limited
        answer: HttpResponseBase = super().dispatch(request, *args, **kwargs)
        return answer

    def get_context_data(self, **kwargs: object) -> object:
        return super().get_context_data(**kwargs) | {
            "passkeys": settings.PASSKEYS,
            "single_sign_on": settings.OIDC_NAME if single_sign_on.enabled() else "",
        }


class ChangePassword(allauth_views.PasswordChangeView):  # type: ignore[misc]
    def form_valid(self, form: forms.ChangePasswordForm) -> HttpResponse:
        """Save the password. Only this browser remains known."""
        return known_browsers.remember(self.request, super().form_valid(form), self.request.user)


class SetPassword(allauth_views.PasswordSetView):  # type: ignore[misc]
    """A first password. Not for people with single sign-on: it would outlive their account at the provider."""

    def dispatch(self, request: HttpRequest, *args: object, **kwargs: object) -> object:
        """The page, or an explanation if the person cannot set a password."""
        joined = Identity.objects.filter(user__pk=request.user.pk or 0).exists()
        if joined and request.user.is_authenticated and not request.user.has_usable_password():
            return responses.page(request, "account/no_password.html", {"provider": settings.OIDC_NAME})
        return super().dispatch(request, *args, **kwargs)


class ResetPassword(allauth_views.PasswordResetView):  # type: ignore[misc]
    extra_context = {"mail_is_set_up": people.mail_is_set_up}

    def form_valid(self, form: forms.ResetPasswordForm) -> HttpResponse:
        """Enqueue the mail. Unlike in allauth, the request does not send it: its duration would reveal who has an account. For the same
        reason an empty list is enqueued, too. A lost message is not repeated: the person requests another mail."""
        typed = form.cleaned_data["email"].lower()
        limited: HttpResponse | None = ratelimit.consume_or_429(self.request, action="reset_password", key=typed)
        if limited is not None:
            return limited
        ids, language = people.ids_with_address(typed), translation.get_language() or ""
        broker.enqueue(tasks.mail_password, ids, language, expires=tasks.EXPIRES)
        return HttpResponseRedirect(self.get_success_url())


class NewPassword(allauth_views.PasswordResetFromKeyView):  # type: ignore[misc]
    """A new password by the link of a mail. The key moves from the URL to the session, sealed, since sessions are database rows."""

    def dispatch(self, request: HttpRequest, *args: object, **kwargs: object) -> object:
        """Unseal the key for allauth, in memory only, and seal it again."""
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

    def form_valid(self, form: forms.NewPasswordForm) -> HttpResponse:
        """Save the password, and remember this browser, so that guesses by others do not lock the person out."""
        try:
            answer: HttpResponse = super().form_valid(form)
        except passwords.LinkUsed:
            link_used: HttpResponse = self.render_to_response(self.get_context_data(token_fail=True))
            return link_used
        return known_browsers.remember(self.request, answer, self.reset_user)


@method_decorator(reauthentication_required(app="allauth.account"), name="dispatch")
class Address(allauth_views.EmailView):  # type: ignore[misc]
    """The e-mail address. Requires reauthentication, since the address allows to reset the password."""

    success_url = reverse_lazy("account_email")
    extra_context = {"mail_is_set_up": people.mail_is_set_up}


def sign_up_closed(request: HttpRequest) -> HttpResponse:
    """Explain that there is no sign-up, and how to get access."""
    return responses.page(request, "account/signup_closed.html")


@signed_in
def profile(request: ConsoleRequest) -> HttpResponse:
    person = User.objects.get(pk=request.user.pk)
    form = forms.ProfileForm(request.POST or None, instance=person)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, _("Your profile is saved."))
        return responses.redirect_to_view(request, "profile")
    return responses.form_page(request, "account/profile.html", form)


#: First match wins: most browsers also claim to be others.
_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Firefox", "Firefox"),
    ("FxiOS", "Firefox"),
    ("CriOS", "Chrome"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
    ("curl", "curl"),
)
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)
_LONGEST = 60


def _browser(user_agent: str) -> str:
    """A name from the User-Agent header, such as "Firefox on Windows"; of unknown browsers the header itself, truncated."""
    name = next((label for pattern, label in _BROWSERS if pattern in user_agent), "")
    system = next((label for pattern, label in _SYSTEMS if pattern in user_agent), "")
    if name and system:
        return _("%(browser)s on %(system)s") % {"browser": name, "system": system}
    return name or system or user_agent[:_LONGEST] or _("Unknown program")


@never_cache
@require_safe
@signed_in
def list_sessions(request: ConsoleRequest) -> HttpResponse:
    """List the sessions with browser, address and start; this one first."""
    rows = [
        {"row": row, "browser": _browser(row.user_agent), "here": row.session_key == request.session.session_key}
        for row in sessions.user_sessions(request.user)
    ]
    rows.sort(key=lambda item: not item["here"])
    return responses.page(request, "account/sessions.html", {"rows": rows})


@require_POST
@signed_in
def end_session(request: ConsoleRequest, session_id: int) -> HttpResponse:
    if not sessions.end(actor(request), request.user, session_id):
        raise Http404
    messages.success(request, _("That browser is signed out."))
    return responses.redirect_to_view(request, "sessions")


@require_POST
@signed_in
def end_other_sessions(request: ConsoleRequest) -> HttpResponse:
    count = sessions.end_others(actor(request), request.user, but=request.session.session_key)
    if count:
        text = ngettext("%(count)s other browser is signed out.", "%(count)s other browsers are signed out.", count)
        messages.success(request, text % {"count": count})
    else:
        messages.info(request, _("You were signed in nowhere else."))
    return responses.redirect_to_view(request, "sessions")


_YEAR = 365 * 24 * 3600


@require_POST
def set_language(request: HttpRequest) -> HttpResponse:
    """Set `language` (a code of settings.LANGUAGES; others are ignored) and redirect to `next`. Works without sign-in."""
    response = responses.redirect(request, _next_url(request))
    language = request.POST.get("language", "")
    if language in dict(settings.LANGUAGES):
        _set_cookie(response, settings.LANGUAGE_COOKIE_NAME, language)
        if request.user.is_authenticated and request.user.language != language:
            request.user.language = language
            request.user.save(update_fields=["language"])
    return response


@require_POST
def set_theme(request: HttpRequest) -> HttpResponse:
    """Set `theme` (light or dark; others clear the choice) and redirect to `next`. With JavaScript, app.js does the same in place."""
    response = responses.redirect(request, _next_url(request))
    theme = request.POST.get("theme", "")
    if theme in navigation.THEMES:
        _set_cookie(response, navigation.THEME_COOKIE, theme)
    else:
        response.delete_cookie(navigation.THEME_COOKIE)
    return response


def _next_url(request: HttpRequest) -> str:
    url = request.POST.get("next", "")
    allowed = url_has_allowed_host_and_scheme(url, {request.get_host()}, require_https=request.is_secure())
    return url if allowed and url.startswith("/") else "/"


def _set_cookie(response: HttpResponse, name: str, value: str) -> None:
    response.set_cookie(name, value, max_age=_YEAR, samesite="Lax", secure=settings.HTTPS)
