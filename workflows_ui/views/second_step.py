"""The second step of signing in: an authenticator app, passkeys, recovery codes. allauth does the work; pages and words are ours.

Addresses exist for passkeys everywhere, but only where browsers know passkeys (settings.PASSKEYS) is one offered.
"""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.base import views as base_views
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes import views as code_views
from allauth.mfa.totp import views as totp_views
from allauth.mfa.webauthn import views as webauthn_views
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import path, reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.cache import never_cache

from workflows_ui.kit import respond, sign_in_log
from workflows_ui.kit.access import GOING_TO, signed_in
from workflows_ui.models import User
from workflows_ui.services import second_step
from workflows_ui.views.refusing import Refuses


class SecondStepAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """What allauth asks of us: secrets are sealed, passkeys belong to the host of BASE_URL, errors are told in our words."""

    error_messages = DefaultMFAAdapter.error_messages | {
        "incorrect_code": gettext_lazy("This code is not right. Wait for the next one, then try that."),
        "cannot_generate_recovery_codes": gettext_lazy(
            "Set up an authenticator app or a passkey first: recovery codes stand in for them."
        ),
    }

    def encrypt(self, text: str) -> str:
        """Sealed as credentials are."""
        return second_step.seal(text)

    def decrypt(self, encrypted_text: str) -> str:
        """Opened again."""
        return second_step.unseal(encrypted_text)

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        """The host of BASE_URL, whatever the request says of itself."""
        return {"id": urlsplit(settings.BASE_URL).hostname or "", "name": _("Workflow console")}

    def generate_authenticator_name(self, user: User, type: str) -> str:
        """A name for a passkey that was given none."""
        number = Authenticator.objects.filter(user_id=user.pk, type=type).count() + 1
        return _("Passkey %(number)s") % {"number": number}


class _Step(Refuses, base_views.AuthenticateView):  # type: ignore[misc]
    """The second step itself, between password and console."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Which of the two ways this person has."""
        context: dict[str, Any] = super().get_context_data(**kwargs)
        types = set(Authenticator.objects.filter(user=self.stage.login.user).values_list("type", flat=True))
        return context | {
            "has_app": Authenticator.Type.TOTP in types,
            "has_passkey": Authenticator.Type.WEBAUTHN in types and settings.PASSKEYS,
        }


class _Overview(base_views.IndexView):  # type: ignore[misc]
    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """What is set up, how many recovery codes are left, and where the person was going."""
        context: dict[str, Any] = super().get_context_data(**kwargs)
        codes = context["authenticators"].get(Authenticator.Type.RECOVERY_CODES)
        has_step = second_step.has(self.request.user)
        wanted = self.request.GET.get("next", "")[:2000]
        if wanted.startswith("/") and url_has_allowed_host_and_scheme(wanted, allowed_hosts=None):
            self.request.session[GOING_TO] = wanted
        # The way on is offered until it was shown once with a second step; then it is of the past.
        going_to = self.request.session.pop(GOING_TO, "") if has_step else self.request.session.get(GOING_TO, "")
        left = len(codes.get_unused_codes()) if codes else 0
        return context | {
            "tab": "second_step",
            "has_step": has_step,
            "app": context["authenticators"].get(Authenticator.Type.TOTP),
            "codes": codes,
            "codes_left": ngettext("%(count)s code is left.", "%(count)s codes are left.", left) % {"count": left},
            "few_codes": bool(codes) and left < 3,
            "passkey_count": len(context["authenticators"].get(Authenticator.Type.WEBAUTHN, [])),
            "going_to": going_to,
        }


class _AddApp(Refuses, totp_views.ActivateTOTPView):  # type: ignore[misc]
    extra_context = {"tab": "second_step"}


class _RemoveApp(Refuses, totp_views.DeactivateTOTPView):  # type: ignore[misc]
    extra_context = {"tab": "second_step"}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Whether a passkey remains."""
        context: dict[str, Any] = super().get_context_data(**kwargs)
        keys = Authenticator.objects.filter(user=self.request.user, type=Authenticator.Type.WEBAUTHN)
        return context | {"last": not keys.exists()}


class _Codes(code_views.ViewRecoveryCodesView):  # type: ignore[misc]
    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """The codes that were not used yet, and the way on for somebody who was led here. That they were shown is written down."""
        context: dict[str, Any] = super().get_context_data(**kwargs)
        if context["can_view_codes"]:
            sign_in_log.codes_seen(self.request)
        return context | {"tab": "second_step", "going_to": self.request.session.get(GOING_TO, "")}


class _CodesFile(code_views.DownloadRecoveryCodesView):  # type: ignore[misc]
    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """The codes; that they were taken is written down."""
        sign_in_log.codes_seen(self.request)
        context: dict[str, Any] = super().get_context_data(**kwargs)
        return context


class _NewCodes(Refuses, code_views.GenerateRecoveryCodesView):  # type: ignore[misc]
    extra_context = {"tab": "second_step"}


class _Passkeys(webauthn_views.ListWebAuthnView):  # type: ignore[misc]
    extra_context = {"tab": "passkeys"}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Whether this address can have passkeys at all."""
        context: dict[str, Any] = super().get_context_data(**kwargs)
        return context | {"possible": settings.PASSKEYS, "host": urlsplit(settings.BASE_URL).hostname}


