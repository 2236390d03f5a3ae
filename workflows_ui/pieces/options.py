"""Choices that an app itself gives for a field of its actions and triggers, through one of its connections (api.md 11.5)."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Unpack

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from workflows_ui.core import json_text
from workflows_ui.core.form_arguments import FormArguments
from workflows_ui.core.paths import dicts_at, text_at
from workflows_ui.core.readers import as_text, objects_by_name
from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.engine_objects.flows import Flow
from workflows_ui.engine_objects.pieces import Option, Piece, Property
from workflows_ui.lists.filters import style
from workflows_ui.pieces import connections as connection_list
from workflows_ui.pieces.fields import FieldLine, field_lines, words
from workflows_ui.resource_admin.resource import Text, pick

#: Kinds of fields whose choices, or whose own fields, come from the app.
ASKED = ("DROPDOWN", "MULTI_SELECT_DROPDOWN", "DYNAMIC")
#: Choices on a page.
MOST = 500
_LONGEST = 2000
#: The engine's answer instead of choices if the app's code failed (api.md 11.5).
_THREW = "Throws an error"


@dataclass(frozen=True)
class OptionsRequest:
    """A field with choices from the app; `needs` are the fields that its choices depend on, with their labels."""

    key: str
    operation: str
    name: str
    label: str
    operation_label: str
    needs: Mapping[str, str]
    connected: bool
    kind: str

    @property
    def tests_account(self) -> bool:
        """Whether the app needs an account for its choices, and nothing else."""
        return self.connected and not self.needs and self.kind != "DYNAMIC"


@dataclass(frozen=True)
class Answer:
    """The app's answer: choices, or fields, or why it has none. A choice is its label, and the value as text that `value_of` parses."""

    choices: Sequence[tuple[str, str]] = ()
    fields: Sequence[FieldLine] = ()
    total: int = 0
    refused: Text = ""


def key(kind: str, operation: str, name: str) -> str:
    """A field's key in a URL; `kind` is `actions` or `triggers`."""
    return json.dumps([kind, operation, name], separators=(",", ":"), ensure_ascii=False)


def asked_fields(piece: Piece) -> dict[str, OptionsRequest]:
    """The fields of a whole piece that have choices from the app, by their keys."""
    fields: dict[str, OptionsRequest] = {}
    for kind in ("actions", "triggers"):
        for operation, found in piece.operations(kind).items():
            props = found.props
            for name, prop in props.items():
                if prop.type in ASKED:
                    needs = [item for item in prop.refreshers if item != "auth" and item in props]
                    field_key = key(kind, operation, name)
                    fields[field_key] = OptionsRequest(
                        field_key,
                        operation,
                        name,
                        words(prop.display_name) or name,
                        words(found.display_name) or operation,
                        {item: props[item].display_name[:200] or item for item in needs},
                        piece.takes_auth and found.requires_auth,
                        prop.type,
                    )
    return fields


class OptionsForm(forms.Form):
    """The field, the connection, and the values that the choices depend on."""

    def __init__(
        self,
        *,
        known: Mapping[str, OptionsRequest],
        chosen: OptionsRequest | None,
        connections: list[dict[str, object]],
        **arguments: Unpack[FormArguments],
    ) -> None:
        super().__init__(**arguments)
        groups: dict[str, list[tuple[str, str]]] = {}
        for item in known.values():
            groups.setdefault(item.operation_label, []).append((item.key, item.label))
        self.fields["field"] = forms.ChoiceField(label=_("Field"), choices=[("", "–"), *groups.items()])
        if any(item.connected for item in known.values()):
            listed = connection_list.choices(connections)
            self.fields["connection"] = forms.ChoiceField(
                label=_("Connection"),
                required=chosen is not None and chosen.connected,
                choices=[("", "–"), *listed],
                help_text="" if listed else _("There is no connection of this app yet. Connect it first."),
            )
        for name, label in chosen.needs.items() if chosen else ():
            self.fields[f"with-{name}"] = forms.CharField(
                label=label,
                max_length=_LONGEST,
                widget=forms.TextInput({"autocomplete": "off", "dir": "auto"}),
                help_text=_("The choices depend on it."),
            )
        self.fields["search"] = forms.CharField(
            label=_("Search"),
            required=False,
            max_length=200,
            help_text=_("Some apps search their choices for it, others ignore it."),
        )
        style(self)


def ask(session: EngineSession, piece: Piece, field: OptionsRequest, typed: Mapping[str, object]) -> Answer:
    """Request the choices from the app; takes seconds, and changes nothing. Raises EngineError, ValidationError if the
    workspace has no flow.

    The engine requires a flow and its version, any of them: it asks on behalf of one.
    """
    flow = Flow(next(iter(dicts_at(session.workflows.list_flows(limit=1), "data")), {}))
    version = flow.version.id
    if not version:
        raise forms.ValidationError(
            _("The engine answers this only where there is a flow, and this workspace has none. Create one first.")
        )
    values = {name: value_of(str(typed[f"with-{name}"])) for name in field.needs if typed.get(f"with-{name}")}
    if connection := str(typed.get("connection") or ""):
        values["auth"] = f"{{{{{connection_list.reference(connection)}}}}}"
    answer = session.workflows.piece_options(
        piece_name=piece.name,
        piece_version=piece.version,
        action_or_trigger_name=field.operation,
        property_name=field.name,
        flow_id=flow.id,
        flow_version_id=version,
        input=values,
        search_value=str(typed.get("search") or "") or None,
    )
    return read(answer)


def read(found: Mapping[str, object]) -> Answer:
    """Parse the engine's answer, which may be malformed."""
    options = found.get("options")
    if found.get("type") == "DYNAMIC":
        lines = field_lines(objects_by_name(options, Property))
        return Answer(fields=lines, total=len(lines))
    choices = [
        ((words(option.label) or _text(option.value))[:300], _text(option.value))
        for option in map(Option, dicts_at(options, "options"))
    ]
    refused = refusal(text_at(options, "placeholder")) if pick(options, "disabled") is True and not choices else ""
    return Answer(choices[:MOST], (), len(choices), refused)


def refusal(placeholder: str) -> Text:
    """Why the app gives no choices, from the engine's answer."""
    reason = words(placeholder)
    if not reason:
        return _("The app gives no choices for what was chosen.")
    if reason.startswith(_THREW):
        return _("The app refused to be asked. Its connection may no longer work, or one of the values is not right.")
    return _("The app gives no choices. It says: %s") % reason[:300]


def value_of(text: str) -> object:
    """The value of a text: parsed if it is JSON that can be sent, else the text itself."""
    try:
        return json_text.parse(text, settings.LAUNCH_JSON_BYTES) if text.strip() else text
    except json_text.BadPayload:
        return text


def _text(value: object) -> str:
    """A value as text, from which `value_of` restores the same value."""
    text = as_text(value)
    if text == value and value_of(text) == text:
        return text
    return json.dumps(value, ensure_ascii=False, default=str)
