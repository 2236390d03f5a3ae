"""Connections of apps: who uses which account, and what to do about one that does not work.

The engine's call for one connection answers with the decrypted secret (api.md 10.2): no page makes it. A connection is found in the
list instead, which has no secrets.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from django import forms
from django.urls import reverse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from workflows_ui.kit.caller import Caller
from workflows_ui.kit.resource import (
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
    id_at,
    pick,
)
from workflows_ui.kit.words import StateWord
from workflows_ui.models import Role
from workflows_ui.resources import apps, connection_actions, connection_list, usage, whole_lists
from workflows_ui.resources.apps import Mark, MarkColumn
from workflows_ui.resources.connection_list import STATES, state
from workflows_ui.resources.piece_fields import type_words

_TROUBLE: dict[str, Text] = {
    "ERROR": _(
        "The app no longer accepts it: the secret was changed, withdrawn or ran out. Flows that use it fail until it gets a new secret."
    ),
    "MISSING": _("It came with an imported flow, without a secret. Flows that use it fail until it gets one."),
}


class ConnectionFilters(forms.Form):
    """Filters of the list; the engine applies them. Apps are filled in from the catalogue."""

    name = forms.CharField(label=_("Name contains"), required=False, max_length=200)
    app = forms.CharField(label=_("App"), required=False, max_length=200, widget=forms.Select())
    status = forms.ChoiceField(
        label=_("State"),
        required=False,
        choices=[("", _("Any")), *((name, found.word) for name, found in STATES.items())],
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            field.widget.attrs["class"] = "form-control" if name == "name" else "form-select"


def owner(row: Row) -> str:
    """Whose connection it is: the name, else the mail address; empty where the engine does not say."""
    names = [pick(row, f"owner.{part}") for part in ("firstName", "lastName")]
    known = " ".join(name for name in names if isinstance(name, str) and name)
    mail = pick(row, "owner.email")
    return known or (mail if isinstance(mail, str) else "")


def _app(row: Row) -> Mark:
    name = row.get("appName")
    return apps.mark(name if isinstance(name, str) and name else apps.short(row.get("pieceName")))


def _app_url(slug: str, row: Row) -> str:
    name = id_at(row, "pieceName")
    return reverse("resource_detail", kwargs={"slug": slug, "resource": "pieces", "id": name}) if name else ""


def _new_url(slug: str, _row: Row) -> str:
    return reverse("connection_new", kwargs={"slug": slug})


def _used(row: Row) -> str:
    flows = row.get("flowIds")
    count = len(flows) if isinstance(flows, list) else 0
    if not count:
        return gettext("Unused")
    return ngettext("%(count)d flow", "%(count)d flows", count) % {"count": count}


def _flows_url(slug: str, row: Row) -> str:
    """The list of the flows that use it; "" where none does."""
    external = row.get("externalId")
    if not row.get("flowIds") or not isinstance(external, str) or not external:
        return ""
    return reverse("resource_list", kwargs={"slug": slug, "resource": "flows"}, query={"connection": external})


def _below_state(row: Row) -> Text:
    return {"ERROR": _("Replace the secret"), "MISSING": _("Give it a secret")}.get(str(row.get("status")), "")


def _reach(row: Row) -> Text:
    if row.get("scope") == "PLATFORM":
        return _("The whole platform: it is looked after in the engine, not here")
    return _("This workspace") if row.get("scope") == "PROJECT" else ""


def _trouble(subject: Subject) -> dict[str, Any] | None:
    text = _TROUBLE.get(str(subject.object.get("status")))
    action = connection_actions.RENEW
    if text is None:
        return None
    may = subject.access.allows(action.role) and action.offered(subject.object)
    return {
        "text": text,
        "action": action,
        "url": action.url(subject.slug, Connections.name, subject.id) if may else "",
    }


def _used_by(subject: Subject) -> dict[str, Any]:
    known = usage.remembered(subject.caller)
    row = subject.object
    found = known.of_connection(row.get("externalId"), row.get("flowIds"))
    return {
        "lines": usage.lines(subject.slug, found),
        "complete": known.complete,
        "none": _("No flow uses this connection."),
    }


def _raw(subject: Subject) -> dict[str, Any]:
    return {"value": subject.object, "id": "raw", "title": _("The connection as the engine lists it (JSON)")}


class Connections(Resource):
    """An account or key of an app, which flows act with."""

    name = "connections"
    needs = "connections"
    label, label_plural = _("Connection"), _("Connections")
    icon, group = "plug", "build"
    stride = whole_lists.AT_ONCE
    empty = _("There are no connections in this workspace yet")
    empty_hint = _(
        "A connection lets flows act in an app: it holds an account or a key. Connect an app, then flows can use it."
    )
    secrets = frozenset({"value"})
    filters = ConnectionFilters
    spans = _("The engine looks at the names of all connections of this workspace. What they hold is not searched.")
    list_display = (
        Column("displayName", _("Name"), link=True),
        MarkColumn(_app, _("App"), link=_app_url),
        Column(state, _("State"), kind="badge", below=_below_state),
        Column(_used, _("Used by"), link=_flows_url),
        Column(owner, _("Owner"), phone=False),
        Column("created", _("Made"), kind="when", phone=False, wide=True),
    )
    ways = (Shortcut(_("New connection"), "plus", _new_url, role=Role.BUILDER, primary=True),)
    actions = connection_actions.ALL
    panels = (
        Panel("", "connections/trouble.html", _trouble),
        Facts(
            _("Facts"),
            (
                MarkColumn(_app, _("App"), link=_app_url),
                Column(lambda row: type_words(row.get("type")), _("Holds")),
                Column(owner, _("Owner")),
                Column(_reach, _("Reach")),
                Column("updated", _("Changed"), kind="when"),
                Column("created", _("Made"), kind="when"),
                Column("externalId", _("Name in flows"), kind="code"),
                Column("id", _("Id in the engine"), kind="code"),
            ),
        ),
        Panel(_("Flows that use it"), "pieces/used_by.html", _used_by),
        Panel("", "kit/panels/raw.html", _raw),
    )

    def list(self, caller: Caller, query: Query) -> Page:
        """A page, newest first within the first thousand. Two calls at most: connections, and the names of apps, remembered."""
        asked = {name: query.filters.get(name) for name in ("name", "app", "status")}
        rows, beyond = connection_list.chunk(caller, whole_lists.cursor(query) or "", **asked)
        rows.sort(key=lambda row: str(row.get("created") or ""), reverse=True)
        page = whole_lists.page(rows, query, beyond=beyond)
        return replace(page, rows=_with_apps(caller, page.rows))

    def get(self, caller: Caller, id: str) -> Row:
        """The connection as the list has it. Raises NotFound where it is not in the list."""
        return _with_apps(caller, [connection_list.find(caller, id)])[0]

    def choices(self, caller: Caller) -> Mapping[str, Sequence[tuple[str, Text]]]:
        """The apps that take a connection."""
        return {"app": [(row["name"], apps.title(row)) for row in apps.catalogue_or_none(caller) if row["auth"]]}

    def call(self, id: str) -> tuple[str, str, str]:
        """The call for the list, in which the connection is found: the one for itself would tell its secret."""
        most = whole_lists.AT_ONCE
        return "GET", f"/v1/app-connections?limit={most}", f"workflows.list_connections(limit={most})"

    def title(self, row: Row) -> str:
        """The connection's name."""
        found = row.get("displayName")
        return found if isinstance(found, str) else ""

    def badge(self, row: Row) -> StateWord:
        """Whether it works."""
        return state(row)


def _with_apps(caller: Caller, rows: Sequence[Row]) -> list[dict[str, Any]]:
    names = apps.names(caller) if rows else {}
    return [dict(row) | {"appName": names.get(str(row.get("pieceName")), "")} for row in rows]
