"""Pieces: the catalogue of apps, and the page of one with its actions and triggers. The list is requested once and cached."""

from collections.abc import Callable
from functools import partial
from typing import Any

from django import forms
from django.urls import reverse
from django.utils.translation import gettext_lazy as _, ngettext

from workflows_ui.core import formats
from workflows_ui.core.paths import pick, text_at, texts_at
from workflows_ui.core.text import Text
from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.lists.declaration import Column, Page, Query, Row, Shortcut
from workflows_ui.lists.filters import choice_field
from workflows_ui.members.models import Role
from workflows_ui.resource_admin.actions import Action, Affected, always
from workflows_ui.resource_admin.resource import Panel, Resource, Subject
from workflows_ui.resources import usage, whole_lists
from workflows_ui.resources.connections import auth_forms, connecting
from workflows_ui.resources.connections.oauth_forms import OWN
from workflows_ui.resources.mcp_servers import tools as mcp_tools
from workflows_ui.resources.pieces import apps, options
from workflows_ui.resources.pieces.apps import mark_column, mark_of
from workflows_ui.resources.pieces.fields import operations, type_words
from workflows_ui.resources.places import connection_url, list_url

#: api.md 11.1; the last two are of Imbrace's fork.
CATEGORIES: dict[str, Text] = {
    "ARTIFICIAL_INTELLIGENCE": _("Artificial intelligence"),
    "COMMUNICATION": _("Communication"),
    "COMMERCE": _("Commerce"),
    "CORE": _("Basics"),
    "UNIVERSAL_AI": _("AI of any maker"),
    "FLOW_CONTROL": _("Steering a flow"),
    "BUSINESS_INTELLIGENCE": _("Business intelligence"),
    "ACCOUNTING": _("Accounting"),
    "PRODUCTIVITY": _("Office work"),
    "CONTENT_AND_FILES": _("Content and files"),
    "DEVELOPER_TOOLS": _("Tools for developers"),
    "CUSTOMER_SUPPORT": _("Customer support"),
    "FORMS_AND_SURVEYS": _("Forms and surveys"),
    "HUMAN_RESOURCES": _("Human resources"),
    "PAYMENT_PROCESSING": _("Payments"),
    "MARKETING": _("Marketing"),
    "SALES_AND_CRM": _("Sales and customers"),
    "ACTIONS": _("Actions"),
    "MOST_COMMON_USE": _("Used most"),
}


class PieceFilters(forms.Form):
    """Filters of the catalogue; all are applied here, to the cached list."""

    search = forms.CharField(
        label=_("Search"), required=False, max_length=200, help_text=_("Looks at names and descriptions.")
    )
    category = choice_field(_("Category"), CATEGORIES)
    can = choice_field(_("What it can do"), {"actions": _("Do something in a flow"), "triggers": _("Start a flow")})
    connection = choice_field(_("Connection"), {"yes": _("Needed"), "no": _("Not needed")})


def takes_connection(row: Row) -> bool:
    """Whether a piece, whole or from the catalogue, can be connected with a form."""
    auth = row.get("auth")
    kinds = auth if isinstance(auth, list) else [auth]
    return any(apps.auths(item) or isinstance(item, str) for item in kinds)


def matches_filters(row: Row, filters: Any) -> bool:
    """Whether a piece of the catalogue matches the filters' cleaned values."""
    texts = " ".join(str(row.get(key) or "") for key in ("name", "displayName", "description")).casefold()
    return (
        all(word in texts for word in filters.get("search", "").casefold().split())
        and ("category" not in filters or filters["category"] in texts_at(row, "categories"))
        and ("can" not in filters or bool(row.get(filters["can"])))
        and ("connection" not in filters or takes_connection(row) == (filters["connection"] == "yes"))
    )


