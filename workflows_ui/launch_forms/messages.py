"""Texts about launch forms: for launchers about fields, for builders about evidence, differences from the flow, and versions."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _, gettext_lazy, ngettext, ngettext_lazy, npgettext

from workflows_ui.core.text import Text
from workflows_ui.form_schema import checking, values
from workflows_ui.form_schema.document import (
    LOCAL_MOMENTS,
    NOTHING,
    NUMBERS,
    PLACEHOLDER,
    TEXTS,
    Field,
    FieldKind,
    Form,
    Limits,
    When,
    Why,
    is_number,
    key_of,
    same,
)
from workflows_ui.launch_forms.proposal.changes import Fit
from workflows_ui.launches import inputs as launch_inputs

#: Choices that are listed next to the control for searching them.
SHOWN = 6
#: Most sentences of one kind about differences from the flow.
_MOST_LINES = 10
#: Sentences about a property of a field that was switched on, or off.
_SWITCHES: dict[str, tuple[Text, Text]] = {
    "required": (gettext_lazy("It is now required."), gettext_lazy("It is now optional.")),
    "hidden": (gettext_lazy("It is now hidden, with a fixed value."), gettext_lazy("It is now shown.")),
    "folded": (gettext_lazy("It is now shown under “More”."), gettext_lazy("It is no longer under “More”.")),
    "searchable": (
        gettext_lazy("Launches are found by what is typed here now."),
        gettext_lazy("Launches are no longer found by what is typed here."),
    ),
}


# --- For launchers -----------------------------------------------------------------------------------


def limits(field: Field) -> str:
    """A field's limits in a sentence or two; empty if it has none."""
    limits, parts = field.limits, []
    if field.kind in NUMBERS or field.kind is FieldKind.DATE:
        parts.append(_between(_DAYS if field.kind is FieldKind.DATE else _NUMBERS, limits.low, limits.high))
    if field.kind in TEXTS and field.kind is not FieldKind.FILE:
        parts += [_between(_CHARACTERS, limits.min_length or None, limits.max_length or None), limits.pattern_words]
    if field.kind in (FieldKind.LIST, FieldKind.TABLE, FieldKind.CHOICES):
        parts.append(_between(_ENTRIES, limits.least or None, limits.most or None))
    if field.kind is FieldKind.FILE:
        most = size(field.max_size or settings.LAUNCH_FILE_BYTES)
        kinds = ", ".join(ending.upper() for ending in field.accept)
        text = _("%(kinds)s, at most %(size)s.") if kinds else _("At most %(size)s.")
        parts.append(text % {"kinds": kinds, "size": most})
    if field.kind is FieldKind.JSON and not field.path:
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


class _Template(Protocol):
    """A text with placeholders, which may be lazy and depend on a number."""

    def __mod__(self, values: dict[str, object], /) -> str: ...


def _between(texts: tuple[_Template, _Template, _Template], low: float | str | None, high: float | str | None) -> str:
    if low is None and high is None:
        return ""
    both, at_least, at_most = texts
    text = at_most if low is None else at_least if high is None else both
    shown: dict[str, object] = {
        name: values.show_number(end) if is_number(end) else end for name, end in (("low", low), ("high", high))
    }
    return text % (shown | {"count": high if low is None else low})


def listing(labels: Sequence[str], *, other: bool) -> str:
    """The available choices, for a control with a search; `other`: values that are not listed can be typed too."""
    if not labels:
        return ""
    params = {"count": len(labels), "labels": ", ".join(label[:40] for label in labels[:SHOWN])}
    if other and len(labels) <= SHOWN:
        return _("Choose one, or enter something else: %(labels)s.") % params
    if other:
        return _("Choose one of %(count)s, or enter something else.") % params
    return _("Enter a few letters to find one of %(count)s.") % params


