"""Choices that an app itself gives for a field of its actions and triggers, through one of its connections (api.md 11.5)."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from workflows_ui.kit.caller import Caller
from workflows_ui.kit.resource import Row, Text, pick
from workflows_ui.resources import connection_list
from workflows_ui.resources.piece_fields import FieldLine, field_lines
from workflows_ui.resources.secret_fields import words

#: Kinds of fields whose choices, or whose own fields, the app gives.
ASKED = ("DROPDOWN", "MULTI_SELECT_DROPDOWN", "DYNAMIC")
#: Choices that a page shows.
MOST = 500
_LONGEST = 2000
#: What the engine says in place of choices where the app's code failed (api.md 11.5).
_THREW = "Throws an error"


@dataclass(frozen=True)
class Asked:
    """A field that the app is asked about; `needs` are the names of the fields that its choices depend on."""

    key: str
    operation: str
    name: str
    label: str
    of: str
    needs: tuple[str, ...]
    connected: bool


@dataclass(frozen=True)
class Choice:
    """One choice: what people read, and the value as text that `value_of` reads back."""

    label: str
    value: str


@dataclass(frozen=True)
class Answer:
    """What the app gave: choices, or fields, or why there are none."""

    choices: Sequence[Choice] = ()
    fields: Sequence[FieldLine] = ()
    total: int = 0
    refused: Text = ""


def key(kind: str, operation: str, name: str) -> str:
    """How a field is named in an address; `kind` is `actions` or `triggers`."""
    return json.dumps([kind, operation, name], separators=(",", ":"), ensure_ascii=False)


def asked_fields(piece: Row) -> dict[str, Asked]:
    """The fields of a whole piece that it gives choices for, by their keys."""
    return {found.key: found for found in _fields(piece)}


def _fields(piece: Row) -> Iterator[Asked]:
    for kind in ("actions", "triggers"):
        operations = piece.get(kind)
        for operation, found in operations.items() if isinstance(operations, Mapping) else ():
            props = pick(found, "props")
            for name, prop in props.items() if isinstance(props, Mapping) else ():
                if isinstance(prop, Mapping) and prop.get("type") in ASKED:
                    listed = prop.get("refreshers")
                    needs = [one for one in listed if isinstance(one, str)] if isinstance(listed, list) else []
                    yield Asked(
                        key(kind, operation, name),
                        operation,
                        name,
                        words(prop.get("displayName")) or name,
                        words(pick(found, "displayName")) or operation,
                        tuple(one for one in needs if one != "auth" and one in props),
                        bool(piece.get("auth")) and pick(found, "requireAuth") is not False,
                    )


class OptionsForm(forms.Form):
    """Which field, through which connection, and the values that its choices depend on."""

    def __init__(
        self,
        *args: Any,
        known: Mapping[str, Asked],
        chosen: Asked | None,
        connections: Sequence[Row],
        labels: Mapping[str, str],
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        groups: dict[str, list[tuple[str, str]]] = {}
        for one in known.values():
            groups.setdefault(one.of, []).append((one.key, one.label))
        select = forms.Select({"class": "form-select"})
        self.fields["field"] = forms.ChoiceField(
            label=_("Field"), choices=[("", "–"), *((of, listed) for of, listed in groups.items())], widget=select
        )
        if any(one.connected for one in known.values()):
            listed = [
                (str(row["externalId"]), _line(row)) for row in connections if isinstance(row.get("externalId"), str)
            ]
            self.fields["connection"] = forms.ChoiceField(
                label=_("Connection"),
                required=chosen is not None and chosen.connected,
                choices=[("", "–"), *listed],
                widget=forms.Select({"class": "form-select"}),
                help_text="" if listed else _("There is no connection of this app yet. Connect it first."),
            )
        for name in chosen.needs if chosen else ():
            self.fields[f"with-{name}"] = forms.CharField(
                label=labels.get(name) or name,
                max_length=_LONGEST,
                widget=forms.TextInput({"class": "form-control", "autocomplete": "off", "dir": "auto"}),
                help_text=_("The choices depend on it."),
            )
        self.fields["search"] = forms.CharField(
            label=_("Search"),
            required=False,
            max_length=200,
            widget=forms.TextInput({"class": "form-control", "type": "search"}),
            help_text=_("Some apps look for it among their choices, others take no notice."),
        )


def _line(row: Row) -> str:
    name = row.get("displayName")
    shown = name[:100] if isinstance(name, str) and name else str(row["externalId"])[:100]
    return f"{shown} ({connection_list.state(row).word})"


def ask(caller: Caller, piece: Row, field: Asked, typed: Mapping[str, Any]) -> Answer:
    """Asks the app; takes seconds, and changes nothing. Raises EngineError, ValidationError where the workspace has no flow.

    The engine wants to be told a flow and its version, whichever: it asks on behalf of one.
    """
    flows = [row for row in caller.workflows.list_flows(limit=1).get("data") or [] if isinstance(row, dict)]
    version = pick(flows[0], "version.id") if flows else None
    if not isinstance(version, str):
        raise forms.ValidationError(
            _("The engine answers this only where there is a flow, and this workspace has none. Make one first.")
        )
    given = {name: value_of(str(typed[f"with-{name}"])) for name in field.needs if typed.get(f"with-{name}")}
    if typed.get("connection"):
        given["auth"] = f"{{{{connections['{typed['connection']}']}}}}"
    found = caller.workflows.piece_options(
        piece_name=str(piece.get("name")),
        piece_version=str(piece.get("version")),
        action_or_trigger_name=field.operation,
        property_name=field.name,
        flow_id=str(flows[0].get("id")),
        flow_version_id=version,
        input=given,
        search_value=typed.get("search") or None,
    )
    return read(found)


def read(found: Mapping[str, Any]) -> Answer:
    """The engine's answer, whatever is odd in it."""
    options = found.get("options")
    if found.get("type") == "DYNAMIC":
        lines = field_lines(options)
        return Answer(fields=lines, total=len(lines))
    listed = options.get("options") if isinstance(options, Mapping) else None
    pairs = [one for one in listed if isinstance(one, Mapping)] if isinstance(listed, list) else []
    shown = [
        Choice(words(one.get("label"))[:300] or _text(one.get("value"))[:300], _text(one.get("value"))) for one in pairs
    ]
    refused: Text = ""
    if isinstance(options, Mapping) and options.get("disabled") is True and not shown:
        refused = _why(options.get("placeholder"))
    return Answer(shown[:MOST], (), len(shown), refused)


def _why(placeholder: object) -> Text:
    said = words(placeholder)
    if not said:
        return gettext_lazy("The app gives no choices for what was chosen.")
    if said.startswith(_THREW):
        return gettext_lazy(
            "The app refused to be asked. Its connection may no longer work, or one of the values is not right."
        )
    return _("The app gives no choices. It says: %s") % said[:300]


def value_of(text: str) -> Any:
    """The value that a text stands for: JSON where it is JSON, else the text itself."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _text(value: Any) -> str:
    """A value as text, from which `value_of` makes the same value again."""
    if isinstance(value, str) and value_of(value) == value:
        return value
    return json.dumps(value, ensure_ascii=False, default=str)