class _AddPasskey(Refuses, webauthn_views.AddWebAuthnView):  # type: ignore[misc]
    extra_context = {"tab": "passkeys"}


class _RenamePasskey(Refuses, webauthn_views.EditWebAuthnView):  # type: ignore[misc]
    extra_context = {"tab": "passkeys"}

    def form_valid(self, form: Any) -> HttpResponse:
        """Written down: allauth says nothing of it."""
        before = self.object.wrap().name
        answer: HttpResponse = super().form_valid(form)
        sign_in_log.passkey_renamed(self.request, before, self.object.wrap().name)
        return answer


class _RemovePasskey(Refuses, webauthn_views.RemoveWebAuthnView):  # type: ignore[misc]
    extra_context = {"tab": "passkeys"}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Whether another second step remains."""
        context: dict[str, Any] = super().get_context_data(**kwargs)
        steps = Authenticator.objects.filter(user=self.request.user).exclude(type=Authenticator.Type.RECOVERY_CODES)
        return context | {"last": steps.count() == 1, "name": self.object.wrap().name}


class _CodeAgain(Refuses, base_views.ReauthenticateView):  # type: ignore[misc]
    pass


class _PasskeyAgain(webauthn_views.ReauthenticateWebAuthnView):  # type: ignore[misc]
    pass


class _PasskeySignIn(webauthn_views.LoginWebAuthnView):  # type: ignore[misc]
    def form_invalid(self, form: Any) -> HttpResponse:
        """Written down as any sign-in that fails: allauth says nothing of it."""
        sign_in_log.passkey_failed(self.request)
        answer: HttpResponse = super().form_invalid(form)
        return answer


def _only_with_passkeys(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Leads to the page that says why there are no passkeys here, where there are none."""

    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not settings.PASSKEYS:
            where = "mfa_list_webauthn" if request.user.is_authenticated else "account_login"
            return respond.redirect(request, reverse(where))
        return view(request, *args, **kwargs)

    return guarded


def _own(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """A page of one's own, which no cache keeps: it may show a secret of one's own."""
    return signed_in(never_cache(view))


_STEP = "accounts/second-step/"
_KEY = "accounts/passkeys/"
#: allauth's names, since allauth looks its addresses up by them.
urlpatterns = [
    path(_STEP, _own(_Overview.as_view()), name="mfa_index"),
    path(f"{_STEP}enter/", never_cache(_Step.as_view()), name="mfa_authenticate"),
    path(f"{_STEP}again/", _own(_CodeAgain.as_view()), name="mfa_reauthenticate"),
    path(f"{_STEP}app/add/", _own(_AddApp.as_view()), name="mfa_activate_totp"),
    path(f"{_STEP}app/remove/", _own(_RemoveApp.as_view()), name="mfa_deactivate_totp"),
    path(f"{_STEP}codes/", _own(_Codes.as_view()), name="mfa_view_recovery_codes"),
    path(f"{_STEP}codes/new/", _own(_NewCodes.as_view()), name="mfa_generate_recovery_codes"),
    path(
        f"{_STEP}codes/file/",
        _own(_CodesFile.as_view()),
        name="mfa_download_recovery_codes",
    ),
    path(_KEY, _own(_Passkeys.as_view()), name="mfa_list_webauthn"),
    path(f"{_KEY}add/", _own(_only_with_passkeys(_AddPasskey.as_view())), name="mfa_add_webauthn"),
    path(f"{_KEY}again/", _own(_only_with_passkeys(_PasskeyAgain.as_view())), name="mfa_reauthenticate_webauthn"),
    path(f"{_KEY}sign-in/", never_cache(_only_with_passkeys(_PasskeySignIn.as_view())), name="mfa_login_webauthn"),
    path(f"{_KEY}<int:pk>/rename/", _own(_RenamePasskey.as_view()), name="mfa_edit_webauthn"),
    path(f"{_KEY}<int:pk>/remove/", _own(_RemovePasskey.as_view()), name="mfa_remove_webauthn"),
]
