"""The forms before a secret is shown: which one, and why."""

from collections.abc import Mapping

from django import forms
from django.utils.translation import gettext_lazy as _

from workflows_ui.core.form_choices import set_choices

#: A reason of fewer words is useless in the audit log.
FEWEST_WORDS = 3


class RevealForm(forms.Form):
    """Why the token of an MCP server is needed."""

    reason = forms.CharField(
        label=_("What do you need the token for?"),
        min_length=10,
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3, "data-focus": True}),
        help_text=_("A sentence, such as: “Setting up the assistant on the sales laptop.”"),
    )

    def clean_reason(self) -> str:
        """The reason in one line. Raises ValidationError for fewer than three words."""
        reason = " ".join(str(self.cleaned_data["reason"]).split())
        if len(reason.split()) < FEWEST_WORDS:
            raise forms.ValidationError(_("Say it in a few words more."))
        return reason


class HiddenForm(RevealForm):
    """One of the masked values, and the reason."""

    place = forms.ChoiceField(label=_("Which value?"), widget=forms.RadioSelect)
    field_order = ("place", "reason")

    def __init__(self, places: list[tuple[str, str]], data: Mapping[str, object] | None = None) -> None:
        super().__init__(data)
        set_choices(self, "place", places)
        reason = self.fields["reason"]
        reason.label = _("What do you need it for?")
        reason.help_text = _("A sentence, such as: “Comparing the customer's signature with what we sent.”")
        reason.widget.attrs.pop("data-focus", None)
