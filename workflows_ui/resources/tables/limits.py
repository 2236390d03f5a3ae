"""The engine's limits for tables: the numbers differ between versions and are configurable in the engine."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from workflows_ui.credentials.services import engine_facts
from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.engine import Refused

_FOR = 600
#: The share of a limit from which on it is mentioned.
_NEARLY = 0.9
#: The engine's code for exceeding a limit (recordings `records_create_over_limit`, `fields_create_over_limit`).
_BEYOND = "VALIDATION"


@dataclass(frozen=True)
class Limits:
    """The limits of one table; None if the engine does not say."""

    records: int | None = None
    fields: int | None = None


_UNKNOWN = Limits()


def load_limits(session: EngineSession) -> Limits:
    """The limits of the session's engine, as stored with the workspace; before its first check the engine is called
    (recording `flags`), but not by a quick session.
    """
    known = _parse(session.workspace.engine_limits)
    if known != _UNKNOWN:
        return known
    return session.decorate(
        _UNKNOWN, "table-limits", _FOR, lambda: _parse(engine_facts.limits(session.workflows.get_flags()))
    )


def is_limit_refusal(refusal: Refused) -> bool:
    """Whether the engine refused something because the table is full."""
    return refusal.code == _BEYOND


def is_near_limit(number: int, most: int | None) -> bool:
    """Whether a number is close to the limit, or at it."""
    return most is not None and number >= most * _NEARLY


def records_in_words(number: int, limits: Limits) -> str:
    """The number of records of a table and, if known, its limit."""
    most = limits.records
    if most is None:
        return ngettext("The table has %(count)d record.", "The table has %(count)d records.", number) % {
            "count": number
        }
    values = {"number": number, "most": most}
    if number >= most:
        return _("The table is full: it has %(number)d records, and the engine allows no more than %(most)d.") % values
    if is_near_limit(number, most):
        return (
            _("The table is nearly full: %(number)d of the %(most)d records that the engine allows in a table.")
            % values
        )
    return _("%(number)d of the %(most)d records that the engine allows in a table.") % values


def fields_in_words(number: int, limits: Limits) -> str:
    """The number of columns of a table and, if known, its limit."""
    if limits.fields is None:
        return ngettext("The table has %(count)d column.", "The table has %(count)d columns.", number) % {
            "count": number
        }
    values = {"number": number, "most": limits.fields}
    return _("%(number)d of the %(most)d columns that the engine allows in a table.") % values


def full_of_fields(number: int, limits: Limits) -> str:
    """Why no column can be added; "" if there is room, or if the limit is unknown."""
    if limits.fields is None or number < limits.fields:
        return ""
    return _("The table has %(number)d columns already, and the engine allows no more.") % {"number": number}


def _parse(limits: Mapping[str, int]) -> Limits:
    return Limits(limits.get("records"), limits.get("fields"))
