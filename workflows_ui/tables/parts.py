"""Common parts of records and columns: they belong to one table, and their URLs lie below it."""

from dataclasses import dataclass

from django.urls import reverse

from workflows_ui.core.paths import sole_id
from workflows_ui.resource_admin.places import table_url
from workflows_ui.resource_admin.resource import Action

#: Names of the views, by part: without an object, and with one.
_ACTIONS = {"records": ("table_records_do", "table_record_do"), "fields": ("", "table_field_do")}


@dataclass(frozen=True)
class PartAction(Action):
    """An action on a part of a table, with a URL below the table's; otherwise as every action."""

    table: str = ""

    @property
    def belongs_to(self) -> tuple[str, str] | None:
        return "tables", self.table

    def url(self, slug: str, resource: str, id: str = "") -> str:
        """The action's URL; "" for an id that no URL can hold."""
        with_none, with_one = _ACTIONS[resource]
        arguments = {"slug": slug, "table": self.table, "action": self.name}
        if not id:
            return reverse(with_none, kwargs=arguments)
        return reverse(with_one, kwargs={**arguments, "id": id}) if sole_id(id) else table_url(slug, self.table)

    def bulk_url(self, slug: str, resource: str) -> str:
        """The URL that receives ticked records (`views.delete_records`)."""
        return reverse("table_records_many", kwargs={"slug": slug, "table": self.table, "action": self.name})


def records_url(slug: str, table: str) -> str:
    """The table's records; "" for a malformed id of the table."""
    return _url("table_records", slug, table=table)


def record_url(slug: str, table: str, id: str) -> str:
    """One record; "" for a malformed id."""
    return _url("table_record", slug, table=table, id=id)


def export_url(slug: str, table: str, kind: str) -> str:
    """The table as a file; "" for a malformed id of the table."""
    return _url("table_export", slug, table=table, kind=kind)


def _url(view: str, slug: str, **parts: str) -> str:
    return reverse(view, kwargs={"slug": slug, **parts}) if all(map(sole_id, parts.values())) else ""
