"""Forms for invitations, and for the account of the invited person."""

from typing import Any

from django import forms
from django.contrib.auth import password_validation
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from workflows_ui.accounts.models import User
from workflows_ui.members.models import Role
from workflows_ui.members.services.invitations import DAYS


class DaysForm(forms.Form):
    """The validity of a link."""

    days = forms.TypedChoiceField(
        label=_("The link works for"),
        coerce=int,
        initial=7,
        choices=lambda: [(number, ngettext("%d day", "%d days", number) % number) for number in DAYS],
    )


class InviteForm(DaysForm):
    """Address, role, teams and validity. `chosen` is the role of a valid form, None for no role."""

    email = forms.EmailField(
        label=_("E-mail address"),
        max_length=254,
        help_text=_("Their account here will have this address."),
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )
    role = forms.ChoiceField(
        label=_("Role"),
        required=False,
        initial=Role.LAUNCHER,
        choices=[*Role.choices, ("", _("No role: only what their teams open"))],
    )
    teams = forms.ModelMultipleChoiceField(
        label=_("Teams that they join"),
        queryset=Group.objects.none(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Members of a team can use its credentials and launch what the team may launch."),
    )
    field_order = ("email", "role", "teams", "days")

    def __init__(self, *args: Any, teams: list[Group], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["teams"]
        if not teams:
            del self.fields["teams"]
        elif isinstance(field, forms.ModelMultipleChoiceField):
            field.queryset = Group.objects.filter(pk__in=[team.pk for team in teams]).order_by("name")

    def clean(self) -> dict[str, Any]:
        """Require a role or a team, without which the invitation would have no effect."""
        data: dict[str, Any] = super().clean() or {}
        if "role" not in self.errors and not data.get("role") and not data.get("teams"):
            self.add_error("role", _("Without a role they need a team. Choose one of the two."))
        return data

    @property
    def chosen(self) -> Role | None:
        """The role of a valid form."""
        return Role(self.cleaned_data["role"]) if self.cleaned_data["role"] else None


class JoinForm(forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    """The account of an invited person. The e-mail address is the invitation's, not a field."""

    password1 = forms.CharField(
        label=_("Password"),
        strip=False,
        help_text=_("At least 12 characters."),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    password2 = forms.CharField(
        label=_("Password once more"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    class Meta:
        model = User
        fields = ("username", "first_name", "last_name")
        labels = {"username": _("User name"), "first_name": _("First name"), "last_name": _("Last name")}
        help_texts = {"username": _("Letters, digits and @ . + - _")}
        widgets = {
            "username": forms.TextInput(
                attrs={"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"}
            )
        }

    def clean_username(self) -> str:
        """Require an unused name, ignoring case."""
        name = str(self.cleaned_data["username"])
        if User.objects.filter(username__iexact=name).exists():
            raise ValidationError(_("Somebody has this user name. Choose another one."))
        return name

    def clean(self) -> dict[str, Any]:
        """Require equal passwords that are strong enough for this person."""
        data: dict[str, Any] = super().clean() or {}
        first, second = data.get("password1"), data.get("password2")
        if first and second and first != second:
            self.add_error("password2", _("The two passwords are not the same."))
        elif first and second:
            person = User(**{name: data.get(name, "") for name in self.Meta.fields}, email=self.instance.email)
            try:
                password_validation.validate_password(first, person)
            except ValidationError as problem:
                self.add_error("password1", problem)
        return data