def app_lines(session: EngineSession, search: str, url: Callable[[Row], str], **filters: str) -> list[dict[str, Any]]:
    """The apps that match the search and the other filters, for a page on which one is chosen."""
    matches = [row for row in apps.catalogue(session) if matches_filters(row, {"search": search, **filters})]
    return [
        {"mark": mark_of(row), "about": row["description"] or "", "url": url(row)}
        for row in matches
        if row["name"].strip(" ./")
    ]


def _category_words(row: Row) -> list[Text]:
    return [CATEGORIES.get(item, item) for item in texts_at(row, "categories")]


def _about(row: Row) -> str:
    return " ".join(text_at(row, "description").split())


def _can(row: Row) -> str:
    actions, triggers = row["actions"], row["triggers"]
    counts = [
        ngettext("%(n)d action", "%(n)d actions", actions) % {"n": actions} if actions else "",
        ngettext("%(n)d trigger", "%(n)d triggers", triggers) % {"n": triggers} if triggers else "",
    ]
    return ", ".join(part for part in counts if part) or "–"


def _auth_words(row: Row) -> Text:
    kinds = [item["type"] for item in apps.auths(row.get("auth"))]
    return ", ".join(str(type_words(kind)) for kind in kinds) or _("Needs no connection")


def _maker(row: Row) -> Text:
    return {"OFFICIAL": _("Engine's own"), "CUSTOM": _("Added here")}.get(str(row.get("pieceType")), "")


def _connections_url(slug: str, row: Row) -> str:
    name = text_at(row, "name")
    return list_url(slug, "connections", app=name) if name and takes_connection(row) else ""


def _operations(subject: Subject, kind: str) -> dict[str, Any] | None:
    """The `actions` or `triggers`; their fields link to the choices that the app gives, for those who may see them."""
    known = options.asked_fields(subject.object) if subject.access.allows(Role.BUILDER) else {}

    def field_url(operation: str, field: str) -> str:
        key = options.key(kind, operation, field)
        return choices_url(subject.slug, subject.id, field=key) if key in known else ""

    listed = operations(subject.object.get(kind), kind.removesuffix("s"), field_url)
    return {"operations": listed} if listed else None


def choices_url(slug: str, piece: str, **query: str) -> str:
    """The page of the choices that an app gives; `query` fills in its form."""
    return reverse("piece_options", kwargs={"slug": slug, "piece": piece}, query=query or None)


def _choices(slug: str, row: Row) -> str:
    name = text_at(row, "name")
    return choices_url(slug, name) if name and options.asked_fields(row) else ""


def _connection_types(session: EngineSession, row: Row) -> Affected | None:
    """The forms to choose from, if an app can be connected in several ways."""
    slug, name = session.workspace.slug, str(row.get("name"))
    kinds = auth_forms.kinds(apps.piece(session, name).get("auth"))
    if len(kinds) < 2:
        return None
    form = CONNECT.url(slug, Pieces.name, name)
    lines = [
        (str(type_words(kind)), connecting.sign_in_page_url(slug, name) if kind == OWN else f"{form}?way={kind}")
        for kind in kinds
    ]
    return Affected(_("This app can be connected in several ways:"), lines)


#: Creates a connection to an app; on the app's page and behind "New connection".
CONNECT = Action(
    name="connect",
    label=_("Connect"),
    icon="plug",
    form=connecting.ConnectForm,
    run=connecting.connect,
    creates="connections",
    button=lambda row: _("Connect “%(app)s”") % {"app": formats.cut(apps.title(row))},
    confirm=_("The engine tests what you enter at the app, which may take some seconds, and keeps it encrypted."),
    impact=_connection_types,
    visible=takes_connection,
    primary=always,
    done=lambda row, answer: _("“%(app)s” is connected.") % {"app": formats.cut(apps.title(row))},
    success_url=lambda slug, _row, answer: connection_url(slug, pick(answer, "id")) or list_url(slug, "connections"),
    in_rows=True,
)


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
        return text_at(row, "name")

    def title(self, row: Row) -> str:
        return apps.title(row)