def moment(field: Field) -> str:
    """The time zone of a typed moment, if it affects the sent value; empty for other fields."""
    if field.kind is not FieldKind.DATETIME or field.moment in LOCAL_MOMENTS:
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
    When.FILLED: gettext_lazy("Used only if “%(field)s” is filled in."),
    When.EMPTY: gettext_lazy("Used only if “%(field)s” is empty."),
    When.IS: gettext_lazy("Used only if “%(field)s” is “%(value)s”."),
    When.IS_NOT: gettext_lazy("Used only if “%(field)s” is not “%(value)s”."),
}


def yes_no(value: str) -> str:
    """The label for a yes/no control's value."""
    return {"true": _("Yes"), "false": _("No")}.get(value, _("Not specified"))


def value_label(other: Field | None, value: object) -> str:
    """A value of a field in readable form: the label of a choice, yes or no."""
    if isinstance(value, bool):
        return yes_no(key_of(value))
    choices = other.choices if other else ()
    return next((choice.label for choice in choices if choice.value == value), key_of(value))[:60]


def effects(form: Form, payload: object = NOTHING) -> list[list[tuple[str, str]]]:
    """What a launch will do, in the builder's sentences, with the labels of the fields; with a masked payload, with their values.

    Each sentence is in parts: a text, and the name of the field that it stands for, "" for the sentence's own words.
    """
    sentences = []
    for line in filter(None, map(str.strip, form.effects.splitlines())):
        texts = enumerate(PLACEHOLDER.split(line))
        parts = ((_effect_value(form, text, payload), text) if number % 2 else (text, "") for number, text in texts)
        sentences.append([part for part in parts if part[0]])
    return sentences


def _effect_value(form: Form, name: str, payload: object) -> str:
    field = form.field(name)
    if field is None:
        return name
    if payload is NOTHING:
        return field.shown_label
    value = checking.value_at(payload, field.path)
    return launch_inputs.brief_value(field, value) if value is not NOTHING else _("nothing")


# --- For builders ------------------------------------------------------------------------------------


def why(evidence: Why) -> str:
    """Why a field was proposed, in one sentence; "" for a field added by hand."""
    parts: list[str] = []
    if evidence.payloads:
        seen = ngettext("in %(seen)d of %(of)d past launch", "in %(seen)d of %(of)d past launches", evidence.payloads)
        parts.append(seen % {"seen": evidence.seen, "of": evidence.payloads})
    if evidence.seen and evidence.values >= 100:
        parts.append(_("100 or more different values seen"))
    elif evidence.seen and evidence.values:
        seen = ngettext("%(n)d value seen", "%(n)d different values seen", evidence.values)
        parts.append(seen % {"n": evidence.values})
    if evidence.read_by:
        names = ", ".join(name[:60] for name in evidence.read_by[:3])
        more = len(evidence.read_by) - 3
        if more > 0:
            listed = npgettext("steps", "%(names)s and %(n)d more", "%(names)s and %(n)d more", more)
            names = listed % {"names": names, "n": more}
        parts.append(_("read by %(names)s") % {"names": names})
    if evidence.trigger:
        parts.append(_("required by the flow's own form"))
    if evidence.sample:
        parts.append(_("in the sample of the trigger"))
    text = "; ".join(parts)
    return text[:1].upper() + text[1:]


def fit(result: Fit) -> list[str]:
    """Sentences about what the flow reads and the form does not send, and the reverse."""
    lines = []
    for path, read_by in [*result.missing.items()][:_MOST_LINES]:
        steps = ", ".join(step[:60] for step in read_by[:3])
        text = (
            _("The form lacks “%(place)s”, which is read by: %(steps)s.")
            if steps
            else _("The form lacks “%(place)s”, which the flow asks for.")
        )
        lines.append(text % {"place": " › ".join(path)[:120], "steps": steps})
    for table, key in result.columns[:_MOST_LINES]:
        text = _("The table “%(label)s” lacks the column “%(column)s”, which the flow reads.")
        lines.append(text % {"label": table.shown_label[:80], "column": key[:80]})
    lines += [
        _("“%(label)s” is not read by any step any more.") % {"label": field.shown_label[:80]}
        for field in result.unread[:_MOST_LINES]
    ]
    return lines


