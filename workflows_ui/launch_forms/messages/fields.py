"""Texts about a launch form's fields: limits, kinds and sizes of files, conditions."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, ngettext_lazy

from workflows_ui.launch_forms.schema import values
from workflows_ui.launch_forms.schema.document import (
    LOCAL_MOMENTS,
    NUMBERS,
    TEXTS,
    Field,
    Form,
    Kind,
    When,
    is_number,
    key_of,
)

#: Choices that are listed next to the control for searching them.
SHOWN = 6


def limits(field: Field) -> str:
    """A field's limits in a sentence or two; empty if it has none."""
    limits, parts = field.limits, []
    if field.kind in NUMBERS or field.kind is Kind.DATE:
        parts.append(_between(_DAYS if field.kind is Kind.DATE else _NUMBERS, limits.low, limits.high))
    if field.kind in TEXTS and field.kind is not Kind.FILE:
        parts += [_between(_CHARACTERS, limits.min_length or None, limits.max_length or None), limits.pattern_words]
    if field.kind in (Kind.LIST, Kind.TABLE, Kind.CHOICES):
        parts.append(_between(_ENTRIES, limits.least or None, limits.most or None))
    if field.kind is Kind.FILE:
        most = size(field.max_size or settings.LAUNCH_FILE_BYTES)
        kinds = ", ".join(ending.upper() for ending in field.accept)
        text = _("%(kinds)s, at most %(size)s.") if kinds else _("At most %(size)s.")
        parts.append(text % {"kinds": kinds, "size": most})
    if field.kind is Kind.JSON and not field.path:
        parts.append(_("At most %(size)s.") % {"size": size(settings.LAUNCH_JSON_BYTES)})
    return " ".join(part for part in parts if part)


#: Texts for both limits, only the lower one, only the upper one.
_NUMBERS = (
    gettext_lazy("From %(low)s to %(high)s."),
    gettext_lazy("At least %(low)s."),
    gettext_lazy("At most %(high)s."),
)
_DAYS = _NUMBERS[0], gettext_lazy("Not before %(low)s."), gettext_lazy("Not after %(high)s.")
_CHARACTERS = (
    gettext_lazy("%(low)s to %(high)s characters."),
    ngettext_lazy("At least %(count)s character.", "At least %(count)s characters.", "count"),
    ngettext_lazy("At most %(count)s character.", "At most %(count)s characters.", "count"),
)
_ENTRIES = (
    gettext_lazy("%(low)s to %(high)s of them."),
    gettext_lazy("At least %(count)s of them."),
    gettext_lazy("At most %(count)s of them."),
)


def _between(texts: tuple[Any, Any, Any], low: Any, high: Any) -> str:
    if low is None and high is None:
        return ""
    both, at_least, at_most = texts
    text = at_most if low is None else at_least if high is None else both
    shown = {name: values.show_number(end) if is_number(end) else end for name, end in (("low", low), ("high", high))}
    return str(text % (shown | {"count": high if low is None else low}))


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
    if field.kind is not Kind.DATETIME or field.moment in LOCAL_MOMENTS:
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
    params["value"] = value_label(other, field.show_if.value)
    return str(_RULES[field.show_if.test] % params)


_RULES = {
    When.FILLED: gettext_lazy("Counts only where “%(field)s” is filled in."),
    When.EMPTY: gettext_lazy("Counts only where “%(field)s” is empty."),
    When.IS: gettext_lazy("Counts only where “%(field)s” is “%(value)s”."),
    When.IS_NOT: gettext_lazy("Counts only where “%(field)s” is not “%(value)s”."),
}


def yes_no(value: str) -> str:
    """The label for a yes/no control's value."""
    return {"true": _("Yes"), "false": _("No")}.get(value, _("Not said"))


def value_label(other: Field | None, value: object) -> str:
    """A value of a field in readable form: the label of a choice, yes or no."""
    if isinstance(value, bool):
        return yes_no(key_of(value))
    choices = other.choices if other else ()
    return next((choice.label for choice in choices if choice.value == value), key_of(value))[:60]
