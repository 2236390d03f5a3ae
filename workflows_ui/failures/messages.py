"""Texts about failures with the same cause."""

from django.utils.translation import gettext as _

from workflows_ui.core import formats
from workflows_ui.failures.models import PatternState
from workflows_ui.failures.services import ENDLESS, Pattern


def sentence(pattern: Pattern) -> str:
    """How often it happened, and since when."""
    if pattern.number == 1:
        return _("1 run failed like this, on %(last)s.") % {"last": formats.exact(pattern.last, zone=False)}
    text = _("%(n)d runs failed like this, the first on %(first)s, the last on %(last)s.")
    first, last = (formats.exact(moment, zone=False) for moment in (pattern.first, pattern.last))
    return text % {"n": pattern.number, "first": first, "last": last}


def state_text(pattern: Pattern) -> str:
    """What its state means, and when it changes."""
    row = pattern.row
    match pattern.state:
        case PatternState.HANDLED if row and row.handled_at:
            text = _("%(person)s marked it as handled on %(time)s. It is open again as soon as it happens again.")
            person = row.handled_by.label if row.handled_by else "–"
            return text % {"person": formats.cut(person), "time": formats.exact(row.handled_at)}
        case PatternState.SNOOZED if row and row.snoozed_until:
            if row.snoozed_until >= ENDLESS:
                return _("It is snoozed until someone reopens it.")
            return _("It is snoozed until %(time)s.") % {"time": formats.exact(row.snoozed_until)}
        case PatternState.SUCCEEDED:
            return _("The flow has succeeded since. It is open again as soon as it fails like this again.")
    return _("The flow has not succeeded since.")
