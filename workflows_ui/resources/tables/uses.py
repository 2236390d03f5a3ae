"""Dependencies of a table: the flows that read or write it, and what is deleted with it."""

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.resource_admin.resource import Affected, Row, Subject, Text
from workflows_ui.resources import usage
from workflows_ui.resources.tables import reading
from workflows_ui.web.paths import text_at


def _names(table: Row) -> tuple[str, ...]:
    """Flows name a table by its id or by its external id."""
    return tuple(filter(None, (text_at(table, "id"), text_at(table, "externalId"))))


def used_by(subject: Subject) -> dict[str, Any]:
    """The flows with a step for this table."""
    names = _names(subject.object)
    return usage.used_by(subject, lambda known: known.of_table(*names), _("No flow reads or writes this table."))


def clear_impact(session: EngineSession, table: Row) -> Affected:
    """The impact of deleting all records: the lost data, and the flows that use them."""
    return _with_flows(session, table, str(_records_going(session, table)), [])


def delete_impact(session: EngineSession, table: Row) -> Affected:
    """The impact of deleting the table: the lost data, and the flows that fail then."""
    names = [
        reading.name_of(field) or reading.key_of(field) for field in reading.fields(session, reading.key_of(table))
    ]
    going = str(_records_going(session, table))
    if names:
        columns = ngettext("So is %(count)d column.", "So are %(count)d columns.", len(names)) % {"count": len(names)}
        going = f"{going} {columns}"
    return _with_flows(session, table, going, [(_("Column: %s") % name, "") for name in names])


def _records_going(session: EngineSession, table: Row) -> Text:
    stored = reading.records(session, reading.key_of(table))
    number = len(stored.rows)
    if not stored.whole:
        return _("All its records are deleted: more than the console can count.")
    if not number:
        return _("It has no records.")
    return ngettext("%(count)d record is deleted.", "%(count)d records are deleted.", number) % {"count": number}


def _with_flows(session: EngineSession, table: Row, going: str, more: list[tuple[str, str]]) -> Affected:
    all_usage = usage.current_usage(session)
    flows = usage.lines(session.workspace.slug, all_usage.of_table(*_names(table)))
    count = len(flows)
    if not all_usage.complete:
        text = _("%(count)d flows are known to use it; the engine did not give all its flows, so there may be more.")
    elif count:
        text = ngettext("%(count)d flow uses it.", "%(count)d flows use it.", count)
    else:
        text = _("No flow uses it.")
    lines = [(_("Flow: %s") % name, url) for name, url in flows]
    return Affected(f"{text % {'count': count}} {going}", [*lines, *more])