def field_location(field: Field) -> str:
    """The path of a field's value in the payload: `customer › phone`."""
    return " › ".join(field.path) or _("everything that is sent")


def rule_summary(field: Field, form: Form) -> str:
    """A sentence for the show-if rule of a field; "" for none."""
    if field.show_if is None:
        return ""
    other = form.field(field.show_if.field)
    params = {
        "field": (other.shown_label if other else field.show_if.field)[:60],
        "test": field.show_if.test.label,
        "value": value_label(other, field.show_if.value),
    }
    if field.show_if.test in {When.FILLED, When.EMPTY}:
        return _("Only if “%(field)s” %(test)s") % params
    return _("Only if “%(field)s” %(test)s “%(value)s”") % params


@dataclass(frozen=True)
class Change:
    """A difference between two forms. `sort` is added, removed, moved or changed; `what` has a sentence for each detail."""

    sort: str
    name: str
    label: str
    what: tuple[str, ...] = ()


def differences(old: Form, new: Form) -> list[Change]:
    """The differences that launchers see, in the order of the new form; removed fields come last.

    Fields are matched by name; the evidence of proposals (`why`) is ignored.
    """
    before = {field.name: field for field in old.fields}
    moved = _moved([name for name in old.names if name in new.names], [name for name in new.names if name in before])
    result: list[Change] = []
    for field in new.fields:
        if field.name not in before:
            result.append(Change("added", field.name, field.shown_label, (str(field.kind.label),)))
        elif what := tuple(_field_changes(before[field.name], field, new)):
            result.append(Change("changed", field.name, field.shown_label, what))
        elif field.name in moved:
            result.append(Change("moved", field.name, field.shown_label))
    result += [Change("removed", field.name, field.shown_label) for field in old.fields if field.name not in new.names]
    lines = []
    if old.note != new.note:
        lines.append(_("The note above the fields has changed."))
    if old.button != new.button:
        lines.append(_("The button says “%(text)s”.") % {"text": new.button or _("Launch")})
    if old.effects != new.effects:
        lines.append(_("The description of what this will do has changed."))
    if old.review != new.review:
        lines.append(
            _("Launches are reviewed first now.") if new.review else _("Launches are no longer reviewed first.")
        )
    if lines:
        result.append(Change("changed", "", _("The form as a whole"), tuple(lines)))
    return result


def _moved(before: Sequence[str], after: Sequence[str]) -> set[str]:
    """The smallest set of names whose move explains the new order: all but the longest sequence in the old order."""
    positions = {name: number for number, name in enumerate(before)}
    chains: list[list[str]] = []  # the longest sequence that ends at each name
    for name in after:
        earlier = (chain for chain in chains if positions[chain[-1]] < positions[name])
        longest: list[str] = max(earlier, key=len, default=[])
        chains.append([*longest, name])
    in_order: list[str] = max(chains, key=len, default=[])
    return set(after) - set(in_order)


class _Changed(Protocol):
    """Whether one of these attributes of a field was changed."""

    def __call__(self, *attributes: str) -> bool: ...


