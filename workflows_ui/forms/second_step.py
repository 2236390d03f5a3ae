"""Forms of the second step of signing in: allauth's in our words, and codes that work once."""

import contextlib
from typing import Any

from allauth.core import context
from allauth.mfa.adapter import get_adapter
from allauth.mfa.base import forms as base_forms
from allauth.mfa.totp import forms as totp_forms
from allauth.mfa.totp.internal.auth import SECRET_SESSION_KEY
from allauth.mfa.webauthn import forms as webauthn_forms
from django import forms
from django.core.cache import cache
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from workflows_ui.crypto import CannotOpen
from workflows_ui.services import second_step

#: Longer than a code of an app can be valid: its half minute and one more on either side.
_USED_SECONDS = 120
_LONGEST_NAME = 60


class _Once:
    """A code that was accepted once is refused for as long as it would be valid."""

    user: Any

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _plain(self.fields["code"])  # type: ignore[attr-defined]

    def clean_code(self) -> str:
        """The code, for the first time only."""
        code: str = super().clean_code()  # type: ignore[misc]
        plain = "".join(character for character in code if character.isalnum())
        if not cache.add(f"second-step-code:{self.user.pk}:{plain}", "used", timeout=_USED_SECONDS):
            raise get_adapter().validation_error("incorrect_code")
        return code


class CodeForm(_Once, base_forms.AuthenticateForm):  # type: ignore[misc]
    """The code of an app, or a recovery code, at the sign-in."""


class CodeAgainForm(_Once, base_forms.ReauthenticateForm):  # type: ignore[misc]
    """The code of an app, or a recovery code, before something that matters."""


class AppForm(_Once, totp_forms.ActivateTOTPForm):  # type: ignore[misc]
    """The first code of an authenticator app, which proves that it holds the secret."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        session = context.request.session
        kept = session.pop(SECRET_SESSION_KEY, "")
        if kept:
            with contextlib.suppress(CannotOpen):
                session[SECRET_SESSION_KEY] = second_step.unseal(kept)
        super().__init__(*args, **kwargs)
        # A session is a row: while the app is being set up, too, the secret lies there sealed only.
        session[SECRET_SESSION_KEY] = second_step.seal(self.secret)
        self.fields["code"].label = _("The code that the app shows now")
        self.fields["code"].help_text = _("Six digits; they change every half minute.")


class _WellFormed:
    """What a browser sends of a passkey may be anything; whatever cannot be read is a code that is not right."""

    def full_clean(self) -> None:
        """Validates; what the reading of a malformed credential raises becomes the error of the form."""
        try:
            super().full_clean()  # type: ignore[misc]
        except (KeyError, TypeError, ValueError, AttributeError):
            self.add_error("credential", get_adapter().validation_error("incorrect_code"))  # type: ignore[attr-defined]


class PasskeyStepForm(_WellFormed, webauthn_forms.AuthenticateWebAuthnForm):  # type: ignore[misc]
    """A passkey at the second step."""


class PasskeyAgainForm(_WellFormed, webauthn_forms.ReauthenticateWebAuthnForm):  # type: ignore[misc]
    """A passkey before something that matters."""


class PasskeySignInForm(_WellFormed, webauthn_forms.LoginWebAuthnForm):  # type: ignore[misc]
    """A passkey instead of name and password."""


class PasskeyForm(_WellFormed, webauthn_forms.AddWebAuthnForm):  # type: ignore[misc]
    """A name for a new passkey, and whether it signs in by itself. What the browser makes arrives in a hidden field."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        name, alone = self.fields["name"], self.fields["passwordless"]
        name.label, name.max_length = _("Name"), _LONGEST_NAME
        name.widget.attrs["maxlength"] = _LONGEST_NAME
        name.help_text = _("So that you recognize it: “Work laptop”, “Phone”.")
        alone.label = _("Sign in with it alone")
        alone.help_text = _("Then no password is asked for. The device asks for your finger, face or PIN instead.")
        alone.initial = True

    def clean_name(self) -> str:
        """The name, cut to what is shown; one is made where none was typed."""
        return str(super().clean_name())[:_LONGEST_NAME]


class PasskeyNameForm(webauthn_forms.EditWebAuthnForm):  # type: ignore[misc]
    """Another name for a passkey."""

    name = forms.CharField(label=_("Name"), max_length=_LONGEST_NAME)


def _plain(field: forms.Field) -> None:
    field.label = pgettext_lazy("of an app", "Code")
    field.widget.attrs = {"autocomplete": "one-time-code", "inputmode": "numeric", "spellcheck": "false"}
