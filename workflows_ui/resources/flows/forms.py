"""Forms of flows: filters and actions. Imports show a file's content before anything is created, and ask which of several flows to take."""

import hashlib
import json
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, ClassVar, cast

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from workflows_ui.core.collation import sort_key
from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.engine import flow_tree
from workflows_ui.resource_admin.resource import Affected, Row
from workflows_ui.resources.flows import files, import_findings, versions
from workflows_ui.resources.flows.files import Request
from workflows_ui.resources.flows.reading import folder_names
from workflows_ui.web import formats, messages
from workflows_ui.web.list_filters import state_field


class FlowFilters(forms.Form):
    """Fields of pages.Filters: the engine applies all of them. Folders and connections are filled in from the engine."""

    name = forms.CharField(label=_("Name contains"), required=False, max_length=200)
    status = state_field(messages.FLOW_STATES)
    folder = forms.CharField(label=_("Folder"), required=False, max_length=100, widget=forms.Select())
    connection = forms.CharField(label=_("Connection"), required=False, max_length=200, widget=forms.Select())


class FlowTags(forms.Form):
    """Tags of a flow; `tags` becomes a list without duplicates."""

    tags = forms.CharField(
        label=_("Tags"), max_length=1000, required=False, help_text=_("Words with commas between them; empty for none.")
    )

    def clean_tags(self) -> list[str]:
        tags = [" ".join(part.split()) for part in self.cleaned_data["tags"].split(",")]
        return list(dict.fromkeys(tag for tag in tags if tag))