def _field_changes(before: Field, after: Field, new: Form) -> Iterator[str]:
    """A sentence for each difference in one field."""

    def changed(*attributes: str) -> bool:
        return not all(same(getattr(before, name), getattr(after, name)) for name in attributes)

    if changed("shown_label"):
        yield _("It was called “%(old)s”.") % {"old": before.shown_label[:80]}
    if changed("kind"):
        yield _("Its kind was “%(old)s”, now it is “%(new)s”.") % {"old": before.kind.label, "new": after.kind.label}
    if changed("path"):
        params = {"old": field_location(before), "new": field_location(after)}
        yield _("Its value goes to “%(new)s”, no longer to “%(old)s”.") % params
    for name, (on, off) in _SWITCHES.items():
        if changed(name):
            yield str(on if getattr(after, name) else off)
    if changed("group"):
        text = _("It is now in the group %(new)s.") if after.group else _("It is no longer in a group.")
        yield text % {"new": _quoted(after.group)}
    if changed("help", "example"):
        yield _("Its help or example has changed.")
    if changed("show_if"):
        yield _("%(rule)s.") % {"rule": rule_summary(after, new)} if after.show_if else _("It is shown always now.")
    if changed("default"):
        params = {"old": _value(before.default), "new": _value(after.default)}
        yield _("It starts with %(new)s, not with %(old)s.") % params
    yield from _value_changes(before, after, changed)


def _value_changes(before: Field, after: Field, changed: _Changed) -> Iterator[str]:
    if before.hidden and after.hidden and changed("hidden_value"):
        params = {"old": _value(before.hidden_value), "new": _value(after.hidden_value)}
        yield _("Its fixed value is %(new)s, not %(old)s.") % params
    if changed("choices", "choices_from", "other"):
        yield from _choice_changes(before, after)
    if changed("limits"):
        yield _("Its limits are: %(limits)s.") % {"limits": limits_summary(after.limits) or _("none")}
    if changed("columns"):
        names = ", ".join(column.label or column.key for column in after.columns)
        yield _("Its columns are: %(names)s.") % {"names": names[:200]}
    if changed("accept", "max_size"):
        yield _("It takes other kinds or sizes of files.")
    if changed("blank", "moment", "item"):
        yield _("Its value is sent in another format.")


def _choice_changes(old: Field, new: Field) -> Iterator[str]:
    before, after = (
        {(choice.label, key_of(choice.value)): choice.label for choice in field.choices} for field in (old, new)
    )
    added = [label for key, label in after.items() if key not in before]
    gone = [label for key, label in before.items() if key not in after]
    if added:
        yield _("New choices: %(names)s.") % {"names": _names(added)}
    if gone:
        yield _("No longer a choice: %(names)s.") % {"names": _names(gone)}
    if not added and not gone:
        yield _("Its choices come from elsewhere, or in another order.")


def _quoted(text: str) -> str:
    return _("“%(text)s”") % {"text": text[:80]} if text else _("nothing")


def _value(value: object) -> str:
    return _("nothing") if value is NOTHING else _quoted(key_of(value))


def _names(names: Iterable[str]) -> str:
    listed = [name[:60] for name in names]
    return ", ".join(listed[:8]) + (" …" if len(listed) > 8 else "")


def limits_summary(field_limits: Limits) -> str:
    """The limits of a field in one line; "" for none."""
    parts = [
        (field_limits.low, _("at least %(n)s")),
        (field_limits.high, _("at most %(n)s")),
        (field_limits.min_length, _("at least %(n)s characters")),
        (field_limits.max_length, _("at most %(n)s characters")),
        (field_limits.least, _("at least %(n)s entries")),
        (field_limits.most, _("at most %(n)s entries")),
        (field_limits.pattern_words or field_limits.pattern or None, "%(n)s"),
    ]
    return "; ".join(str(text) % {"n": value} for value, text in parts if value is not None)


def badges(field: Field) -> list[str]:
    """Short labels of a field's special properties, for its row in the builder's list."""
    count = len(field.choices)
    labels = (
        (field.hidden, _("hidden, always the same")),
        (field.folded, _("under “More”")),
        (field.show_if, _("only sometimes")),
        (field.choices_from, _("live choices")),
        (count and not field.choices_from, ngettext("%(n)d choice", "%(n)d choices", count) % {"n": count}),
        (field.default is not NOTHING, _("has a default")),
        (field.searchable, _("searchable")),
    )
    return [label for applies, label in labels if applies]
