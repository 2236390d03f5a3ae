"""Forms of a person's own account and of the second step of signing in: allauth's with the console's texts, and the profile."""

import contextlib
import zoneinfo
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, ClassVar

from allauth.account import forms as allauth_forms
from allauth.account.fields import SetPasswordField
from allauth.core import context
from allauth.mfa.adapter import get_adapter
from allauth.mfa.base import forms as base_forms
from allauth.mfa.models import Authenticator
from allauth.mfa.totp import forms as totp_forms
from allauth.mfa.totp.internal.auth import SECRET_SESSION_KEY
from allauth.mfa.webauthn import forms as webauthn_forms
from allauth.mfa.webauthn.internal.auth import parse_authentication_response
from django import forms
from django.conf import settings
from django.core.cache import cache
from django.core.validators import MaxLengthValidator
from django.utils.translation import gettext_lazy as _, pgettext_lazy

from workflows_ui.accounts import known_browsers, sign_in_log
from workflows_ui.accounts.models import User
from workflows_ui.accounts.services import passwords, second_step
from workflows_ui.core.crypto import CannotOpen

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


class _Labelled:
    """Label the fields of one of allauth's forms; its placeholders go, and its help texts except the rules for a new password."""

    labels: ClassVar[Mapping[str, "StrOrPromise"]]

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        fields: dict[str, forms.Field] = self.fields  # type: ignore[attr-defined]
        for name, label in self.labels.items():
            fields[name].label = label
            fields[name].widget.attrs.pop("placeholder", None)
            if not isinstance(fields[name], SetPasswordField):
                fields[name].help_text = ""


#: The longest name and e-mail address of an account. A longer one is neither searched for nor hashed.
LONGEST_LOGIN = 254


class SignInForm(_Labelled, allauth_forms.LoginForm):  # type: ignore[misc]
    """User name or e-mail address, password."""

    labels = {
        "login": _("Username or email address"),
        "password": _("Password"),
        "remember": _("Stay signed in on this computer for two weeks"),
    }

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        attributes = {"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"}
        self.fields["login"].widget.attrs = attributes
        self.fields["login"].validators.append(MaxLengthValidator(LONGEST_LOGIN))


class ResetPasswordForm(_Labelled, allauth_forms.ResetPasswordForm):  # type: ignore[misc]
    """The e-mail address for the link."""

    labels = {"email": _("Email address")}

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"].validators.append(MaxLengthValidator(LONGEST_LOGIN))

    def clean_email(self) -> str:
        """The address without checking whether an account has it."""
        return str(self.cleaned_data["email"])


_NEW_PASSWORD = {"password1": _("New password"), "password2": _("Confirm new password")}


class ChangePasswordForm(_Labelled, allauth_forms.ChangePasswordForm):  # type: ignore[misc]
    """The old password, and the new one twice."""

    labels = {"oldpassword": _("Current password"), **_NEW_PASSWORD}


class NewPasswordForm(_Labelled, allauth_forms.ResetPasswordKeyForm):  # type: ignore[misc]
    """A new password twice, after following a link by mail."""

    labels = _NEW_PASSWORD

    def save(self) -> None:
        """Set the password. Raise passwords.LinkUsed."""
        passwords.reset(self.user, self.cleaned_data["password1"])


class SetPasswordForm(_Labelled, allauth_forms.SetPasswordForm):  # type: ignore[misc]
    """A first password twice."""

    labels = _NEW_PASSWORD


class PasswordAgainForm(_Labelled, allauth_forms.ReauthenticateForm):  # type: ignore[misc]
    """Confirmation of the password before a sensitive action."""

    labels = {"password": _("Password")}


class AddressForm(_Labelled, allauth_forms.AddEmailForm):  # type: ignore[misc]
    """A new e-mail address, which takes over once it is confirmed."""

    labels = {"email": _("New email address")}


#: The geographic regions: other zones are old aliases such as GB or Etc/GMT+7.
_REGIONS = frozenset(
    ["Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific"]
)


@lru_cache(maxsize=1)
def _zones() -> dict[str, list[tuple[str, str]]]:
    """UTC and the zones of the regions, by region, with their names for people."""
    groups = {"UTC": [("UTC", "UTC")]}
    for zone in sorted(zoneinfo.available_timezones()):
        region, _slash, city = zone.partition("/")
        if region in _REGIONS:
            groups.setdefault(region, []).append((zone, city.replace("_", " ")))
    return groups


def _zone_choices() -> list[tuple[str, object]]:
    return [("", _("Default (%(zone)s)") % {"zone": settings.TIME_ZONE}), *_zones().items()]


