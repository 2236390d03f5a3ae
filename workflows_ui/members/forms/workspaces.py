"""The form of a workspace's settings."""

from django import forms
from django.utils.translation import gettext_lazy as _

from workflows_ui.members.models import Colour, Workspace


class WorkspaceForm(forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    """Name, colour bar and switches. Saved by members.services.workspaces, not by the form.

    `stepped`: whether the manager has a second step; without one, requiring it would lock them out.
    """

    class Meta:
        model = Workspace
        fields = ("name", "colour", "launching_paused", "second_factor_required")
        labels = {
            "colour": _("Colour bar"),
            "launching_paused": _("Pause launching"),
            "second_factor_required": _("Require two-factor authentication"),
        }
        help_texts = {
            "colour": _("A coloured line on every page, so that nobody takes one environment for another."),
            "launching_paused": _(
                "While this is on, no one can launch a flow here. Running launches continue and are followed to their "
                "end."
            ),
            "second_factor_required": _(
                "Members who sign in with only a password have to set up an authenticator app or a passkey before they "
                "see anything here. Single sign-on counts if the provider reports a second factor. The page “Members” "
                "shows who has none yet."
            ),
        }

    def __init__(self, *args: object, stepped: bool, **kwargs: object) -> None:
        self._stepped = stepped
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.fields["colour"] = forms.ChoiceField(
            label=_("Colour bar"), choices=Colour.choices, required=False, help_text=self.fields["colour"].help_text
        )

    def clean_second_factor_required(self) -> bool:
        """Reject the requirement if the manager does not meet it."""
        required: bool = self.cleaned_data["second_factor_required"]
        if required and not self.instance.second_factor_required and not self._stepped:
            raise forms.ValidationError(
                _(
                    "You do not use two-factor authentication yourself, and would be locked out at once. Set it up "
                    "first."
                )
            )
        return required
