"""Pieces: the catalogue of apps, and the page of one with what it can do. The list is asked for once and remembered."""

from typing import Any

from django import forms
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from workflows_ui.kit import show
from workflows_ui.kit.caller import Caller
from workflows_ui.kit.resource import (
    Action,
    Affected,
    Column,
    Facts,
    Page,
    Panel,
    Query,
    Resource,
    Row,
    Shortcut,
    Subject,
    Text,
)
from workflows_ui.models import Role
from workflows_ui.resources import apps, auth_forms, connecting, mcp_tools, piece_options, usage
from workflows_ui.resources.apps import Mark, MarkColumn
from workflows_ui.resources.oauth_forms import OWN
from workflows_ui.resources.piece_fields import ChoicesUrl, operations, type_words

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
    """Filters of the catalogue; all are applied here, to the remembered list."""

    search = forms.CharField(
        label=_("Search"), required=False, max_length=200, help_text=_("Looks at names and descriptions.")
    )
    category = forms.ChoiceField(label=_("Category"), required=False, choices=[("", _("Any")), *CATEGORIES.items()])
    can = forms.ChoiceField(
        label=_("What it can do"),
        required=False,
        choices=[("", _("Any")), ("actions", _("Do something in a flow")), ("triggers", _("Start a flow"))],
    )
    connection = forms.ChoiceField(
        label=_("Connection"), required=False, choices=[("", _("Any")), ("yes", _("Needed")), ("no", _("Not needed"))]
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            field.widget.attrs["class"] = "form-control" if name == "search" else "form-select"


def takes_connection(row: Row) -> bool:
    """Whether a piece, whole or from the catalogue, can be connected by a form."""
    auth = row.get("auth")
    kinds = auth if isinstance(auth, list) else [auth]
    return any(apps.auths(one) or isinstance(one, str) for one in kinds)


def fits(row: Row, filters: Any) -> bool:
    """Whether a piece of the catalogue fits the filters' cleaned values."""
    texts = " ".join(str(row.get(key) or "") for key in ("name", "displayName", "description")).casefold()
    return (
        all(word in texts for word in filters.get("search", "").casefold().split())
        and ("category" not in filters or filters["category"] in _categories(row))
        and ("can" not in filters or bool(row.get(filters["can"])))
        and ("connection" not in filters or takes_connection(row) == (filters["connection"] == "yes"))
    )


def _categories(row: Row) -> list[str]:
    found = row.get("categories")
    return [one for one in found if isinstance(one, str)] if isinstance(found, list) else []


def _category_words(row: Row) -> list[Text]:
    return [CATEGORIES.get(one, one) for one in _categories(row)]


def _mark(row: Row) -> Mark:
    return apps.mark(apps.title(row))


def _about(row: Row) -> str:
    found = row.get("description")
    return " ".join(found.split()) if isinstance(found, str) else ""


def _can(row: Row) -> str:
    actions, triggers = row["actions"], row["triggers"]
    told = [
        ngettext("%(n)d action", "%(n)d actions", actions) % {"n": actions} if actions else "",
        ngettext("%(n)d trigger", "%(n)d triggers", triggers) % {"n": triggers} if triggers else "",
    ]
    return ", ".join(part for part in told if part) or "–"


def _auth_words(row: Row) -> Text:
    kinds = [one["type"] for one in apps.auths(row.get("auth"))]
    return ", ".join(str(type_words(kind)) for kind in kinds) or _("Needs no connection")


def _maker(row: Row) -> Text:
    return {"OFFICIAL": _("Engine's own"), "CUSTOM": _("Added here")}.get(str(row.get("pieceType")), "")


def _connections_url(slug: str, row: Row) -> str:
    name = row.get("name")
    if not takes_connection(row) or not isinstance(name, str) or not name:
        return ""
    return reverse("resource_list", kwargs={"slug": slug, "resource": "connections"}, query={"app": name})


def _actions(subject: Subject) -> dict[str, Any] | None:
    found = operations(subject.object.get("actions"), "action", _ways(subject, "actions"))
    return {"operations": found} if found else None


def _triggers(subject: Subject) -> dict[str, Any] | None:
    found = operations(subject.object.get("triggers"), "trigger", _ways(subject, "triggers"))
    return {"operations": found} if found else None


def _ways(subject: Subject, kind: str) -> ChoicesUrl:
    """The way from a field to the choices that the app gives for it, for whom it is open."""
    known = piece_options.asked_fields(subject.object) if subject.access.allows(Role.BUILDER) else {}

    def way(operation: str, field: str) -> str:
        key = piece_options.key(kind, operation, field)
        return choices_url(subject.slug, subject.id, key) if key in known else ""

    return way


def choices_url(slug: str, piece: str, field: str = "") -> str:
    """The page of the choices that an app gives, with this field chosen."""
    return reverse("piece_options", kwargs={"slug": slug, "piece": piece}, query={"field": field} if field else None)


def _choices(slug: str, row: Row) -> str:
    name = row.get("name")
    return choices_url(slug, name) if isinstance(name, str) and piece_options.asked_fields(row) else ""


def _used_by(subject: Subject) -> dict[str, Any]:
    known = usage.remembered(subject.caller)
    return {
        "lines": usage.lines(subject.slug, known.of_piece(subject.id)),
        "complete": known.complete,
        "none": _("No flow uses this app."),
    }


def _raw(subject: Subject) -> dict[str, Any]:
    return {"value": subject.object, "id": "raw", "title": _("The app as the engine has it (JSON)")}


def _connected(slug: str, row: Row, answer: Any) -> str:
    made = answer.get("id") if isinstance(answer, dict) else None
    place = {"slug": slug, "resource": "connections"}
    if isinstance(made, str) and made.strip(" ./"):
        return reverse("resource_detail", kwargs={**place, "id": made})
    return reverse("resource_list", kwargs=place)


def _ways_to_connect(caller: Caller, row: Row) -> Affected | None:
    """The forms among which one chooses, where an app can be connected in several ways."""
    slug, name = caller.workspace.slug, str(row.get("name"))
    found = auth_forms.kinds(apps.piece(caller, name).get("auth"))
    if len(found) < 2:
        return None
    form = CONNECT.url(slug, Pieces.name, name)
    lines = [
        (str(type_words(kind)), connecting.place_to_sign_in(slug, name) if kind == OWN else f"{form}?way={kind}")
        for kind in found
    ]
    return Affected(_("This app can be connected in several ways:"), lines)


#: Makes a connection to an app; stands on the app's page and behind "New connection".
CONNECT = Action(
    name="connect",
    label=_("Connect"),
    icon="plug",
    form=connecting.ConnectForm,
    run=connecting.connect,
    button=lambda row: _("Connect “%(app)s”") % {"app": show.cut(apps.title(row))},
    confirm=lambda row: _(
        "The engine tests what you enter at the app, which may take some seconds, and keeps it encrypted."
    ),
    affected=_ways_to_connect,
    offered=takes_connection,
    done=lambda row, answer: _("“%(app)s” is connected.") % {"app": show.cut(apps.title(row))},
    then=_connected,
    in_rows=True,
)


class Pieces(Resource):
    """What flows are made of: apps and building blocks with their actions and triggers."""

    name = "pieces"
    label, label_plural = _("Piece"), _("Pieces")
    icon, group = "puzzle-piece", "build"
    empty = _("The engine has no pieces")
    empty_hint = _(
        "Pieces are the apps and building blocks that flows are made of. Whoever runs the engine installs them."
    )
    filters = PieceFilters
    spans = _("All apps of the engine are looked through. The names of their actions and triggers are not searched.")
    rows = 50
    list_display = (
        MarkColumn(_mark, _("Name"), link=True, below=_about),
        Column(_category_words, _("Categories"), kind="list", phone=False),
        Column(_can, _("What it can do")),
    )
    shortcuts = (
        Shortcut(_("Connections"), "link", _connections_url),
        Shortcut(_("Show the choices"), "list-ul", _choices, role=Role.BUILDER),
    )
    actions = (CONNECT, mcp_tools.ADD_APP_TOOL)
    panels = (
        Facts(
            _("Facts"),
            (
                Column(_about, _("What it is for")),
                Column(_auth_words, _("Connection")),
                Column(_category_words, _("Categories"), kind="list"),
                Column("version", _("Version"), kind="code"),
                Column(_maker, _("Comes from")),
                Column("authors", _("Made by"), kind="list"),
                Column("updated", _("Changed"), kind="when"),
                Column("name", _("Name in the engine"), kind="code"),
            ),
        ),
        Panel(_("Actions"), "pieces/operations.html", _actions),
        Panel(_("Triggers"), "pieces/operations.html", _triggers),
        Panel(_("Flows that use it"), "pieces/used_by.html", _used_by),
        Panel("", "kit/panels/raw.html", _raw),
    )

    def list(self, caller: Caller, query: Query) -> Page:
        """A page of the catalogue by name. The engine is asked once in ten minutes, whatever the filters."""
        found = [row for row in apps.catalogue(caller) if fits(row, query.filters)]
        start = int(query.position) if query.position.isascii() and query.position.isdecimal() else 0
        older = start + query.rows
        return Page(found[start:older], str(older) if older < len(found) else "")

    def get(self, caller: Caller, id: str) -> Row:
        """The piece with its actions and triggers, as it is now."""
        return apps.asked(caller, id)

    def call(self, id: str) -> tuple[str, str, str]:
        """The call for one piece; the vendor's SDK has no method for it."""
        return "GET", f"/v1/pieces/{id}", ""

    def key(self, row: Row) -> str:
        """The whole name, `@activepieces/piece-x`: the engine knows pieces by it."""
        found = row.get("name")
        return found if isinstance(found, str) else ""

    def title(self, row: Row) -> str:
        """The display name."""
        return apps.title(row)
