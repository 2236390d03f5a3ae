"""The form that a person fills in before the token of an MCP server is shown."""

from django import forms
from django.utils.translation import gettext_lazy as _

#: A reason of fewer words is useless in the audit log.
FEWEST_WORDS = 3


class RevealForm(forms.Form):
    """Why the token is needed."""

    reason = forms.CharField(
        label=_("What do you need the token for?"),
        min_length=10,
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3, "autofocus": True}),
        help_text=_("A sentence, such as: “Setting up the assistant on the sales laptop.”"),
    )

    def clean_reason(self) -> str:
        """The reason in one line. Raises ValidationError for fewer than three words."""
        reason = " ".join(str(self.cleaned_data["reason"]).split())
        if len(reason.split()) < FEWEST_WORDS:
            raise forms.ValidationError(_("Say it in a few words more."))
        return reason