class FolderChoice(forms.Form):
    folder = forms.ChoiceField(label=_("Folder"), required=False)

    def __init__(self, *args: Any, session: EngineSession, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        names = sorted(folder_names(session).items(), key=lambda pair: sort_key(pair[1]))
        cast("forms.ChoiceField", self.fields["folder"]).choices = [("", _("In no folder")), *names]


class NewFlow(FolderChoice):
    name = forms.CharField(label=_("Name"), max_length=200)
    field_order = ("name", "folder")


class VersionChoice(forms.Form):
    version = forms.ChoiceField(label=_("Version"))

    def __init__(self, *args: Any, session: EngineSession, row: Row, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rows = versions.list_versions(session, str(row.get("id") or ""))
        cast("forms.ChoiceField", self.fields["version"]).choices = [
            (item["id"], versions.title(row, item)) for item in rows
        ]


class FlowFile(forms.Form):
    """A file with flows, of which one is imported; `file` becomes a list of that one's request (flow_files.parse).

    The parsed content is submitted again in hidden fields, so that the file need not be chosen twice; findings are confirmed once.
    """

    several: ClassVar[bool] = False
    which_field: ClassVar[Callable[..., forms.ChoiceField]] = staticmethod(
        partial(forms.ChoiceField, label=_("Flow to bring in"), widget=forms.RadioSelect)
    )
    #: A flow holds code, and may hold plain passwords: it is not written to the audit log.
    discreet = frozenset({"file", "content", "seen"})
    file = forms.FileField(
        label=_("File"),
        help_text=_("A file that was exported from a flow (JSON), of any version of the engine."),
        widget=forms.ClearableFileInput(attrs={"accept": ".json,application/json"}),
    )
    content = forms.CharField(required=False, strip=False, widget=forms.HiddenInput)
    seen = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, session: EngineSession, asked: Mapping[str, Any], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._session = session
        self.questions: list[Affected] = []
        if self.is_bound and asked.get("content"):
            self.fields["file"].required = False

    def clean(self) -> dict[str, Any]:
        """The chosen flows, after everything found in the file was shown."""
        cleaned = super().clean() or self.cleaned_data
        if "file" in self.errors:
            return cleaned
        text = cleaned.pop("content", "")
        try:
            flows = files.read(cleaned["file"]) if cleaned.get("file") else files.parse(text)
        except forms.ValidationError as problem:
            self.add_error("file", problem)
            return cleaned
        text = json.dumps(flows, ensure_ascii=False)
        mark = hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:16]
        answered = cleaned.pop("seen", "") == mark
        picked = self._selected_flows(flows) if answered else flows
        if not answered:
            self.questions = _questions(self._session, flows, several=self.several)
        self._keep(flows, text, mark, new=not answered)
        if not picked:
            self.add_error("which", gettext("Choose at least one flow."))
        return cleaned | {"file": picked, "flows": [flow["displayName"] for flow in picked]}

    def _selected_flows(self, flows: list[Request]) -> list[Request]:
        """The chosen flows; a single one needs no choice."""
        if len(flows) == 1:
            return flows
        chosen = cast("QueryDict", self.data).getlist("which")
        picked = [flow for number, flow in enumerate(flows) if str(number) in chosen]
        return picked if self.several else picked[:1]

    def _keep(self, flows: list[Request], text: str, mark: str, *, new: bool) -> None:
        """Store the parsed content in the form, and offer the choice among several flows."""
        data = cast("QueryDict", self.data).copy()
        data["content"], data["seen"] = text, mark
        self.data = data
        self.fields["file"].required = False
        if len(flows) == 1:
            return
        choices = [(str(number), _choice_label(flow)) for number, flow in enumerate(flows)]
        self.fields["which"] = self.which_field(choices=choices)
        if new:
            data.setlist("which", [value for value, _label in choices] if self.several else ["0"])


class NewFlowFile(FlowFile):
    """The same, creating a flow for each that is chosen."""

    several = True
    which_field = staticmethod(
        partial(
            forms.MultipleChoiceField, label=_("Flows to make"), required=False, widget=forms.CheckboxSelectMultiple
        )
    )
    name = forms.CharField(
        label=_("Name"), max_length=200, required=False, help_text=_("Left empty, it is called as in the file.")
    )
    field_order = ("file", "name")

    def clean(self) -> dict[str, Any]:
        """One name fits one flow only."""
        cleaned = super().clean()
        if cleaned.get("name") and len(cleaned.get("file") or ()) > 1 and not self.questions:
            text = gettext(
                "Several flows are made, each with its name in the file. Leave this empty, or choose one flow."
            )
            self.add_error("name", text)
        return cleaned


def _questions(session: EngineSession, flows: list[Request], *, several: bool) -> list[Affected]:
    """What to show before anything is created: several flows, and steps that do not fit this engine."""
    result = []
    if len(flows) > 1:
        text = gettext("There are %(count)d flows in this file. Choose which of them to make.")
        if not several:
            text = gettext("There are %(count)d flows in this file. Choose the one to bring in.")
        result.append(Affected(text % {"count": len(flows)}))
    for flow in flows:
        lines = import_findings.find_problems(session, flow["trigger"])
        if not lines:
            continue
        lines_shown = [(line, "") for line in lines[: import_findings.MOST]]
        if more := len(lines) - len(lines_shown):
            lines_shown.append((gettext("and %(n)d more") % {"n": more}, ""))
        values = {"name": formats.cut(files.shown_name(flow) or gettext("Flow without a name")), "count": len(lines)}
        text = ngettext(
            "%(count)d step of “%(name)s” needs to be checked after the import:",
            "%(count)d steps of “%(name)s” need to be checked after the import:",
            len(lines),
        )
        result.append(Affected(text % values, lines_shown))
    if result:
        result.append(Affected(gettext("The file was read. Choose another one only to take that instead.")))
    return result


def _choice_label(flow: Request) -> str:
    number = sum(1 for _node in flow_tree.walk(flow["trigger"])) - 1
    steps = ngettext("%(n)d step", "%(n)d steps", number) % {"n": number}
    name = files.shown_name(flow) or gettext("Flow without a name")
    return f"{formats.cut(name, 120)} ({steps})"
