"""The form of a channel for alarms."""

from collections.abc import Mapping

from django import forms
from django.conf import settings
from django.utils.translation import gettext, gettext_lazy as _

from workflows_ui.alarms import channels
from workflows_ui.alarms.models import AlarmChannel, AlarmKind, ChannelShape
from workflows_ui.engine import AddressRefused

#: An alarm about many flows stands for those about single ones.
_KINDS = [choice for choice in AlarmKind.choices if choice[0] != AlarmKind.MANY]


class ChannelForm(forms.Form):
    """A channel: a new one, or the changes of `channel`, whose address stays unless another one is entered."""

    name = forms.CharField(label=_("Name"), max_length=100)
    shape = forms.ChoiceField(label=_("Kind of channel"), choices=ChannelShape.choices)
    address = forms.CharField(
        label=_("Webhook address"),
        max_length=2000,
        widget=forms.PasswordInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        help_text=_("Anyone who knows this address can post to the channel: it is stored encrypted and never shown."),
    )
    kinds = forms.MultipleChoiceField(
        label=_("Alarms"),
        choices=_KINDS,
        initial=[value for value, _label in _KINDS],
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Everyone in the channel sees these alarms for all flows, by name."),
    )
    causes = forms.BooleanField(
        label=_("Name the cause of failures"),
        required=False,
        help_text=_(
            "Everyone who reads the channel, also without an account here, can then read the message of "
            "the step at which the latest run failed. Secrets are masked, and runs of launches are left "
            "out. Without this, messages give numbers only. It has no effect while the workspace leaves "
            "causes out of emails and notifications."
        ),
    )
    language = forms.ChoiceField(label=_("Language"), choices=settings.LANGUAGES)
    paused = forms.BooleanField(label=_("Paused"), required=False, help_text=_("Alarms that begin now are not sent."))

    def __init__(
        self,
        data: Mapping[str, object] | None = None,
        *,
        initial: dict[str, object] | None = None,
        channel: AlarmChannel | None = None,
    ) -> None:
        super().__init__(data, initial=initial)
        if channel is None:
            del self.fields["paused"]
            return
        # Agreements with the server, such as the signing key, belong to the kind of channel.
        del self.fields["shape"]
        address = self.fields["address"]
        address.required, address.label = False, _("Another webhook address")
        address.help_text = _("Leave it empty to keep the address at %(host)s.") % {"host": channel.host}

    def clean_address(self) -> str:
        """The address, if the console may call it. Names are checked again when connecting."""
        address: str = self.cleaned_data["address"].strip()
        if not address:
            return ""
        schemes = ("https://", "http://") if settings.WEBHOOK_PRIVATE_NETWORKS else ("https://",)
        if not address.lower().startswith(schemes):
            raise forms.ValidationError(gettext("Enter an address that begins with https://."))
        try:
            channels.route().check(address)
        except AddressRefused:
            raise forms.ValidationError(gettext("The console may not call this address.")) from None
        return address
