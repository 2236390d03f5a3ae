"""What a launch form says about its fields beside their labels: limits, kinds and sizes of files, when a field counts."""

from collections.abc import Sequence

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from workflows_ui.forming import numbers
from workflows_ui.forming.document import NUMBERS, TEXTS, Field, Form, Kind, Limits, Moment, When, key_of
from workflows_ui.services import launch_files

#: Choices that are named beside the control in which they are found.
SHOWN = 6


def limits(field: Field) -> str:
    """A field's limits in a sentence or two; empty where it has none."""
    said = []
    if field.kind in NUMBERS:
        said.append(_range(field.limits))
    elif field.kind is Kind.DATE:
        said.append(_days(field.limits))
    if field.kind in TEXTS and field.kind is not Kind.FILE:
        said.append(_letters(field.limits))
        said.append(field.limits.pattern_words)
    if field.kind in (Kind.LIST, Kind.TABLE, Kind.CHOICES):
        said.append(_counts(field.limits))
    if field.kind is Kind.FILE:
        said.append(_file(field))
    return " ".join(one for one in said if one)


def listing(labels: Sequence[str], *, other: bool) -> str:
    """What there is to choose from, where people type to find it; `other`: what is not listed can be typed, too."""
    if not labels:
        return ""
    words = {"count": len(labels), "labels": ", ".join(label[:40] for label in labels[:SHOWN])}
    if other and len(labels) <= SHOWN:
        return _("Choose one, or type something else: %(labels)s.") % words
    if other:
        return _("Choose one of %(count)s, or type something else.") % words
    return _("Type a few letters to find one of %(count)s.") % words


def moment(field: Field) -> str:
    """Whose clock a moment is typed by, where that makes a difference to what is sent; empty for other fields."""
    if field.kind is not Kind.DATETIME or field.moment in (Moment.LOCAL, Moment.LOCAL_MINUTES):
        return ""
    return _("In your own time: %(zone)s.") % {"zone": timezone.get_current_timezone_name()}


def size(number: int) -> str:
    """A number of bytes as people say it."""
    if number >= 1024 * 1024:
        return _("%(size)s MB") % {"size": f"{number / 1024 / 1024:.3g}"}
    if number >= 1024:
        return _("%(size)s kB") % {"size": number // 1024}
    return ngettext("%(size)s byte", "%(size)s bytes", number) % {"size": number}


def rule(form: Form, field: Field) -> str:
    """When a field with a show-if rule counts; empty for one without."""
    if field.show_if is None:
        return ""
    other = form.field(field.show_if.field)
    words = {"field": other.shown_label if other else field.show_if.field}
    if field.show_if.test is When.FILLED:
        return _("Counts only where “%(field)s” is filled in.") % words
    if field.show_if.test is When.EMPTY:
        return _("Counts only where “%(field)s” is empty.") % words
    words["value"] = value_words(other, field.show_if.value)
    if field.show_if.test is When.IS:
        return _("Counts only where “%(field)s” is “%(value)s”.") % words
    return _("Counts only where “%(field)s” is not “%(value)s”.") % words


def yes_no(value: str) -> str:
    """Words for the control's texts of a yes/no."""
    return {"true": _("Yes"), "false": _("No")}.get(value, _("Not said"))


def value_words(other: Field | None, value: object) -> str:
    """A value of a field as people read it: the label of a choice, yes or no."""
    if isinstance(value, bool):
        return yes_no(key_of(value))
    choices = other.choices if other else ()
    return next((choice.label for choice in choices if choice.value == value), key_of(value))[:60]


def _range(limits: Limits) -> str:
    low, high = limits.low, limits.high
    words = {
        "low": numbers.show(low) if isinstance(low, int | float) else "",
        "high": numbers.show(high) if isinstance(high, int | float) else "",
    }
    if low is not None and high is not None:
        return _("From %(low)s to %(high)s.") % words
    if low is not None:
        return _("At least %(low)s.") % words
    return _("At most %(high)s.") % words if high is not None else ""


def _days(limits: Limits) -> str:
    words = {"low": limits.low, "high": limits.high}
    if limits.low and limits.high:
        return _("From %(low)s to %(high)s.") % words
    if limits.low:
        return _("Not before %(low)s.") % words
    return _("Not after %(high)s.") % words if limits.high else ""


def _letters(limits: Limits) -> str:
    low, high = limits.min_length, limits.max_length
    if low and high:
        return _("%(low)s to %(high)s letters.") % {"low": low, "high": high}
    if low:
        return ngettext("At least %(count)s letter.", "At least %(count)s letters.", low) % {"count": low}
    return ngettext("At most %(count)s letter.", "At most %(count)s letters.", high) % {"count": high} if high else ""


def _counts(limits: Limits) -> str:
    low, high = limits.least, limits.most
    if low and high:
        return _("%(low)s to %(high)s of them.") % {"low": low, "high": high}
    if low:
        return _("At least %(count)s of them.") % {"count": low}
    return _("At most %(count)s of them.") % {"count": high} if high else ""


def _file(field: Field) -> str:
    most = size(field.max_size or launch_files.LARGEST_FILE)
    if not field.accept:
        return _("At most %(size)s.") % {"size": most}
    kinds = ", ".join(ending.upper() for ending in field.accept)
    return _("%(kinds)s, at most %(size)s.") % {"kinds": kinds, "size": most}
