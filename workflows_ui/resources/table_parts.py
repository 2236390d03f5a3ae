"""What records and columns have in common: they belong to one table, and their addresses lie below it."""

from dataclasses import dataclass

from django.urls import reverse

from workflows_ui.kit.resource import Action, sole_id

#: Names of the views, by part: without an object, and with one.
_ACTIONS = {"records": ("table_records_do", "table_record_do"), "fields": ("", "table_field_do")}


@dataclass(frozen=True)
class PartAction(Action):
    """An action on a part of a table, with an address below the table's. The rest is as for every action."""

    table: str = ""

    def url(self, slug: str, resource: str, id: str = "") -> str:
        """Its address; "" for an id that fits into none."""
        with_none, with_one = _ACTIONS[resource]
        named = {"slug": slug, "table": self.table, "action": self.name}
        if not id:
            return reverse(with_none, kwargs=named)
        return reverse(with_one, kwargs={**named, "id": id}) if fits(id) else table_url(slug, self.table)

    def bulk_url(self, slug: str, resource: str) -> str:
        """Where ticked records are sent, to be asked about together (views/table_records_many.py)."""
        return reverse("table_records_many", kwargs={"slug": slug, "table": self.table, "action": self.name})


def table_url(slug: str, id: str) -> str:
    """A table's page."""
    return reverse("resource_detail", kwargs={"slug": slug, "resource": "tables", "id": id}) if id else ""


def tables_url(slug: str) -> str:
    """The list of tables."""
    return reverse("resource_list", kwargs={"slug": slug, "resource": "tables"})


def fits(id: str) -> bool:
    """Whether an id can stand in an address below the table's, which has no room for slashes."""
    return bool(sole_id(id))


def records_url(slug: str, table: str) -> str:
    """The table's records; "" for a table whose id is odd."""
    return reverse("table_records", kwargs={"slug": slug, "table": table}) if fits(table) else ""


def record_url(slug: str, table: str, id: str) -> str:
    """One record; "" where an id is odd."""
    return reverse("table_record", kwargs={"slug": slug, "table": table, "id": id}) if fits(table) and fits(id) else ""


def export_url(slug: str, table: str, kind: str) -> str:
    """The table as a file; "" for a table whose id is odd."""
    if not fits(table):
        return ""
    return reverse("table_export", kwargs={"slug": slug, "table": table, "kind": kind})
