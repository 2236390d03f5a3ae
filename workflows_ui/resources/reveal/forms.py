"""The form before a masked value is shown: which one, and why."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from workflows_ui.resources.mcp_servers.forms import RevealForm


class HiddenForm(RevealForm):
    """One of the masked values, and the reason."""

    place = forms.ChoiceField(label=_("Which value?"), widget=forms.RadioSelect)
    field_order = ("place", "reason")

    def __init__(self, places: list[tuple[str, str]], data: Any = None) -> None:
        super().__init__(data)
        field = self.fields["place"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101  (tells the type checker)
        field.choices = places
        reason = self.fields["reason"]
        reason.label = _("What do you need it for?")
        reason.help_text = _("A sentence, such as: “Comparing the customer's signature with what we sent.”")
        reason.widget.attrs.pop("autofocus", None)
