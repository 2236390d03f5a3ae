"""The engine's limits for tables: the numbers differ between versions and are configurable in the engine."""

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from django import forms
from django.utils.formats import number_format
from django.utils.translation import gettext as _, ngettext

from workflows_ui.core.text import Text
from workflows_ui.credentials.services import engine_facts
from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.engine import Refused

_FOR = 600
#: The share of a limit from which on it is mentioned.
_NEARLY = 0.9
#: The engine's code for exceeding a limit (recordings `records_create_over_limit`, `fields_create_over_limit`).
_BEYOND = "VALIDATION"
#: The limits of one table, `records` and `fields`, as far as the engine says.
Limits = Mapping[str, int]


def load_limits(session: EngineSession) -> Limits:
    """The limits of the session's engine, as stored with the workspace; before its first check the engine is called
    (recording `flags`), but not by a quick session.
    """
    known: Limits = session.workspace.engine_limits
    if "records" in known or "fields" in known:
        return known
    return session.decorate({}, "table-limits", _FOR, lambda: engine_facts.limits(session.workflows.get_flags()))


@contextmanager
def refused_if_full(text: Text) -> Iterator[None]:
    """Raises ValidationError with this text if the engine refuses something because the table is full."""
    try:
        yield
    except Refused as refusal:
        if refusal.code != _BEYOND:
            raise
        raise forms.ValidationError(str(text)) from None


def is_near_limit(number: int, most: int | None) -> bool:
    return most is not None and number >= most * _NEARLY


def records_in_words(number: int, limits: Limits) -> str:
    """The number of records of a table and, if known, its limit."""
    most = limits.get("records")
    if most is None:
        text = ngettext("The table has %(count)d record.", "The table has %(count)d records.", number)
        return text % {"count": number}
    values = {"number": number_format(number, force_grouping=True), "most": number_format(most, force_grouping=True)}
    if number >= most:
        return _("The table is full: it has %(number)s records, and the engine allows no more than %(most)s.") % values
    if is_near_limit(number, most):
        text = _("The table is nearly full: %(number)s of the %(most)s records that the engine allows in a table.")
        return text % values
    return _("%(number)s of the %(most)s records that the engine allows in a table.") % values


def fields_in_words(number: int, limits: Limits) -> str:
    """The number of columns of a table and, if known, its limit."""
    most = limits.get("fields")
    if most is None:
        text = ngettext("The table has %(count)d column.", "The table has %(count)d columns.", number)
        return text % {"count": number}
    return _("%(number)d of the %(most)d columns that the engine allows in a table.") % {"number": number, "most": most}


def full_of_fields(number: int, limits: Limits) -> str:
    """Why no column can be added; "" if there is room, or if the limit is unknown."""
    if number < limits.get("fields", math.inf):
        return ""
    return _("The table has %(number)d columns already, and the engine allows no more.") % {"number": number}
