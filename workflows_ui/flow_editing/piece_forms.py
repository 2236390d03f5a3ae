"""Forms of steps that use an app, and of triggers: the app's action or trigger by its property schema (api.md 11).

A button that asks the app or changes rows submits the form with `redo`: the form is shown again, without validation.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cached_property, partial
from typing import cast

from django import forms
from django.http import QueryDict
from django.utils.http import urlencode
from django.utils.translation import gettext, gettext_lazy as _

from workflows_ui.core import redaction
from workflows_ui.core.form_arguments import Cleaned
from workflows_ui.core.paths import dict_at, text_at, text_of
from workflows_ui.core.readers import mapping_of
from workflows_ui.engine import NotFound
from workflows_ui.engine.flow_tree import TRIGGERS
from workflows_ui.engine_objects.pieces import Piece, PieceOperation
from workflows_ui.flow_editing import code_forms, places
from workflows_ui.flow_editing.app_answers import App
from workflows_ui.flow_editing.app_fields import AppFields
from workflows_ui.flow_editing.expressions import MISSING
from workflows_ui.flow_editing.forms import EditForm, StepForm, place_field
from workflows_ui.flow_editing.operations import Json, Operation, add_step, update_step
from workflows_ui.flow_editing.prediction import free_name, names, step_named
from workflows_ui.flow_editing.property_fields import Host, Node, same
from workflows_ui.flow_editing.property_groups import Dynamic, Group, apply_row_change
from workflows_ui.flows import reading, step_values
from workflows_ui.pieces import apps, connections as connection_list
from workflows_ui.pieces.fields import words
from workflows_ui.resource_admin.places import choose_app_url, connect_url, piece_url
from workflows_ui.resource_admin.resource import Row, id_at

#: Seconds for which the connections of an app are cached.
_REMEMBERED = 30
_ROW_CHANGES = ("add", "remove", "up", "down")
_PREFIX = "p-"
#: Fields whose values the audit log has.
_LOGGED = frozenset({"step", "place", "piece", "version", "operation_name"})
_hidden = partial(forms.CharField, required=False, max_length=300, widget=forms.HiddenInput)


class PieceForm(EditForm):
    """Base: subclasses set `step_name` and `position`, and say which step gets the values.

    `piece`, `operation_name` and `version` may be in the address; otherwise they are those of the step.
    """

    body = "flow_editing/piece_form.html"
    piece = _hidden()
    version = _hidden()
    operation_name = _hidden()
    name = forms.CharField(label=_("Name of the step"), max_length=200)
    #: `actions` or `triggers` of the piece.
    kind = "actions"

    #: The name of the step, and the parameters of addresses that name it, or the place of a new one.
    step_name: str
    position: dict[str, str]
    group: Group | None = None
    nodes: Sequence[Node] = ()
    is_missing = False
    #: The keys of the step's `errorHandlingOptions` that the form has fields for.
    handled: Sequence[str] = ()
    #: The action or trigger; None if the piece does not have it.
    operation_schema: PieceOperation | None = None

    def load(self) -> None:
        """Set what follows from the step: the piece, and the fields of its action or trigger."""
        self.redo = str(self.asked.get("redo") or "") if self.is_bound else ""
        data: QueryDict | None = None
        if self.is_bound:
            self.data = data = cast("QueryDict", self.data).copy()
            verb, _colon, target = self.redo.partition(":")
            if verb in _ROW_CHANGES:
                apply_row_change(data, verb, target)
        self.host = Host(self, data, optional=bool(data and data.get("unfinished")))
        #: The step as it is now, with its secrets masked; {} for a new one.
        self.step_shown = step_named(self.trigger, self.step_name) or {}
        settings = dict_at(self.step_shown, "settings")
        asked_piece = str(self.asked.get("piece") or "")
        self.piece_name = asked_piece or text_at(settings, "pieceName")
        self._name_key = "actionName" if self.kind == "actions" else "triggerName"
        own = self.piece_name == settings.get("pieceName")
        step_operation = text_at(settings, self._name_key) if own else ""
        self.operation_key = str(self.asked.get("operation_name") or "") or step_operation
        self.is_same = bool(step_operation) and self.operation_key == step_operation
        own_version = text_at(settings, "pieceVersion").lstrip("~^") if own else ""
        asked_version = str(self.asked.get("version") or "")
        self._load_piece(asked_version or own_version)
        #: The version of the piece that the step has, if the engine no longer has it; otherwise "".
        self.lost_version = own_version if own_version != self.used_version and not asked_version else ""
        self.initial.update(piece=self.piece_name, operation_name=self.operation_key, version=self.used_version)
        if data is not None:
            data["version"] = self.used_version
        slug, flow_id = self.session.workspace.slug, id_at(self.row)
        self.choose_url = choose_app_url(slug, flow_id, **self.position)
        self.operations_url = choose_app_url(slug, flow_id, **self.position, piece=self.piece_name)
        self.app_url, self.connect_url = piece_url(slug, self.piece_name), connect_url(slug, self.piece_name)
        if self.operation_schema is not None:
            self._add_fields(settings)

    def _load_piece(self, version: str) -> None:
        """Read the piece: `version` if the engine has it, else the newest."""
        self.app: Row = {}
        newest = ""
        try:
            self.app = apps.piece(self.session, self.piece_name) if self.piece_name else {}
            newest = text_at(self.app, "version")
            if version and version != newest:
                with suppress(NotFound):
                    self.app = apps.piece(self.session, self.piece_name, version)
        except NotFound:
            self.is_missing = True
        self.used_version = text_at(self.app, "version") or version
        #: The newest version of the piece, if the step uses an older one; otherwise "".
        self.newer_version = newest if newest != self.used_version else ""
        self.operation_schema = Piece(self.app).operations(self.kind).get(self.operation_key)
        found = self.operation_schema or PieceOperation({})
        self.operation_title = words(found.display_name)[:200] or self.operation_key[:200]
        self.about = words(found.description)

    def _add_fields(self, settings: Json) -> None:
        schema = self.operation_schema or PieceOperation({})
        self.initial.setdefault("name", self._step_title())
        if (length := len(str(self.initial["name"]))) > 200:
            self.fields["name"] = forms.CharField(label=self.fields["name"].label, max_length=length)
        self.shown = self._input_of(settings)
        if self.needs_connection:
            self.fields["connection"] = self._connection_field()
        self.group = Group(
            self.host,
            mapping_of(schema.raw.get("props")),
            _PREFIX,
            "prop",
            self.shown,
            fresh=not self.is_same,
            top=True,
        )
        self.nodes = self.group.nodes
        self._show_stored_schemas(dict_at(settings, "propertySettings"))
        stored = self._stored()
        auth = self._auth(stored.get("auth", MISSING))
        self.app_fields = AppFields(self.nodes, stored, auth, needs_connection=self.needs_connection)
        app = App(self.session, self.piece_name, self.used_version, self.operation_key, self.row)
        self.app_fields.ask(app, self.redo)
        self.connection_attributes = self.app_fields.refreshing("connection")
        if self.kind == "actions":
            self.handled = code_forms.add_handling(self, schema.error_handling, settings, new=not self.is_same)
        self.fields["unfinished"] = forms.BooleanField(
            label=_("Save it although something is missing"),
            required=False,
            help_text=_("The step is marked as not complete. A flow with such a step should not be published."),
        )
        self.discreet = self.discreet | (set(self.fields) - _LOGGED)

    def _step_title(self) -> str:
        """The step's name, unless it is only the name of another action or trigger."""
        title, settings = text_at(self.step_shown, "displayName"), dict_at(self.step_shown, "settings")
        if title and not self.is_same:
            piece = text_at(settings, "pieceName")
            old = apps.names_of_operations(self.session, piece, self.kind) if piece else {}
            title = "" if not piece or title == old.get(text_at(settings, self._name_key)) else title
        return title or self.operation_title

    def _input_of(self, settings: Mapping[str, object]) -> Json:
        """The current values as far as they have a meaning for the chosen action or trigger."""
        values = dict_at(settings, "input")
        if self.is_same:
            return values
        if text_at(settings, "pieceName") != self.piece_name:
            return {}
        props = self.operation_schema.props if self.operation_schema else {}
        return {key: value for key, value in values.items() if key in props or key == "auth"}

    @cached_property
    def needs_connection(self) -> bool:
        """Whether the action or trigger acts with a connection."""
        requires = self.operation_schema is None or self.operation_schema.requires_auth
        return requires and any(schema.type != "NO_AUTH" for schema in Piece(self.app).auths)

    def _connection_field(self) -> forms.ChoiceField:
        """The choice of a connection. Raises EngineError."""
        cache_name = f"connections-of:{self.piece_name}"
        if self.redo == "connections":
            self.session.forget(cache_name)
        rows = self.session.remember(
            cache_name, _REMEMBERED, lambda: connection_list.connections_of_app(self.session, self.piece_name)
        )
        choices = connection_list.choices([row for row in rows if _reference(text_at(row, "externalId"))])
        current = self.shown.get("auth")
        key = _connection_key(current)
        if key and key not in dict(choices):
            text = gettext("%(id)s (no longer exists)") % {"id": key[:100]} if key != current else key[:100]
            choices.append((key, text))
        return forms.ChoiceField(
            label=_("Connection"),
            choices=[("", "–"), *choices],
            required=not self.host.optional,
            initial=key or (choices[0][0] if len(choices) == 1 else ""),
            help_text="" if choices else _("There is no connection of this app yet."),
        )

    def _auth(self, stored: object) -> object:
        """The step's reference to the chosen connection; MISSING without one."""
        if not self.needs_connection:
            return MISSING
        chosen = str((self.data.get("connection") if self.is_bound else self.fields["connection"].initial) or "")
        if stored and chosen == _connection_key(self.shown.get("auth")):
            return stored
        return _reference(chosen) or MISSING

    # --- Asking the app --------------------------------------------------------------------------

    def _show_stored_schemas(self, stored: Json) -> None:
        """Show dynamic fields by the schema that is stored with the step, if it has all of them."""
        for node in self.nodes:
            schema = dict_at(stored, f"{node.key}.schema") if self.is_same else {}
            values = mapping_of(node.shown)
            if isinstance(node, Dynamic) and self.host.data is None and schema and schema.keys() >= values.keys():
                node.set_schema(schema)

    # --- The values ------------------------------------------------------------------------------

    def _stored(self) -> Json:
        """The current values with their secrets, which only a submitted form has."""
        step = step_named(dict_at(self.flow, "version.trigger"), self.step_name)
        return self._input_of(dict_at(step, "settings")) if self.flow else self.shown

    def clean(self) -> Cleaned:
        if self.group is None:
            raise forms.ValidationError(gettext("Choose an app first, and what it does."))
        # Fields that the app changed meanwhile stand in the list before those that took their places.
        for node in {node.name: node for node in self.host.nodes}.values():
            if node.is_expression:
                for name in node.names():
                    self.errors.pop(name, None)
        stored = self._stored()
        for dynamic in self.nodes:
            if isinstance(dynamic, Dynamic):
                dynamic.is_replaced = self.app_fields.is_replaced(dynamic)
        self.input = self.group.collect(self.cleaned_data, {key: stored[key] for key in stored if key != "auth"})
        if self.needs_connection and (auth := self._auth(stored.get("auth", MISSING))) is not MISSING:
            self.input["auth"] = auth
        elif not self.needs_connection and "auth" in stored:
            self.input["auth"] = stored["auth"]
        for node in self.nodes:
            new = self.input.get(node.key, MISSING)
            old = stored.get(node.key, MISSING)
            if not same(new, old) and redaction.adds_mask(new, node.shown, old):
                text = gettext("This contains a hidden secret, which the console does not have. Enter it again.")
                self.add_error(next(node.names()), text)
        cleaned = super().clean()
        return {key: value for key, value in cleaned.items() if key in _LOGGED | {"flow", "predicted", "operation"}}

    def settings(self, settings: Json) -> Json:
        """The settings of the step, based on the current ones."""
        stored = settings if text_at(settings, "pieceName") == self.piece_name else {}
        old = dict_at(stored, "propertySettings") if self.is_same else {}
        new = stored | {
            "pieceName": self.piece_name,
            "pieceVersion": self.used_version,
            self._name_key: self.operation_key,
            "input": self.input,
            "propertySettings": dict(self._property_settings(old, dict_at(stored, "input"))),
        }
        if self.kind == "actions":
            new["errorHandlingOptions"] = code_forms.changed_handling(stored, self.handled, self.cleaned_data)
        return new

    def _property_settings(self, old: Json, stored: Json) -> Iterator[tuple[str, Json]]:
        """Where each value comes from (recordings `op_add_action_property_settings_dynamic`, `op_update_action_piece`)."""
        known = {"auth"} if self.needs_connection else set()
        if self.needs_connection:
            yield "auth", dict_at(old, "auth") or {"type": "MANUAL"}
        for node in self.nodes:
            if not any(node.names()):
                continue
            known.add(node.key)
            entry = dict(mapping_of(old.get(node.key)))
            if not entry or not same(self.input.get(node.key, MISSING), stored.get(node.key, MISSING)):
                entry["type"] = "DYNAMIC" if node.is_expression else "MANUAL"
            if isinstance(node, Dynamic) and node.group is not None and not node.is_expression:
                entry["schema"] = node.schema
            yield node.key, entry
        yield from ((key, value) for key, value in old.items() if key not in known)

    def corrected(self, predicted: Row, operation: Operation) -> Row:
        """The engine drops inputs that the piece does not have, those of an incomplete trigger excepted (engine-0.83.md section 5)."""
        step = step_named(dict_at(predicted, "version.trigger"), self.step_name)
        if step is None or (self.kind == "triggers" and self.host.optional):
            return predicted
        known = {*(self.operation_schema.props if self.operation_schema else ()), "auth"}
        inputs = dict_at(step, "settings.input")
        step["settings"]["input"] = {key: value for key, value in inputs.items() if key in known}
        return predicted

    # --- For templates ---------------------------------------------------------------------------

    @property
    def mark(self) -> apps.Mark:
        known = {row["name"]: row for row in apps.catalogue_or_none(self.session)}
        return reading.app_marks(known, [self.piece_name])[0]

    @property
    def handling_fields(self) -> list[forms.BoundField]:
        return [self[code_forms.HANDLING[key][0]] for key in self.handled]

    @property
    def newer_url(self) -> str:
        """The form with the newest version of the piece; what was typed and not saved is lost."""
        query = {key: str(self.asked.get(key) or "") for key in ("step", "place", "piece", "operation_name")}
        return "?" + urlencode({key: value for key, value in query.items() if value} | {"version": self.newer_version})

    @property
    def top_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in ("place", "name") if name in self.fields]

    @property
    def own_hidden_fields(self) -> list[forms.BoundField]:
        """The hidden fields that belong to no property."""
        return [self[name] for name in ("step", "seen", "piece", "version", "operation_name") if name in self.fields]

    @property
    def offers_unfinished(self) -> bool:
        return self.is_bound and not self.draft and (bool(self.errors) or self.host.optional)


