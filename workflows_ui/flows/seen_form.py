"""Forms that ask again if the object has changed since the page was shown."""

from typing import cast

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

CHANGED = _("The flow has been changed since you opened this page. Nothing has been sent yet.")


class SeenForm(forms.Form):
    """A form about an object; `seen` is a mark of its version on the page. If the object has changed, the form asks again."""

    seen = forms.CharField(required=False, widget=forms.HiddenInput)

    def set_seen(self, mark: str) -> None:
        """Set the mark for the next submission to that of the current version."""
        data = cast("QueryDict", self.data).copy()
        data["seen"] = mark
        self.data = data
