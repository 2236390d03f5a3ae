"""Forms of what a page showed, which ask once more if that was changed meanwhile."""

from typing import cast

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

CHANGED = _("The flow has been changed since you opened this page. Nothing has been sent yet.")


class SeenForm(forms.Form):
    """A form of what a page showed, of which `seen` is a mark. If that was changed, it asks once more."""

    seen = forms.CharField(required=False, widget=forms.HiddenInput)

    def set_seen(self, mark: str) -> None:
        """Let the next submission have the mark of what is shown now."""
        data = cast("QueryDict", self.data).copy()
        data["seen"] = mark
        self.data = data
