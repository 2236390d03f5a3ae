"""The inputs of the editor's forms, and the forms for a whole launch form: its texts, publication, and import from a file."""

from collections.abc import Iterable, Mapping

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.db.models import TextChoices
from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext_lazy as _

from workflows_ui.core.text import Text
from workflows_ui.form_schema.document import LONG, NOTE, SHORT

_LONGEST_WORDS = 500
_WIDGETS: dict[type, dict[str, str]] = {
    forms.CheckboxInput: {"class": "form-check-input"},
    forms.ClearableFileInput: {"class": "form-control"},
    forms.Select: {"class": "form-select"},
}
#: Attributes of inputs for names, paths and patterns.
CODE = {"spellcheck": "false", "autocapitalize": "none"}


def line(label: Text, help_text: Text = "", *, most: int = SHORT, strip: bool = True, **attrs: str) -> forms.CharField:
    widget = forms.TextInput(attrs)
    return forms.CharField(
        label=label, help_text=help_text, required=False, max_length=most, strip=strip, widget=widget
    )


def lines(label: Text, help_text: Text = "", rows: int = 2, *, most: int = LONG, strip: bool = True) -> forms.CharField:
    widget = forms.Textarea({"rows": rows})
    return forms.CharField(
        label=label, help_text=help_text, required=False, max_length=most, strip=strip, widget=widget
    )


def count(label: Text, least: int = 0, most: int = 1_000_000) -> forms.IntegerField:
    widget = forms.NumberInput({"inputmode": "numeric"})
    return forms.IntegerField(label=label, required=False, min_value=least, max_value=most, widget=widget)


def tick(label: Text, help_text: Text = "") -> forms.BooleanField:
    return forms.BooleanField(label=label, help_text=help_text, required=False)


def choice(label: Text, members: Iterable[TextChoices], empty: TextChoices) -> forms.TypedChoiceField:
    choices = [(member.value, member.label) for member in members]
    return forms.TypedChoiceField(
        label=label, required=False, choices=choices, coerce=empty.__class__, empty_value=empty
    )


class EditorForm(forms.Form):
    #: Attributes of the inputs that are typed into.
    typed = {"class": "form-control", "dir": "auto"}

    def __init__(
        self,
        data: Mapping[str, object] | None = None,
        files: "MultiValueDict[str, UploadedFile[bytes]] | None" = None,
        *,
        initial: dict[str, object] | None = None,
    ) -> None:
        super().__init__(data, files, initial=initial)
        for form_field in self.fields.values():
            form_field.widget.attrs |= _WIDGETS.get(type(form_field.widget), self.typed)


class TextsForm(EditorForm):
    """The texts around the fields."""

    note = lines(
        _("What people should know"),
        _("Shown above the fields. **bold**, *italic*, - lists and [links](https://example.com) are understood."),
        4,
        most=NOTE,
    )
    effects = lines(
        _("What this will do"),
        _(
            "One sentence per line, shown beside the form. A field's name in braces stands for what is "
            "typed there. If empty, the sentences are made from the flow's steps."
        ),
        3,
    )
    button = line(
        _("Button label"),
        _("Such as “Send the offer”. If empty, it says “Launch”."),
        most=60,
        autocomplete="off",
    )
    review = tick(
        _("Review before launching"),
        _("What will happen, and with which values, is shown again for confirmation."),
    )


class PublishForm(EditorForm):
    """The publisher's note on a version."""

    words = lines(_("What is new in this version"), most=_LONGEST_WORDS)


class ImportForm(EditorForm):
    file = forms.FileField(
        label=_("File"),
        help_text=_("A file that was exported from a launch form, or another JSON Schema. At most 1 MB."),
        widget=forms.ClearableFileInput({"accept": ".json,application/json"}),
        error_messages={"required": _("Choose a file."), "empty": _("This file is empty. Choose another one.")},
    )
