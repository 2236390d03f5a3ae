"""The form of a person's notification settings."""

from django import forms
from django.utils.translation import gettext_lazy as _

from workflows_ui.accounts.models import MailDelivery, User


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