class ProfileForm(forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    """Name, language and time zone of the signed-in person."""

    language = forms.ChoiceField(
        label=pgettext_lazy("of the pages", "Language"),
        choices=lambda: [("", _("Same as browser")), *settings.LANGUAGES],
        required=False,
    )
    time_zone = forms.ChoiceField(
        label=_("Time zone"), choices=_zone_choices, required=False, help_text=_("All pages show times in it.")
    )

    class Meta:
        model = User
        fields = ("first_name", "last_name", "language", "time_zone")
        labels = {"first_name": _("First name"), "last_name": _("Last name")}


#: Longer than the validity of a code: its half minute, with one more on either side.
_USED_SECONDS = 120
_LONGEST_NAME = 60


class _SingleUse:
    """Reject an accepted code for the rest of its validity."""

    user: User

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        field: forms.Field = self.fields["code"]  # type: ignore[attr-defined]
        field.label = pgettext_lazy("of an app", "Code")
        field.widget.attrs = {"autocomplete": "one-time-code", "inputmode": "numeric", "spellcheck": "false"}

    def clean_code(self) -> str:
        """Reject the code if it was used; return it."""
        with known_browsers.counted_apart(context.request, self.user.pk):
            code: str = super().clean_code()  # type: ignore[misc]
        plain = "".join(character for character in code if character.isalnum())
        if not cache.add(f"second-step-code:{self.user.pk}:{plain}", "used", timeout=_USED_SECONDS):
            raise get_adapter().validation_error("incorrect_code")
        return code


class CodeForm(_SingleUse, base_forms.AuthenticateForm):  # type: ignore[misc]
    """The code of an app, or a recovery code, at the sign-in."""


class CodeAgainForm(_SingleUse, base_forms.ReauthenticateForm):  # type: ignore[misc]
    """The code of an app, or a recovery code, before a sensitive action."""


class AppForm(_SingleUse, totp_forms.ActivateTOTPForm):  # type: ignore[misc]
    """The first code of an authenticator app, as proof that it has the secret."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        session = context.request.session
        sealed_secret = session.pop(SECRET_SESSION_KEY, "")
        if sealed_secret:
            with contextlib.suppress(CannotOpen):
                session[SECRET_SESSION_KEY] = second_step.unseal(sealed_secret)
        super().__init__(*args, **kwargs)
        # A session is a database row: the secret is sealed there during the set-up, too.
        session[SECRET_SESSION_KEY] = second_step.seal(self.secret)
        self.fields["code"].label = _("The code that the app shows now")
        self.fields["code"].help_text = _("Six digits; they change every half minute.")


class _WellFormed:
    """Report a malformed passkey credential as an incorrect code."""

    def full_clean(self) -> None:
        """Validate; turn errors from parsing a malformed credential into a form error."""
        try:
            super().full_clean()  # type: ignore[misc]
        except (KeyError, TypeError, ValueError, AttributeError):
            self.add_error("credential", get_adapter().validation_error("incorrect_code"))  # type: ignore[attr-defined]


class _Counted(_WellFormed):
    """Refuse a passkey of which there may be a copy."""

    cleaned_data: dict[str, object]
    user: User | None

    def clean_credential(self) -> Authenticator:
        """The passkey, whose signature is verified, with its counter stored."""
        response = self.cleaned_data["credential"]
        with known_browsers.counted_apart(context.request, self.user.pk if self.user else None):
            passkey: Authenticator = super().clean_credential()  # type: ignore[misc]
        counter = parse_authentication_response(response).response.authenticator_data.counter
        try:
            second_step.count_use(passkey, counter)
        except second_step.CopiedPasskey as problem:
            sign_in_log.passkey_refused(context.request, passkey, counter=counter, last=problem.last)
            raise get_adapter().validation_error("copied_passkey") from None
        return passkey


class PasskeyStepForm(_Counted, webauthn_forms.AuthenticateWebAuthnForm):  # type: ignore[misc]
    """A passkey at the second step."""


class PasskeyAgainForm(_Counted, webauthn_forms.ReauthenticateWebAuthnForm):  # type: ignore[misc]
    """A passkey before a sensitive action."""


class PasskeySignInForm(_Counted, webauthn_forms.LoginWebAuthnForm):  # type: ignore[misc]
    """A passkey instead of name and password."""


class PasskeyForm(_WellFormed, webauthn_forms.AddWebAuthnForm):  # type: ignore[misc]
    """A name for a new passkey, and whether it replaces the password. A hidden field carries the browser's credential."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        name, passwordless = self.fields["name"], self.fields["passwordless"]
        name.label, name.max_length = _("Name"), _LONGEST_NAME
        name.widget.attrs["maxlength"] = _LONGEST_NAME
        name.help_text = _("So that you recognize it: “Work laptop”, “Phone”.")
        passwordless.label = _("Sign in with it alone")
        passwordless.help_text = _(
            "Then no password is asked for. The device asks for your finger, face or PIN instead."
        )
        passwordless.initial = True

    def clean_name(self) -> str:
        """The truncated name, or a generated one if the field is empty."""
        return str(super().clean_name())[:_LONGEST_NAME]


class PasskeyNameForm(webauthn_forms.EditWebAuthnForm):  # type: ignore[misc]
    """A new name for a passkey."""

    name = forms.CharField(label=_("Name"), max_length=_LONGEST_NAME)
