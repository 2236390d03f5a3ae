"""Forms of what is done with flows."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from workflows_ui.kit.caller import Caller
from workflows_ui.kit.resource import Row
from workflows_ui.resources import flow_files, flow_versions
from workflows_ui.resources.flow_reading import folder_names


class FlowName(forms.Form):
    """What a flow is called."""

    name = forms.CharField(label=_("Name"), max_length=200)


class FlowTags(forms.Form):
    """Words that flows are sorted by; `tags` becomes a list, each once."""

    tags = forms.CharField(
        label=_("Tags"), max_length=1000, required=False, help_text=_("Words with commas between them; empty for none.")
    )

    def clean_tags(self) -> list[str]:
        """The words between the commas."""
        words = [" ".join(part.split()) for part in self.cleaned_data["tags"].split(",")]
        return list(dict.fromkeys(word for word in words if word))


class FolderChoice(forms.Form):
    """A folder, or none."""

    folder = forms.ChoiceField(label=_("Folder"), required=False)

    def __init__(self, *args: Any, caller: Caller, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        names = sorted(folder_names(caller).items(), key=lambda pair: pair[1].lower())
        field = self.fields["folder"]
        if isinstance(field, forms.ChoiceField):
            field.choices = [("", _("In no folder")), *names]


class NewFlow(FolderChoice):
    """A name and a folder, or none."""

    name = forms.CharField(label=_("Name"), max_length=200)
    field_order = ("name", "folder")


class FlowFile(forms.Form):
    """A file with a flow in it; `file` becomes the request of the engine's IMPORT_FLOW."""

    file = forms.FileField(
        label=_("File"),
        help_text=_("A file that was exported from a flow (JSON)."),
        widget=forms.ClearableFileInput(attrs={"accept": ".json,application/json"}),
    )

    def clean_file(self) -> dict[str, Any]:
        """The flow in the file."""
        return flow_files.read(self.cleaned_data["file"])


class NewFlowFile(FlowFile):
    """The same, for a flow of its own."""

    name = forms.CharField(
        label=_("Name"), max_length=200, required=False, help_text=_("Left empty, it is called as in the file.")
    )


class VersionChoice(forms.Form):
    """One of a flow's versions."""

    version = forms.ChoiceField(label=_("Version"))

    def __init__(self, *args: Any, caller: Caller, row: Row, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        key = str(row.get("id") or "")
        field = self.fields["version"]
        if isinstance(field, forms.ChoiceField):
            field.choices = [(one["id"], flow_versions.title(row, one)) for one in flow_versions.of(caller, key)]
