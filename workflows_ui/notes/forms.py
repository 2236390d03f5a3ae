"""Forms for notes and for requests for help."""

from django import forms
from django.utils.translation import gettext_lazy as _

from workflows_ui.notes.services import LONGEST


class NoteForm(forms.Form):
    text = forms.CharField(
        label=_("Note"),
        max_length=LONGEST,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": _("Write something first.")},
    )


class AskForm(forms.Form):
    """A request for help. The text is optional, since the notification links to the object."""

    text = forms.CharField(max_length=LONGEST, required=False)
