"""Texts about a launch form's fields: limits, kinds and sizes of files, conditions."""

from collections.abc import Sequence

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from workflows_ui.launch_forms.schema import values
from workflows_ui.launch_forms.schema.document import NUMBERS, TEXTS, Field, Form, Kind, Limits, Moment, When, key_of

#: Choices that are listed next to the control for searching them.
SHOWN = 6


def limits(field: Field) -> str:
    """A field's limits in a sentence or two; empty if it has none."""
    parts = []
    if field.kind in NUMBERS:
        parts.append(_range(field.limits))
    elif field.kind is Kind.DATE:
        parts.append(_days(field.limits))
    if field.kind in TEXTS and field.kind is not Kind.FILE:
        parts.append(_letters(field.limits))
        parts.append(field.limits.pattern_words)
    if field.kind in (Kind.LIST, Kind.TABLE, Kind.CHOICES):
        parts.append(_counts(field.limits))
    if field.kind is Kind.FILE:
        parts.append(_file(field))
    if field.kind is Kind.JSON and not field.path:
        parts.append(_("At most %(size)s.") % {"size": size(settings.LAUNCH_JSON_BYTES)})
    return " ".join(part for part in parts if part)


def listing(labels: Sequence[str], *, other: bool) -> str:
    """The available choices, for a control with a search; `other`: values that are not listed can be typed too."""
    if not labels:
        return ""
    params = {"count": len(labels), "labels": ", ".join(label[:40] for label in labels[:SHOWN])}
    if other and len(labels) <= SHOWN:
        return _("Choose one, or type something else: %(labels)s.") % params
    if other:
        return _("Choose one of %(count)s, or type something else.") % params
    return _("Type a few letters to find one of %(count)s.") % params


def moment(field: Field) -> str:
    """The time zone of a typed moment, if it affects the sent value; empty for other fields."""
    if field.kind is not Kind.DATETIME or field.moment in (Moment.LOCAL, Moment.LOCAL_MINUTES):
        return ""
    return _("In your own time: %(zone)s.") % {"zone": timezone.get_current_timezone_name()}


def size(number: int) -> str:
    """A number of bytes in readable units."""
    if number >= 1024 * 1024:
        return _("%(size)s MB") % {"size": f"{number / 1024 / 1024:.3g}"}
    if number >= 1024:
        return _("%(size)s kB") % {"size": number // 1024}
    return ngettext("%(size)s byte", "%(size)s bytes", number) % {"size": number}


def rule(form: Form, field: Field) -> str:
    """The condition of a field with a show-if rule; empty without one."""
    if field.show_if is None:
        return ""
    other = form.field(field.show_if.field)
    params = {"field": other.shown_label if other else field.show_if.field}
    if field.show_if.test is When.FILLED:
        return _("Counts only where “%(field)s” is filled in.") % params
    if field.show_if.test is When.EMPTY:
        return _("Counts only where “%(field)s” is empty.") % params
    params["value"] = value_label(other, field.show_if.value)
    if field.show_if.test is When.IS:
        return _("Counts only where “%(field)s” is “%(value)s”.") % params
    return _("Counts only where “%(field)s” is not “%(value)s”.") % params


def yes_no(value: str) -> str:
    """The label for a yes/no control's value."""
    return {"true": _("Yes"), "false": _("No")}.get(value, _("Not said"))


def value_label(other: Field | None, value: object) -> str:
    """A value of a field in readable form: the label of a choice, yes or no."""
    if isinstance(value, bool):
        return yes_no(key_of(value))
    choices = other.choices if other else ()
    return next((choice.label for choice in choices if choice.value == value), key_of(value))[:60]


def _range(limits: Limits) -> str:
    low, high = limits.low, limits.high
    params = {
        "low": values.show_number(low) if isinstance(low, int | float) else "",
        "high": values.show_number(high) if isinstance(high, int | float) else "",
    }
    if low is not None and high is not None:
        return _("From %(low)s to %(high)s.") % params
    if low is not None:
        return _("At least %(low)s.") % params
    return _("At most %(high)s.") % params if high is not None else ""


def _days(limits: Limits) -> str:
    params = {"low": limits.low, "high": limits.high}
    if limits.low and limits.high:
        return _("From %(low)s to %(high)s.") % params
    if limits.low:
        return _("Not before %(low)s.") % params
    return _("Not after %(high)s.") % params if limits.high else ""


def _letters(limits: Limits) -> str:
    low, high = limits.min_length, limits.max_length
    if low and high:
        return _("%(low)s to %(high)s characters.") % {"low": low, "high": high}
    if low:
        return ngettext("At least %(count)s character.", "At least %(count)s characters.", low) % {"count": low}
    return (
        ngettext("At most %(count)s character.", "At most %(count)s characters.", high) % {"count": high}
        if high
        else ""
    )


def _counts(limits: Limits) -> str:
    low, high = limits.least, limits.most
    if low and high:
        return _("%(low)s to %(high)s of them.") % {"low": low, "high": high}
    if low:
        return _("At least %(count)s of them.") % {"count": low}
    return _("At most %(count)s of them.") % {"count": high} if high else ""


def _file(field: Field) -> str:
    most = size(field.max_size or settings.LAUNCH_FILE_BYTES)
    if not field.accept:
        return _("At most %(size)s.") % {"size": most}
    kinds = ", ".join(ending.upper() for ending in field.accept)
    return _("%(kinds)s, at most %(size)s.") % {"kinds": kinds, "size": most}
