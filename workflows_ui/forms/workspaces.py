"""The form of a workspace's settings."""

from django import forms
from django.utils.translation import gettext_lazy as _

from workflows_ui.models import Colour, Workspace


class WorkspaceForm(forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    """Name, stripe, and whether launching is paused. Saved by services.workspaces, not by the form.

    `stepped`: whether the manager has a second step themselves. Whoever has none would lock themselves out by demanding one.
    """

    class Meta:
        model = Workspace
        fields = ("name", "colour", "launching_paused", "second_factor_required")
        labels = {
            "colour": _("Stripe"),
            "launching_paused": _("Pause launching"),
            "second_factor_required": _("Demand a second step"),
        }
        help_texts = {
            "colour": _("A coloured line on every page, so that nobody takes one environment for another."),
            "launching_paused": _(
                "Nobody can launch a flow here while this is on. What is running goes on, and is followed to its end."
            ),
            "second_factor_required": _(
                "Members who sign in with a password alone are led to set up an authenticator app or a passkey before they see "
                "anything here. A single sign-on counts where the provider says that it has asked for a second step. The page "
                "“Members” says who has none yet."
            ),
        }

    def __init__(self, *args: object, stepped: bool, **kwargs: object) -> None:
        self._stepped = stepped
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.fields["colour"] = forms.ChoiceField(
            label=_("Stripe"), choices=Colour.choices, required=False, help_text=self.fields["colour"].help_text
        )

    def clean_second_factor_required(self) -> bool:
        """Nobody demands what they do not have."""
        wanted: bool = self.cleaned_data["second_factor_required"]
        if wanted and not self.instance.second_factor_required and not self._stepped:
            raise forms.ValidationError(
                _(
                    "You have no second step yourself: you would be locked out at once. Set up your own first, then demand it."
                )
            )
        return wanted
