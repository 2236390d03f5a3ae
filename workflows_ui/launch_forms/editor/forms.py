"""Forms for a whole launch form: note and button, publication, and import from a file."""

from django import forms
from django.utils.translation import gettext_lazy as _

from workflows_ui.launch_forms.schema.document import LONG, NOTE

_LONGEST_WORDS = 500


class TextsForm(forms.Form):
    """The texts around the fields."""

    note = forms.CharField(
        label=_("What people should know"),
        required=False,
        max_length=NOTE,
        widget=forms.Textarea({"class": "form-control", "rows": 4, "dir": "auto"}),
        help_text=_(
            "Shown above the fields. **bold**, *italic*, - lists and [links](https://example.com) are understood."
        ),
    )
    effects = forms.CharField(
        label=_("What this will do"),
        required=False,
        max_length=LONG,
        widget=forms.Textarea({"class": "form-control", "rows": 3, "dir": "auto"}),
        help_text=_(
            "One sentence a line, shown beside the form. A field's name in braces stands for what is typed there. Left empty, the "
            "sentences are made from the flow's steps."
        ),
    )
    button = forms.CharField(
        label=_("Button label"),
        required=False,
        max_length=60,
        widget=forms.TextInput({"class": "form-control", "dir": "auto", "autocomplete": "off"}),
        help_text=_("Such as “Send the offer”. Left empty, it says “Launch”."),
    )
    review = forms.BooleanField(
        label=_("Review before launching"),
        required=False,
        widget=forms.CheckboxInput({"class": "form-check-input"}),
        help_text=_("What will happen, and with which values, is shown once more and has to be confirmed."),
    )


class PublishForm(forms.Form):
    """The publisher's note on a version."""

    words = forms.CharField(
        label=_("What is new, for those who look at the versions later"),
        required=False,
        max_length=_LONGEST_WORDS,
        widget=forms.Textarea({"class": "form-control", "rows": 2, "dir": "auto"}),
    )


class ImportForm(forms.Form):
    file = forms.FileField(
        label=_("File"),
        help_text=_("A file that was exported from a launch form, or another JSON Schema. At most 1 MB."),
        widget=forms.ClearableFileInput({"class": "form-control", "accept": ".json,application/json"}),
        error_messages={"required": _("Choose a file."), "empty": _("This file is empty. Choose another one.")},
    )
