"""Connections of apps: who uses which account, and how to fix one that does not work.

The engine's call for one connection answers with the decrypted secret (api.md 10.2): no page makes it. A connection is
looked up in the list instead, which has no secrets.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from types import MappingProxyType

from django import forms
from django.urls import reverse
from django.utils.translation import gettext, gettext_lazy as _, ngettext

from workflows_ui.core.paths import list_at, text_at
from workflows_ui.core.text import Text
from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.lists.declaration import Column, Page, Query, Row, Shortcut
from workflows_ui.lists.filters import state_field
from workflows_ui.members.models import Role
from workflows_ui.pieces import apps, connections as connection_list
from workflows_ui.pieces.apps import App, Mark, mark_column
from workflows_ui.pieces.connections import STATES, state
from workflows_ui.pieces.fields import type_words
from workflows_ui.resource_admin import whole_lists
from workflows_ui.resource_admin.places import link_to, list_url
from workflows_ui.resource_admin.resource import Panel, Resource, Subject
from workflows_ui.resources.connections import actions as resource_actions
from workflows_ui.run_index.services import uses
from workflows_ui.usage import usage

_TROUBLE: dict[str, Text] = {
    "ERROR": _(
        "The app no longer accepts it: the secret was changed, revoked or has expired. Flows that "
        "use it fail until it gets a new secret."
    ),
    "MISSING": _("It came with an imported flow, without a secret. Flows that use it fail until it gets one."),
}


class ConnectionFilters(forms.Form):
    """Filters of the list; the engine applies them. Apps are filled in from the catalogue."""

    name = forms.CharField(label=_("Name contains"), required=False, max_length=200)
    app = forms.CharField(label=_("App"), required=False, max_length=200, widget=forms.Select())
    status = state_field(STATES)


def owner(row: Row) -> str:
    """The owner's name, else the mail address; empty if the engine does not say."""
    names = (text_at(row, f"owner.{part}") for part in ("firstName", "lastName"))
    return " ".join(filter(None, names)) or text_at(row, "owner.email")


def _app(row: Row) -> Mark:
    return apps.mark(text_at(row, "appName") or apps.short(text_at(row, "pieceName")), text_at(row, "appLogo"))


def _new_url(slug: str, _row: Row) -> str:
    return reverse("connection_new", kwargs={"slug": slug})


def _usage_text(row: Row) -> str:
    count = len(list_at(row, "flowIds"))
    if not count:
        return gettext("No flow")
    return ngettext("%(count)d flow", "%(count)d flows", count) % {"count": count}


def _flows_url(slug: str, row: Row) -> str:
    """The list of the flows that use it; "" if none does."""
    external = text_at(row, "externalId")
    if not row.get("flowIds") or not external:
        return ""
    return list_url(slug, "flows", connection=external)


def _below_state(row: Row) -> Text:
    return {"ERROR": _("Replace the secret"), "MISSING": _("Give it a secret")}.get(str(row.get("status")), "")


def _reach(row: Row) -> Text:
    if row.get("scope") == "PLATFORM":
        return _("The whole platform: managed in the engine, not here")
    return _("This workspace") if row.get("scope") == "PROJECT" else ""


def _trouble(subject: Subject) -> dict[str, object] | None:
    text = _TROUBLE.get(str(subject.object.get("status")))
    action = resource_actions.RENEW
    if text is None:
        return None
    may = not subject.kept and subject.access.allows(action.role) and action.visible(subject.object)
    return {
        "text": text,
        "action": action,
        "url": action.url(subject.slug, Connections.name, subject.id) if may else "",
    }


