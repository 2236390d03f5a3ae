"""The form of saved inputs: name and sharing."""

from django import forms
from django.utils.translation import gettext_lazy as _

from workflows_ui.launch_forms.services import saved_inputs


class SavedInputsForm(forms.Form):
    """Name and sharing. The values are changed by saving them again from the launch form."""

    name = forms.CharField(
        label=_("Name"),
        max_length=saved_inputs.LONGEST_NAME,
        widget=forms.TextInput(attrs={"autocomplete": "off", "dir": "auto"}),
        error_messages={"required": _("Give the inputs a name.")},
    )
    shared = forms.BooleanField(label=_("Share with all who launch this flow"), required=False)
