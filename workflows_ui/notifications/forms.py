"""The forms of a person's notification settings, and of what they mute."""

from datetime import datetime, timedelta

from django import forms
from django.utils.translation import gettext_lazy as _

from workflows_ui.accounts.models import MailDelivery, User
from workflows_ui.core import clock
from workflows_ui.notifications.mutes import WEEK


class NotificationSettingsForm(forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    """When mails of notifications are sent; times are in the person's time zone."""

    mail_delivery = forms.ChoiceField(
        label=_("Notifications by email"), choices=MailDelivery.choices, widget=forms.RadioSelect
    )
    digest_hour = forms.TypedChoiceField(
        label=_("Time of the daily email"),
        choices=[(hour, f"{hour:02}:00") for hour in range(24)],
        coerce=int,
        help_text=_("Only for one email a day."),
    )

    class Meta:
        model = User
        fields = ("mail_delivery", "digest_hour", "quiet_from", "quiet_until")
        help_texts = {"quiet_until": _("Emails wait until the end of the quiet hours. Leave both empty for none.")}
        widgets = {
            name: forms.TimeInput(attrs={"type": "time"}, format="%H:%M") for name in ("quiet_from", "quiet_until")
        }

    def clean(self) -> dict[str, object]:
        """Require both ends of the quiet hours, or neither."""
        values: dict[str, object] = super().clean() or {}
        ends = [values.get("quiet_from"), values.get("quiet_until")]
        if not self.errors and (ends[0] is None) != (ends[1] is None):
            self.add_error("quiet_from" if ends[0] is None else "quiet_until", _("Enter both times, or neither."))
        elif not self.errors and ends[0] is not None and ends[0] == ends[1]:
            self.add_error("quiet_until", _("Enter another time than the beginning."))
        return values


class MuteForm(forms.Form):
    """How long something is muted, and for whom."""

    LENGTHS = {"day": timedelta(days=1), "week": WEEK, "month": timedelta(days=30), "always": None}

    length = forms.ChoiceField(
        label=_("How long"),
        choices=[
            ("day", _("One day")),
            ("week", _("One week")),
            ("month", _("30 days")),
            ("always", _("Until I unmute it")),
        ],
        initial="week",
        widget=forms.RadioSelect,
    )
    everyone = forms.ChoiceField(
        label=_("For whom"), required=False, widget=forms.RadioSelect, choices=[("", _("Only for me"))]
    )

    def __init__(self, *arguments: object, workspace: str = "", **options: object) -> None:
        """`workspace` is the name of the one for which the person may mute it for everyone; empty for none."""
        super().__init__(*arguments, **options)  # type: ignore[arg-type]  # passed on as they are
        if workspace:
            everyone = _("For everyone in “%(workspace)s”. They see who muted it and until when.")
            choices = [("", _("Only for me")), ("yes", everyone % {"workspace": workspace[:80]})]
            self.fields["everyone"].choices = choices  # type: ignore[attr-defined]  # a ChoiceField
        else:
            del self.fields["everyone"]

    @property
    def until(self) -> datetime | None:
        """The end of the mute, of valid data; None without one."""
        length = self.LENGTHS[self.cleaned_data["length"]]
        return clock.now() + length if length else None