class Connections(Resource):
    name = "connections"
    needs = "connections"
    label, label_plural = _("Connection"), _("Connections")
    unnamed = _("this connection")
    icon, group, menu_order = "plug", "build", 30
    batch_size = whole_lists.AT_ONCE
    empty = _("There are no connections in this workspace yet")
    empty_hint = _(
        "A connection lets flows act in an app: it holds an account or a key. Connect an app, then flows can use it."
    )
    secrets = frozenset({"value"})
    filters = ConnectionFilters
    search_field = "name"
    index_filters = MappingProxyType({"name": "name", "app": "piece", "status": "state"})
    filter_help = _(
        "The engine looks at the names of all connections of this workspace. What they hold is not searched."
    )
    #: The call for the list: the one for a connection would reveal its secret.
    title_path = "displayName"
    recipe = (
        f"/v1/app-connections?limit={whole_lists.AT_ONCE}",
        f"workflows.list_connections(limit={whole_lists.AT_ONCE})",
    )
    list_display = (
        Column("displayName", _("Name"), link=True),
        mark_column(_app, _("App"), link=link_to("pieces", "pieceName"), sort=False),
        Column(state, _("State"), kind="badge", below=_below_state),
        Column(_usage_text, _("Used by"), link=_flows_url, sort=False),
        Column(owner, _("Owner"), phone=False),
        Column("created", _("Created"), kind="when", phone=False, wide=True),
    )
    list_links = (Shortcut(_("New connection"), "plus", _new_url, role=Role.BUILDER, primary=True),)
    actions = resource_actions.ALL
    details = (
        mark_column(_app, _("App"), link=link_to("pieces", "pieceName")),
        Column(lambda row: type_words(text_at(row, "type")), _("Type")),
        Column(owner, _("Owner")),
        Column(_reach, _("Scope")),
        Column("created", _("Created"), kind="when"),
        Column("updated", _("Updated"), kind="when"),
        Column("externalId", _("Name in flows"), kind="code"),
        Column("id", _("Engine ID"), kind="id"),
    )
    panels = (
        Panel("", "resources/connections/problem.html", _trouble, without_engine=True),
        usage.panel("connections", _("No flow uses this connection.")),
    )

    def list(self, session: EngineSession, query: Query) -> Page:
        """A page, newest first within the first thousand. Calls: connections (`whole_lists.named`), and the cached names of apps."""
        arguments = {name: query.filters.get(name) for name in ("app", "status")}
        load = partial(connection_list.load, session, whole_lists.cursor(query), **arguments)
        answer = whole_lists.named(query, lambda name: load(name=name), lambda row: row.get("displayName"))
        rows, beyond = whole_lists.rows_of(answer), whole_lists.following(answer)
        rows.sort(key=lambda row: str(row.get("created") or ""), reverse=True)
        page = whole_lists.page(rows, query, beyond=beyond)
        return replace(page, rows=_with_apps(session, page.rows))

    def from_index(self, session: EngineSession, rows: Sequence[Row]) -> Sequence[Row]:
        """With the names of their apps, and the flows that use them."""
        flows = uses.flows_using(session, "connections")
        used: list[Row] = [{**row, "flowIds": flows.get(text_at(row, "externalId"), [])} for row in rows]
        return _named(used, session.known(apps.CATALOGUE, list[App]()))

    def get(self, session: EngineSession, id: str) -> Row:
        """The connection as in the list. Raises NotFound if it is not in the list."""
        return _with_apps(session, [connection_list.find_connection(session, id)])[0]

    def choices(self, session: EngineSession) -> Mapping[str, Sequence[tuple[str, Text]]]:
        """The apps that take a connection."""
        return {"app": [(row["name"], apps.title(row)) for row in apps.catalogue_or_none(session) if row["auth"]]}


def _with_apps(session: EngineSession, rows: Sequence[Row]) -> list[dict[str, object]]:
    return _named(rows, apps.catalogue_or_none(session) if rows else [])


def _named(rows: Sequence[Row], catalogue: Sequence[App]) -> list[dict[str, object]]:
    known = {app["name"]: (apps.title(app), app["logo"]) for app in catalogue}
    found = [(row, known.get(text_at(row, "pieceName"), ("", ""))) for row in rows]
    return [{**row, "appName": name, "appLogo": logo} for row, (name, logo) in found]
