"""What hangs on a table: the flows that read or write it, and what goes with it when it is deleted."""

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from workflows_ui.kit.caller import Caller
from workflows_ui.kit.resource import Affected, Row, Subject, Text
from workflows_ui.resources import table_reading as reading
from workflows_ui.resources import usage


def _names(table: Row) -> tuple[str, ...]:
    """Flows name a table by its id or by its external id."""
    found = (table.get("id"), table.get("externalId"))
    return tuple(name for name in found if isinstance(name, str) and name)


def used_by(subject: Subject) -> dict[str, Any]:
    """The flows with a step for this table, at most a minute old; for templates/pieces/used_by.html."""
    known = usage.remembered(subject.caller)
    return {
        "lines": usage.lines(subject.slug, known.of_table(*_names(subject.object))),
        "complete": known.complete,
        "none": _("No flow reads or writes this table."),
    }


def emptied(caller: Caller, table: Row) -> Affected:
    """What is lost when all records are deleted, and which flows work with them."""
    return _with_flows(caller, table, str(_records_going(caller, table)), [])


def gone(caller: Caller, table: Row) -> Affected:
    """What is lost when the table is deleted, and which flows fail then."""
    names = [reading.name_of(field) or reading.key_of(field) for field in reading.fields(caller, reading.key_of(table))]
    going = str(_records_going(caller, table))
    if names:
        columns = ngettext("So is %(count)d column.", "So are %(count)d columns.", len(names)) % {"count": len(names)}
        going = f"{going} {columns}"
    return _with_flows(caller, table, going, [(_("Column: %s") % name, "") for name in names])


def _records_going(caller: Caller, table: Row) -> Text:
    number = len(reading.records(caller, reading.key_of(table)))
    if not number:
        return _("It has no records.")
    return ngettext("%(count)d record is deleted.", "%(count)d records are deleted.", number) % {"count": number}


def _with_flows(caller: Caller, table: Row, going: str, more: list[tuple[str, str]]) -> Affected:
    known = usage.fresh(caller)
    flows = usage.lines(caller.workspace.slug, known.of_table(*_names(table)))
    count = len(flows)
    if not known.complete:
        told = _("%(count)d flows are known to use it; the engine did not give all its flows, so there may be more.")
    elif count:
        told = ngettext("%(count)d flow uses it.", "%(count)d flows use it.", count)
    else:
        told = _("No flow uses it.")
    lines = [(_("Flow: %s") % name, url) for name, url in flows]
    return Affected(f"{told % {'count': count}} {going}", [*lines, *more])
