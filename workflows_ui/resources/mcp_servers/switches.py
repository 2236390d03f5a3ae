"""The tools of a project's only MCP server on 0.83: switched on and off, with readable labels.

The engine lists by name which are on, and stores any names it is given (recordings `mcp_project_get`,
`mcp_project_update_tools`).
"""

from collections.abc import Mapping, Sequence
from typing import TypedDict, Unpack

from django import forms
from django.utils.translation import gettext_lazy as _

from workflows_ui.core.form_arguments import FormArguments
from workflows_ui.core.paths import texts_at
from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.resource_admin.resource import Row, Text

#: The tools that 0.83.0 switches on initially (recording `mcp_project_get`), by topic.
GROUPS: Sequence[tuple[Text, Mapping[str, Text]]] = (
    (
        _("Building flows"),
        {
            "ap_build_flow": _("Build a whole flow"),
            "ap_create_flow": _("Create a flow"),
            "ap_duplicate_flow": _("Copy a flow"),
            "ap_rename_flow": _("Rename a flow"),
            "ap_update_trigger": _("Change what starts a flow"),
            "ap_add_step": _("Add a step"),
            "ap_update_step": _("Change a step"),
            "ap_delete_step": _("Delete a step"),
            "ap_add_branch": _("Add a branch"),
            "ap_update_branch": _("Change a branch"),
            "ap_delete_branch": _("Delete a branch"),
            "ap_manage_notes": _("Write, change and delete notes on a flow"),
        },
    ),
    (
        _("Publishing flows"),
        {
            "ap_lock_and_publish": _("Publish a flow"),
            "ap_change_flow_status": _("Turn a flow on and off"),
            "ap_delete_flow": _("Delete a flow"),
        },
    ),
    (
        _("Testing and running"),
        {
            "ap_test_flow": _("Test a flow"),
            "ap_test_step": _("Test a step"),
            "ap_retry_run": _("Retry a run"),
            "ap_run_action": _("Run an action of an app"),
        },
    ),
    (
        _("Tables"),
        {
            "ap_create_table": _("Create a table"),
            "ap_delete_table": _("Delete a table"),
            "ap_manage_fields": _("Add, change and delete columns"),
            "ap_insert_records": _("Add records"),
            "ap_update_record": _("Change a record"),
            "ap_delete_records": _("Delete records"),
        },
    ),
)
_OTHERS: Text = _("Others")
_LABELS: Mapping[str, Text] = {name: label for _group, tools in GROUPS for name, label in tools.items()}
#: Maximum number of unknown tools on a page, and maximum length of their names.
_MOST, _LONGEST = 200, 100


class SwitchData(TypedDict):
    """The cleaned data of ToolSwitches: the names of the tools that are on."""

    tools: list[str]


class ToolSwitches(forms.Form):
    """The tools that are on."""

    def __init__(self, *, row: Row, **arguments: Unpack[FormArguments]) -> None:
        super().__init__(**arguments)
        choices = [(group, [(name, label) for name, label, _on in switches]) for group, switches in groups(row)]
        self.fields["tools"] = forms.MultipleChoiceField(
            label=_("Tools that are on"),
            required=False,
            choices=choices,
            widget=forms.CheckboxSelectMultiple,
            help_text=_("An assistant that is connected uses a tool that is on without asking anybody."),
        )


def groups(row: Row) -> list[tuple[Text, list[tuple[str, Text, bool]]]]:
    """Every tool of the server by topic, as its name, its label, and whether it is on; unknown ones that are on come last."""
    on = enabled(row)
    grouped = [(group, [(name, label, name in on) for name, label in tools.items()]) for group, tools in GROUPS]
    others = [(name, label(name), True) for name in on if name not in _LABELS]
    return [*grouped, (_OTHERS, others)] if others else grouped


def enabled(row: Row) -> list[str]:
    """The names of the tools that are on, without duplicates."""
    return list(dict.fromkeys(name for name in texts_at(row, "enabledTools") if name.strip()))[:_MOST]


def label(name: str) -> Text:
    """The label of a tool; for an unknown one its name, spelt out."""
    return _LABELS.get(name) or name.removeprefix("ap_").replace("_", " ").strip()[:_LONGEST].capitalize() or name


def switch(session: EngineSession, _id: str, data: SwitchData) -> dict[str, object]:
    """Switch on exactly these tools. Raises EngineError."""
    return session.workflows.enable_mcp_tools(data["tools"])
