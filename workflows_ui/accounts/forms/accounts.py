"""Forms of a person's own account: allauth's with the console's texts, and the profile."""

import zoneinfo
from functools import lru_cache
from typing import Any

from allauth.account import forms as allauth_forms
from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from workflows_ui.accounts.models import User


class SignInForm(allauth_forms.LoginForm):  # type: ignore[misc]
    """User name or e-mail address, password."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        login, password = self.fields["login"], self.fields["password"]
        login.label = _("User name or e-mail address")
        login.widget.attrs = {"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"}
        password.label = _("Password")
        password.help_text = ""
        password.widget.attrs.pop("placeholder", None)
        self.fields["remember"].label = _("Stay signed in on this computer for two weeks")


class ResetPasswordForm(allauth_forms.ResetPasswordForm):  # type: ignore[misc]
    """The e-mail address for the link."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"].label = _("E-mail address")
        self.fields["email"].widget.attrs.pop("placeholder", None)

    def clean_email(self) -> str:
        """Return the address without checking whether an account has it."""
        return str(self.cleaned_data["email"])


class ChangePasswordForm(allauth_forms.ChangePasswordForm):  # type: ignore[misc]
    """The old password, and the new one twice."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["oldpassword"].label = _("Password until now")
        self.fields["oldpassword"].help_text = ""
        _set_new_password_labels(self)


class NewPasswordForm(allauth_forms.ResetPasswordKeyForm):  # type: ignore[misc]
    """A new password twice, after following a link by mail."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _set_new_password_labels(self)


class SetPasswordForm(allauth_forms.SetPasswordForm):  # type: ignore[misc]
    """A first password twice."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _set_new_password_labels(self)


class PasswordAgainForm(allauth_forms.ReauthenticateForm):  # type: ignore[misc]
    """Confirmation of the password before a sensitive action."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["password"].label = _("Password")
        self.fields["password"].help_text = ""
        self.fields["password"].widget.attrs.pop("placeholder", None)


class AddressForm(allauth_forms.AddEmailForm):  # type: ignore[misc]
    """A new e-mail address, which takes over once it is confirmed."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"].label = _("New e-mail address")
        self.fields["email"].widget.attrs.pop("placeholder", None)


def _set_new_password_labels(form: forms.Form) -> None:
    form.fields["password1"].label = _("New password")
    form.fields["password2"].label = _("New password once more")
    for field in form.fields.values():
        field.widget.attrs.pop("placeholder", None)


@lru_cache(maxsize=1)
def _zones() -> tuple[str, ...]:
    """Return the zones of the geographic regions, and UTC; without old aliases such as GB or Etc/GMT+7."""
    regions = (
        "Africa/",
        "America/",
        "Antarctica/",
        "Arctic/",
        "Asia/",
        "Atlantic/",
        "Australia/",
        "Europe/",
        "Indian/",
        "Pacific/",
    )
    return ("UTC", *sorted(zone for zone in zoneinfo.available_timezones() if zone.startswith(regions)))


def _zone_choices() -> list[tuple[str, Any]]:
    groups: dict[str, list[tuple[str, str]]] = {}
    for zone in _zones():
        region, _slash, city = zone.partition("/")
        groups.setdefault(region if city else "UTC", []).append((zone, (city or zone).replace("_", " ")))
    default = _("The console's own (%(zone)s)") % {"zone": settings.TIME_ZONE}
    return [("", default), *groups.items()]


def _language_choices() -> list[tuple[str, Any]]:
    return [("", _("Same as browser")), *settings.LANGUAGES]


class ProfileForm(forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    """Name, language and time zone of the signed-in person."""

    language = forms.ChoiceField(
        label=pgettext_lazy("of the pages", "Language"), choices=_language_choices, required=False
    )
    time_zone = forms.ChoiceField(
        label=_("Time zone"), choices=_zone_choices, required=False, help_text=_("All pages show times in it.")
    )

    class Meta:
        model = User
        fields = ("first_name", "last_name", "language", "time_zone", "mail_news")
        labels = {"first_name": _("First name"), "last_name": _("Last name"), "mail_news": _("News by mail")}
        help_texts = {"mail_news": _("Notifications are also sent to your e-mail address.")}
