"""The catalogue of apps: its categories and filters, and the apps to choose from."""

from collections.abc import Callable, Mapping

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from workflows_ui.core.text import Text
from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.engine_objects.pieces import Piece
from workflows_ui.pieces import apps
from workflows_ui.pieces.apps import App, mark_of
from workflows_ui.resource_admin.resource import Row

#: api.md 11.1; the last two are of Imbrace's fork.
CATEGORIES: dict[str, Text] = {
    "ARTIFICIAL_INTELLIGENCE": _("Artificial intelligence"),
    "COMMUNICATION": _("Communication"),
    "COMMERCE": _("Commerce"),
    "CORE": _("Basics"),
    "UNIVERSAL_AI": _("AI models from other vendors"),
    "FLOW_CONTROL": _("Flow control"),
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


def takes_connection(row: Row) -> bool:
    """Whether a piece, whole or from the catalogue, can be connected with a form."""
    piece = Piece(row)
    return bool(piece.auths or piece.auth_types)


def matches_filters(app: App, filters: Mapping[str, object]) -> bool:
    """Whether a piece of the catalogue matches the filters' cleaned values."""
    texts = " ".join((app["name"], app["displayName"], app["description"])).casefold()
    counts = {"actions": app["actions"], "triggers": app["triggers"]}
    return (
        all(word in texts for word in str(filters.get("search", "")).casefold().split())
        and ("category" not in filters or filters["category"] in app["categories"])
        and ("can" not in filters or bool(counts.get(str(filters["can"]))))
        and ("connection" not in filters or bool(app["auth"]) == (filters["connection"] == "yes"))
    )


def app_lines(
    session: EngineSession, search: str, url: Callable[[App], str], **filters: str
) -> list[dict[str, object]]:
    """The apps that match the search and the other filters, for a page on which one is chosen."""
    matches = [app for app in apps.catalogue(session) if matches_filters(app, {"search": search, **filters})]
    return [
        {"mark": mark_of(app), "about": app["description"], "url": url(app)}
        for app in matches
        if app["name"].strip(" ./")
    ]


def choices_url(slug: str, piece: str, **query: str) -> str:
    """The page of the choices that an app gives; `query` fills in its form."""
    return reverse("piece_options", kwargs={"slug": slug, "piece": piece}, query=query or None)
