"""Forms of membership."""

from django import forms
from django.utils.translation import gettext_lazy as _

from workflows_ui.members.models import Role


class RoleForm(forms.Form):
    """A role."""

    role = forms.ChoiceField(label=_("Role"), choices=Role.choices, initial=Role.LAUNCHER)

    @property
    def chosen(self) -> Role:
        """The role of a valid form."""
        return Role(self.cleaned_data["role"])


class AddMemberForm(RoleForm):
    """A person and a role."""

    who = forms.CharField(
        label=_("User name or e-mail address"),
        max_length=254,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "autocapitalize": "none"}),
    )
    field_order = ("who", "role")
