"""Parts that forms of flows share."""

from typing import cast

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from workflows_ui.core.collation import sort_key
from workflows_ui.core.text import Text
from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.flows.reading import folder_names

CHANGED = _("The flow has been changed since you opened this page. Nothing was sent yet.")


def folder_choices(session: EngineSession, none: str = "") -> list[tuple[str, Text]]:
    """The folders, preceded by the choice of no folder, which has the value `none`."""
    names = sorted(folder_names(session).items(), key=lambda pair: sort_key(pair[1]))
    return [(none, _("In no folder")), *names]


class SeenForm(forms.Form):
    """A form of what a page showed, of which `seen` is a mark. If that was changed, it asks once more."""

    seen = forms.CharField(required=False, widget=forms.HiddenInput)

    def set_seen(self, mark: str) -> None:
        """Let the next submission have the mark of what is shown now."""
        data = cast("QueryDict", self.data).copy()
        data["seen"] = mark
        self.data = data
