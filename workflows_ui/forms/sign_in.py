"""The form before a sign-in at an app: with which client, and for which rights."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _


class SignInForm(forms.Form):
    """`more` are the app's own fields that its sign-in page is made of, such as a subdomain."""

    client_id = forms.CharField(
        label=_("Client id"),
        max_length=2000,
        widget=forms.TextInput({"autocomplete": "off"}),
        help_text=_("From the app's own page for developers. The client secret is asked for afterwards."),
    )
    scope = forms.CharField(
        label=_("Rights asked for (scope)"),
        max_length=20_000,
        required=False,
        widget=forms.Textarea({"rows": "2", "autocomplete": "off", "spellcheck": "false"}),
        help_text=_("Usually right as it is: what the app's actions and triggers need."),
    )

    def __init__(self, *args: Any, more: Mapping[str, forms.Field], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields |= dict(more)
