"""Pieces: the catalogue of apps, and the page of one with its actions and triggers. The list is requested once and cached."""

from functools import partial

from django import forms
from django.utils.translation import gettext_lazy as _, ngettext

from workflows_ui.core.text import Text
from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.engine_objects.pieces import Piece
from workflows_ui.lists.declaration import Column, Page, Query, Row, Shortcut
from workflows_ui.lists.filters import choice_field
from workflows_ui.members.models import Role
from workflows_ui.pieces import apps, options
from workflows_ui.pieces.apps import mark_column, mark_of
from workflows_ui.pieces.catalogue import CATEGORIES, choices_url, matches_filters, takes_connection
from workflows_ui.pieces.fields import operations, type_words
from workflows_ui.resource_admin import whole_lists
from workflows_ui.resource_admin.places import list_url
from workflows_ui.resource_admin.resource import Panel, Resource, Subject
from workflows_ui.resources.connections.connecting import CONNECT
from workflows_ui.resources.mcp_servers import tools as mcp_tools
from workflows_ui.usage import usage


class PieceFilters(forms.Form):
    """Filters of the catalogue; all are applied here, to the cached list."""

    search = forms.CharField(
        label=_("Search"), required=False, max_length=200, help_text=_("Searches names and descriptions.")
    )
    category = choice_field(_("Category"), CATEGORIES)
    can = choice_field(_("What it can do"), {"actions": _("Do something in a flow"), "triggers": _("Start a flow")})
    connection = choice_field(_("Connection"), {"yes": _("Needed"), "no": _("Not needed")})


def _category_words(row: Row) -> list[Text]:
    return [CATEGORIES.get(item, item) for item in Piece(row).categories]


def _about(row: Row) -> str:
    return " ".join(Piece(row).description.split())


def _can(row: Row) -> str:
    piece = Piece(row)
    actions, triggers = piece.number_of_actions, piece.number_of_triggers
    counts = [
        ngettext("%(n)d action", "%(n)d actions", actions) % {"n": actions} if actions else "",
        ngettext("%(n)d trigger", "%(n)d triggers", triggers) % {"n": triggers} if triggers else "",
    ]
    return ", ".join(part for part in counts if part) or "–"


def _auth_words(row: Row) -> Text:
    return ", ".join(str(type_words(schema.type)) for schema in Piece(row).auths) or _("Needs no connection")


def _maker(row: Row) -> Text:
    return {"OFFICIAL": _("Engine's own"), "CUSTOM": _("Added here")}.get(Piece(row).piece_type, "")


def _connections_url(slug: str, row: Row) -> str:
    name = Piece(row).name
    return list_url(slug, "connections", app=name) if name and takes_connection(row) else ""


def _operations(subject: Subject, kind: str) -> dict[str, object] | None:
    """The `actions` or `triggers`; their fields link to the choices that the app gives, for those who may see them."""
    piece = Piece(subject.object)
    known = options.asked_fields(piece) if subject.access.allows(Role.BUILDER) else {}

    def field_url(operation: str, field: str) -> str:
        key = options.key(kind, operation, field)
        return choices_url(subject.slug, subject.id, field=key) if key in known else ""

    listed = operations(piece.operations(kind), kind.removesuffix("s"), field_url)
    return {"operations": listed} if listed else None


def _choices(slug: str, row: Row) -> str:
    piece = Piece(row)
    return choices_url(slug, piece.name) if piece.name and options.asked_fields(piece) else ""


class Pieces(Resource):
    name = "pieces"
    label, label_plural = _("App"), _("Apps")
    icon, group, menu_order = "puzzle", "build", 40
    empty = _("The engine has no apps")
    empty_hint = _("Apps are what the steps of flows use. The engine's administrator installs them.")
    #: The schema of an app's connection, which holds no secret.
    plain = frozenset({"auth"})
    filters = PieceFilters
    filter_help = _(
        "All apps of the engine are looked through. The names of their actions and triggers are not searched."
    )
    rows, cached = 50, (apps.CATALOGUE,)
    recipe = ("/v1/pieces/{id}", "")
    list_display = (
        mark_column(mark_of, _("Name"), link=True, below=_about),
        Column(_category_words, _("Categories"), kind="list", phone=False),
        Column(_can, _("What it can do")),
    )
    shortcuts = (
        Shortcut(_("Connections"), "link", _connections_url),
        Shortcut(_("Show the choices"), "list", _choices, role=Role.BUILDER),
    )
    actions = (CONNECT, mcp_tools.ADD_APP_TOOL)
    details = (
        Column(_about, _("Description")),
        Column(_auth_words, _("Connection")),
        Column(_category_words, _("Categories"), kind="list"),
        Column("version", _("Version"), kind="code"),
        Column(_maker, _("Comes from")),
        Column("authors", _("Created by"), kind="list"),
        Column("updated", _("Updated"), kind="when"),
        Column("name", _("Name in the engine"), kind="code"),
    )
    style_sheet = "steps.css"
    panels = (
        Panel(_("Actions"), "resources/pieces/operations.html", partial(_operations, kind="actions")),
        Panel(_("Triggers"), "resources/pieces/operations.html", partial(_operations, kind="triggers")),
    )
    tabs = (usage.tab("pieces", _("No flow uses this app.")),)

    def list(self, session: EngineSession, query: Query) -> Page:
        """A page of the catalogue by name. The engine is called once in ten minutes, whatever the filters."""
        matches = [row for row in apps.catalogue(session) if matches_filters(row, query.filters)]
        return whole_lists.numbered_page(matches, query)

    def get(self, session: EngineSession, id: str) -> Row:
        """The current piece with its actions and triggers."""
        return apps.fetch_app(session, id)

    def key(self, row: Row) -> str:
        """The whole name, `@activepieces/piece-x`, by which the engine identifies pieces."""
        return Piece(row).name

    def title(self, row: Row) -> str:
        return apps.title(row)
