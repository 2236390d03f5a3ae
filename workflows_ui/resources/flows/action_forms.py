"""Forms of the actions on flows."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from workflows_ui.core.collation import sort_key
from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.resource_admin.resource import Row
from workflows_ui.resources.flows import versions
from workflows_ui.resources.flows.reading import folder_names


class FlowName(forms.Form):
    name = forms.CharField(label=_("Name"), max_length=200)


class FlowTags(forms.Form):
    """Tags of a flow; `tags` becomes a list without duplicates."""

    tags = forms.CharField(
        label=_("Tags"), max_length=1000, required=False, help_text=_("Words with commas between them; empty for none.")
    )

    def clean_tags(self) -> list[str]:
        """The tags between the commas."""
        tags = [" ".join(part.split()) for part in self.cleaned_data["tags"].split(",")]
        return list(dict.fromkeys(tag for tag in tags if tag))


class FolderChoice(forms.Form):
    """A folder, or none."""

    folder = forms.ChoiceField(label=_("Folder"), required=False)

    def __init__(self, *args: Any, session: EngineSession, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        names = sorted(folder_names(session).items(), key=lambda pair: sort_key(pair[1]))
        field = self.fields["folder"]
        if isinstance(field, forms.ChoiceField):
            field.choices = [("", _("In no folder")), *names]


class NewFlow(FolderChoice):
    """A name and an optional folder."""

    name = forms.CharField(label=_("Name"), max_length=200)
    field_order = ("name", "folder")


class VersionChoice(forms.Form):
    """One of a flow's versions."""

    version = forms.ChoiceField(label=_("Version"))

    def __init__(self, *args: Any, session: EngineSession, row: Row, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        key = str(row.get("id") or "")
        field = self.fields["version"]
        if isinstance(field, forms.ChoiceField):
            field.choices = [(item["id"], versions.title(row, item)) for item in versions.list_versions(session, key)]