class AddPieceStep(PieceForm):
    place = place_field(label=_("Place"))

    def prepare(self) -> None:
        super().prepare()
        self.choose("place", choices := places.place_choices(self.trigger))
        self.position = {"place": str(self.asked.get("place") or places.last_place(self.trigger, choices))}
        self.initial.setdefault("place", self.position["place"])
        self.step_name = free_name(names(dict_at(self.flow or self.row, "version.trigger")))
        self.load()

    def operation(self, flow: Row, data: Cleaned) -> Operation:
        action = {
            "name": self.step_name,
            "type": "PIECE",
            "valid": not self.host.optional,
            "displayName": data["name"],
            "settings": self.settings({}),
        }
        return add_step(places.read_place(data["place"]), action)


class ChangePieceStep(PieceForm, StepForm):
    """The settings of a step that uses an app, or of the trigger; another action, trigger or app if the address names it."""

    first = only_chosen = is_main = True
    kinds = ("PIECE", *TRIGGERS)

    def prepare(self) -> None:
        super().prepare()
        self.fields["step"].widget = forms.HiddenInput()
        self.position = {"step": self.chosen}
        self.initial.update(self.position)
        self.step_name = self.chosen
        if text_at(step_named(self.trigger, self.chosen), "type") in TRIGGERS:
            self.kind = "triggers"
        self.load()

    def operation(self, flow: Row, data: Cleaned) -> Operation:
        step = self.find_step(flow, data)
        is_trigger = self.kind == "triggers"
        return update_step(
            step,
            is_trigger=is_trigger,
            type="PIECE_TRIGGER" if is_trigger else "PIECE",
            valid=not self.host.optional,
            displayName=data["name"],
            settings=self.settings(dict_at(step, "settings")),
        )


def _connection_key(auth: object) -> str:
    """The external id of the connection that a step refers to; any other text as it is, "" without one."""
    return step_values.external_id(auth) or text_of(auth)


def _reference(key: str) -> str:
    """The `auth` of a step that refers to the connection with this external id (api.md 6.3); "" if no reference can hold the id."""
    found = connection_list.reference(key) if key else ""
    return f"{{{{{found}}}}}" if found else ""
