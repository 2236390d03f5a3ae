"""Forms of teams: name, people, and the membership in a workspace."""

from django import forms
from django.contrib.auth.models import Group
from django.utils.translation import gettext_lazy as _

from workflows_ui.members.forms.members import RoleForm


class TeamForm(forms.Form):
    """Name and purpose."""

    name = forms.CharField(label=_("Name"), max_length=150, widget=forms.TextInput(attrs={"autocomplete": "off"}))
    description = forms.CharField(label=_("What it is for"), max_length=300, required=False)


class PersonForm(forms.Form):
    """A person to add to a team."""

    who = forms.CharField(
        label=_("User name or e-mail address"),
        max_length=254,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "autocapitalize": "none"}),
    )


class AddTeamForm(RoleForm):
    """A team and its role in the workspace."""

    team = forms.ModelChoiceField(
        label=_("Team"), queryset=Group.objects.order_by("name"), empty_label=_("Choose a team")
    )
    field_order = ("team", "role")


class SuccessorForm(forms.Form):
    """The recipient of a leaving person's belongings."""

    successor = forms.CharField(
        label=_("Hand it over to"),
        max_length=254,
        required=False,
        help_text=_("User name or e-mail address"),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "autocapitalize": "none"}),
    )
