"""Forms for rights to launch one flow."""

from datetime import datetime
from typing import Any

from django import forms
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from workflows_ui.accounts.models import User
from workflows_ui.accounts.services import people


class LimitsForm(forms.Form):
    """Optional limits: an end and a number of launches. `used` is the number of launches used so far."""

    used = 0

    until = forms.DateTimeField(
        label=_("Until"),
        required=False,
        help_text=_("Left empty, it holds until you withdraw it."),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M"],
        error_messages={"invalid": _("Give day and time, such as 2030-05-31 18:00.")},
    )
    most_launches = forms.IntegerField(
        label=_("Maximum launches"),
        required=False,
        min_value=1,
        max_value=100_000,
        help_text=_("Left empty, they may launch as often as they like. A team's launches are counted together."),
    )

    def clean_until(self) -> datetime | None:
        """Require a moment in the future."""
        moment: datetime | None = self.cleaned_data["until"]
        if moment is not None and moment <= timezone.now():
            raise ValidationError(_("This moment is over. Choose a later one."))
        return moment

    def clean_most_launches(self) -> int | None:
        """Require at least the number used so far."""
        most: int | None = self.cleaned_data["most_launches"]
        if most is not None and most < self.used:
            raise ValidationError(_("%(n)d are used already. Give at least so many.") % {"n": self.used})
        return most


class LaunchRightForm(LimitsForm):
    """A person or a team, with optional limits. `holder` is the person or team of a valid form."""

    who = forms.CharField(
        label=_("A person"),
        required=False,
        max_length=254,
        help_text=_(
            "User name or e-mail address. They need not be a member: by the right alone they see nothing else here."
        ),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "autocapitalize": "none"}),
    )
    team = forms.ModelChoiceField(
        label=_("Or a team"), queryset=Group.objects.order_by("name"), required=False, empty_label=_("No team")
    )
    field_order = ("who", "team", "until", "most_launches")
    holder: User | Group

    def clean(self) -> dict[str, Any]:
        """Require exactly one of person and team."""
        data: dict[str, Any] = super().clean() or {}
        who, team = str(data.get("who") or ""), data.get("team")
        if "who" in self.errors or "team" in self.errors:
            return data
        if who and team:
            self.add_error("team", _("Choose a person or a team, not both. Give a second right for the other."))
        elif team is not None:
            self.holder = team
        elif not who:
            self.add_error("who", _("Name a person, or choose a team."))
        else:
            person = people.find_person(who)
            if person is None:
                self.add_error(
                    "who",
                    _("Nobody with this user name or e-mail address has an account here. Invite them first."),
                )
            else:
                self.holder = person
        return data
