"""The second step of signing in: an authenticator app, passkeys, recovery codes. Based on allauth, with the console's pages and texts.

The URLs for passkeys always exist, but passkeys are offered only if browsers accept them for this host (settings.PASSKEYS).
"""

from collections.abc import Callable
from typing import Concatenate, ParamSpec
from urllib.parse import urlsplit

from allauth.account.adapter import get_adapter
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.base import views as base_views
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes import views as code_views
from allauth.mfa.totp import views as totp_views
from allauth.mfa.webauthn import views as webauthn_views
from django.conf import settings
from django.contrib import messages
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _, gettext_lazy

from workflows_ui.accounts import sign_in_log
from workflows_ui.accounts.models import User
from workflows_ui.accounts.services import second_step
from workflows_ui.audit.requests import actor
from workflows_ui.web import responses
from workflows_ui.web.access import GOING_TO, superuser
from workflows_ui.web.requests import ConsoleRequest, is_sure

Arguments = ParamSpec("Arguments")


class SecondStepAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """allauth's adapter: sealed secrets, passkeys for the host of BASE_URL, and the console's error messages."""

    error_messages = DefaultMFAAdapter.error_messages | {
        "incorrect_code": gettext_lazy("This code is not correct. Wait for the next one, then try again."),
        "copied_passkey": gettext_lazy(
            "This passkey may have been copied, so it was not accepted. Sign in another way, then remove this passkey from your account "
            "and add a new one."
        ),
        "cannot_generate_recovery_codes": gettext_lazy(
            "Set up an authenticator app or a passkey first. Recovery codes replace them if they are lost."
        ),
    }

    def encrypt(self, text: str) -> str:
        return second_step.seal(text)

    def decrypt(self, encrypted_text: str) -> str:
        return second_step.unseal(encrypted_text)

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        """The host of BASE_URL, independent of the request."""
        return {"id": urlsplit(settings.BASE_URL).hostname or "", "name": _("Workflow console")}

    def generate_authenticator_name(self, user: User, type: str) -> str:
        number = Authenticator.objects.filter(user_id=user.pk, type=type).count() + 1
        return _("Passkey %(number)s") % {"number": number}


class Step(base_views.AuthenticateView):  # type: ignore[misc]
    """The second step after the password."""

    def get_context_data(self, **kwargs: object) -> object:
        types = set(Authenticator.objects.filter(user=self.stage.login.user).values_list("type", flat=True))
        return super().get_context_data(**kwargs) | {
            "has_app": Authenticator.Type.TOTP in types,
            "has_passkey": Authenticator.Type.WEBAUTHN in types and settings.PASSKEYS,
        }


class Overview(base_views.IndexView):  # type: ignore[misc]
    def get_context_data(self, **kwargs: object) -> object:
        """Add whether there is a second step, and the page that the person was going to."""
        has_step, session = second_step.has(self.request.user), self.request.session
        next_url = self.request.GET.get("next", "")[:2000]
        if next_url.startswith("/") and url_has_allowed_host_and_scheme(next_url, allowed_hosts=None):
            session[GOING_TO] = next_url
        # The link to that page is offered until it was shown once after the set-up.
        going_to = session.pop(GOING_TO, "") if has_step else session.get(GOING_TO, "")
        return super().get_context_data(**kwargs) | {"has_step": has_step, "going_to": going_to}


class RemoveApp(totp_views.DeactivateTOTPView):  # type: ignore[misc]
    def get_context_data(self, **kwargs: object) -> object:
        keys = Authenticator.objects.filter(user=self.request.user, type=Authenticator.Type.WEBAUTHN)
        return super().get_context_data(**kwargs) | {"last": not keys.exists()}


class Codes(code_views.ViewRecoveryCodesView):  # type: ignore[misc]
    def get_context_data(self, **kwargs: object) -> dict[str, object]:
        second_step.record_codes_viewed(self.request.user.pk)
        context: dict[str, object] = super().get_context_data(**kwargs)
        if context["can_view_codes"]:
            sign_in_log.codes_seen(self.request, self.request.user)
        return context | {"going_to": self.request.session.get(GOING_TO, "")}


class CodesFile(code_views.DownloadRecoveryCodesView):  # type: ignore[misc]
    def dispatch(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        """The file; 404 if no code is left."""
        second_step.record_codes_viewed(request.user.pk)
        answer: HttpResponseBase = super().dispatch(request, *args, **kwargs)
        return answer

    def get_context_data(self, **kwargs: object) -> object:
        sign_in_log.codes_seen(self.request, self.request.user)
        return super().get_context_data(**kwargs)


class Passkeys(webauthn_views.ListWebAuthnView):  # type: ignore[misc]
    def get_context_data(self, **kwargs: object) -> object:
        return super().get_context_data(**kwargs) | {
            "possible": settings.PASSKEYS,
            "host": urlsplit(settings.BASE_URL).hostname,
        }


class RenamePasskey(webauthn_views.EditWebAuthnView):  # type: ignore[misc]
    def form_valid(self, form: object) -> HttpResponse:
        """Rename, and record it: allauth sends no signal."""
        before = self.object.wrap().name
        answer: HttpResponse = super().form_valid(form)
        after = self.object.wrap().name
        sign_in_log.record(self.request, self.request.user, "person.passkey_rename", before=before, after=after)
        return answer


class RemovePasskey(webauthn_views.RemoveWebAuthnView):  # type: ignore[misc]
    def get_context_data(self, **kwargs: object) -> object:
        steps = Authenticator.objects.filter(user=self.request.user).exclude(type=Authenticator.Type.RECOVERY_CODES)
        return super().get_context_data(**kwargs) | {"last": steps.count() == 1, "name": self.object.wrap().name}


class PasskeySignIn(webauthn_views.LoginWebAuthnView):  # type: ignore[misc]
    def form_invalid(self, form: BaseForm) -> HttpResponse:
        """Record the failed sign-in: allauth sends no signal. That of a copied passkey is recorded already."""
        if not form.has_error("credential", "copied_passkey"):
            sign_in_log.record_unknown(self.request, ways=["passkey"])
        answer: HttpResponse = super().form_invalid(form)
        return answer


def only_with_passkeys(
    view: Callable[Concatenate[HttpRequest, Arguments], HttpResponse],
) -> Callable[Concatenate[HttpRequest, Arguments], HttpResponse]:
    """Redirect to the page that explains why there are no passkeys, if they are disabled."""

    def guarded(request: HttpRequest, /, *args: Arguments.args, **kwargs: Arguments.kwargs) -> HttpResponse:
        if not settings.PASSKEYS:
            url_name = "mfa_list_webauthn" if request.user.is_authenticated else "account_login"
            return responses.redirect_to_view(request, url_name)
        return view(request, *args, **kwargs)

    return guarded


@superuser
def take_away(request: ConsoleRequest, person_id: int) -> HttpResponse:
    """Ask for confirmation, then remove it and notify the person by mail."""
    person = get_object_or_404(User, pk=person_id)
    if not is_sure(request):
        return responses.page(request, "members/people/second_step.html", {"person": person})
    values = {"person": person.label[:80]}
    if second_step.remove_all(actor(request), person):
        get_adapter(request).send_notification_mail("mfa/email/second_step_taken", person)
        messages.success(request, _("The two-factor authentication of %(person)s is removed.") % values)
    else:
        messages.info(request, _("%(person)s had no two-factor authentication.") % values)
    return responses.redirect_to_view(request, "person", person.pk)
