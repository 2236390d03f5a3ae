"""Texts about launch forms: kinds, evidence of proposals, differences between two forms, and differences from the flow."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, npgettext, pgettext_lazy

from workflows_ui.launch_forms.messages import fields as field_messages
from workflows_ui.launch_forms.proposal import changes
from workflows_ui.launch_forms.proposal.changes import Fit
from workflows_ui.launch_forms.schema.document import (
    NOTHING,
    Blank,
    Field,
    Form,
    Kind,
    Limits,
    Moment,
    When,
    Why,
    key_of,
)
from workflows_ui.web.messages import Text

KINDS: dict[Kind, str | Promise] = {
    Kind.TEXT: pgettext_lazy("kind of field", "Short text"),
    Kind.LONG_TEXT: pgettext_lazy("kind of field", "Long text"),
    Kind.NUMBER: pgettext_lazy("kind of field", "Number"),
    Kind.INTEGER: pgettext_lazy("kind of field", "Whole number"),
    Kind.YES_NO: pgettext_lazy("kind of field", "Yes or no"),
    Kind.DATE: pgettext_lazy("kind of field", "Date"),
    Kind.TIME: pgettext_lazy("kind of field", "Time"),
    Kind.DATETIME: pgettext_lazy("kind of field", "Date and time"),
    Kind.CHOICE: pgettext_lazy("kind of field", "One choice"),
    Kind.CHOICES: pgettext_lazy("kind of field", "Several choices"),
    Kind.EMAIL: pgettext_lazy("kind of field", "E-mail address"),
    Kind.PHONE: pgettext_lazy("kind of field", "Phone number"),
    Kind.URL: pgettext_lazy("kind of field", "Web address"),
    Kind.FILE: pgettext_lazy("kind of field", "File"),
    Kind.SECRET: pgettext_lazy("kind of field", "Secret (password, key)"),
    Kind.LIST: pgettext_lazy("kind of field", "List"),
    Kind.TABLE: pgettext_lazy("kind of field", "Table of rows"),
    Kind.JSON: pgettext_lazy("kind of field", "Anything (JSON)"),
}
#: An icon for each kind, of Font Awesome's solid set.
ICONS: dict[Kind, str] = {
    Kind.TEXT: "font",
    Kind.LONG_TEXT: "align-left",
    Kind.NUMBER: "hashtag",
    Kind.INTEGER: "hashtag",
    Kind.YES_NO: "toggle-on",
    Kind.DATE: "calendar-day",
    Kind.TIME: "clock",
    Kind.DATETIME: "calendar-days",
    Kind.CHOICE: "circle-dot",
    Kind.CHOICES: "list-check",
    Kind.EMAIL: "envelope",
    Kind.PHONE: "phone",
    Kind.URL: "link",
    Kind.FILE: "paperclip",
    Kind.SECRET: "key",
    Kind.LIST: "list",
    Kind.TABLE: "table",
    Kind.JSON: "code",
}
TESTS: dict[When, str | Promise] = {
    When.IS: pgettext_lazy("rule", "is"),
    When.IS_NOT: pgettext_lazy("rule", "is not"),
    When.FILLED: pgettext_lazy("rule", "is filled in"),
    When.EMPTY: pgettext_lazy("rule", "is empty"),
}
BLANKS: dict[Blank, str | Promise] = {
    Blank.ABSENT: gettext_lazy("Nothing: its name is left out"),
    Blank.NULL: gettext_lazy("“No value” (null)"),
    Blank.TEXT: gettext_lazy("An empty text"),
    Blank.LIST: gettext_lazy("An empty list"),
}
MOMENTS: dict[Moment, str | Promise] = {
    Moment.LOCAL_MINUTES: gettext_lazy("As typed, to the minute: 2026-03-01T09:30"),
    Moment.LOCAL: gettext_lazy("As typed, with seconds: 2026-03-01T09:30:00"),
    Moment.UTC: gettext_lazy("As world time: 2026-03-01T02:30:00Z"),
    Moment.UTC_MILLIS: gettext_lazy("As world time with milliseconds: 2026-03-01T02:30:00.000Z"),
}


#: Most sentences of one kind about differences from the flow.
_MOST_LINES = 10


def why(evidence: Why) -> str:
    """Why a field was proposed, in one sentence; "" for a field added by hand."""
    parts: list[str] = []
    if evidence.of:
        seen = ngettext("in %(seen)d of %(of)d past launch", "in %(seen)d of %(of)d past launches", evidence.of)
        parts.append(seen % {"seen": evidence.seen, "of": evidence.of})
    if evidence.values and evidence.seen:
        text = (
            _("100 or more different values seen")
            if evidence.values >= 100
            else ngettext("%(n)d value seen", "%(n)d different values seen", evidence.values)
        )
        parts.append(text % {"n": evidence.values} if evidence.values < 100 else text)
    if evidence.read_by:
        names = ", ".join(name[:60] for name in evidence.read_by[:3])
        more = len(evidence.read_by) - 3
        if more > 0:
            names = npgettext("steps", "%(names)s and %(n)d more", "%(names)s and %(n)d more", more) % {
                "names": names,
                "n": more,
            }
        parts.append(_("read by %(names)s") % {"names": names})
    if evidence.trigger:
        parts.append(_("asked for by the flow's own form"))
    if evidence.sample:
        parts.append(_("in the sample of the trigger"))
    text = "; ".join(parts)
    return text[:1].upper() + text[1:]


def fit(result: Fit, form: Form) -> list[str]:
    """Sentences about what the flow reads and the form does not send, and the reverse."""
    lines = []
    for gap in result.missing[:_MOST_LINES]:
        params = {"place": " › ".join(gap.path)[:120], "steps": ", ".join(step[:60] for step in gap.read_by[:3])}
        lines.append(
            _("The form lacks “%(place)s”, which is read by: %(steps)s.") % params
            if gap.read_by
            else _("The form lacks “%(place)s”, which the flow asks for.") % params
        )
    for name, key in result.columns[:_MOST_LINES]:
        field = form.field(name)
        lines.append(
            _("The table “%(label)s” lacks the column “%(column)s”, which the flow reads.")
            % {"label": (field.shown_label if field else name)[:80], "column": key[:80]}
        )
    lines += [
        _("“%(label)s” is not read by any step any more.") % {"label": field.shown_label[:80]}
        for field in result.unread[:_MOST_LINES]
    ]
    return lines


def field_location(field: Field) -> str:
    """The path of a field's value in the payload: `customer › phone`."""
    return " › ".join(field.path) or _("everything that is sent")


def rule(field: Field, form: Form) -> str:
    """A sentence for the show-if rule of a field; "" for none."""
    if field.show_if is None:
        return ""
    other = form.field(field.show_if.field)
    params = {
        "field": (other.shown_label if other else field.show_if.field)[:60],
        "test": TESTS[field.show_if.test],
        "value": field_messages.value_label(other, field.show_if.value),
    }
    if field.show_if.test in {When.FILLED, When.EMPTY}:
        return _("Only where “%(field)s” %(test)s") % params
    return _("Only where “%(field)s” %(test)s “%(value)s”") % params


@dataclass(frozen=True)
class Change:
    """A difference between two forms. `sort` is added, removed, moved or changed; `what` has a sentence for each detail."""

    sort: str
    name: str
    label: str
    what: tuple[str, ...] = ()


def differences(old: Form, new: Form) -> list[Change]:
    """The differences that launchers see, in the order of the new form; removed fields come last."""
    difference = changes.difference(old, new)
    added, changed = (
        {field.name for field in difference.added},
        {pair.after.name: pair.before for pair in difference.changed},
    )
    moved = (
        _moved([field.name for field in old.fields], [field.name for field in new.fields])
        if difference.moved
        else set()
    )
    result: list[Change] = []
    for field in new.fields:
        if field.name in added:
            result.append(Change("added", field.name, field.shown_label, (str(KINDS[field.kind]),)))
        elif field.name in changed:
            what = tuple(_field_changes(changed[field.name], field, new))
            result.append(Change("changed", field.name, field.shown_label, what))
        elif field.name in moved:
            result.append(Change("moved", field.name, field.shown_label))
    result += [Change("removed", field.name, field.shown_label) for field in difference.removed]
    lines = []
    if "note" in difference.form:
        lines.append(_("The note above the fields is another one."))
    if "button" in difference.form:
        lines.append(_("The button says “%(text)s”.") % {"text": new.button or _("Launch")})
    if lines:
        result.append(Change("changed", "", _("The form as a whole"), tuple(lines)))
    return result


def _moved(before: list[str], after: list[str]) -> set[str]:
    """The smallest set of common names whose move explains the new order (complement of the longest increasing subsequence)."""
    before, after = [name for name in before if name in after], [name for name in after if name in before]
    where = {name: number for number, name in enumerate(before)}
    best: list[tuple[int, int]] = []  # (length, previous) of the longest increasing subsequence that ends at each name
    for number, name in enumerate(after):
        length, previous = 1, -1
        for earlier in range(number):
            if where[after[earlier]] < where[name] and best[earlier][0] + 1 > length:
                length, previous = best[earlier][0] + 1, earlier
        best.append((length, previous))
    kept: set[str] = set()
    current = max(range(len(best)), key=lambda number: best[number][0], default=-1)
    while current >= 0:
        kept.add(after[current])
        current = best[current][1]
    return set(after) - kept


def _quoted(text: str) -> str:
    return _("“%(text)s”") % {"text": text[:80]} if text else _("nothing")


def _value(value: object) -> str:
    return _("nothing") if value is NOTHING else _quoted(key_of(value))


def _field_changes(before: Field, after: Field, new: Form) -> Iterator[str]:
    """A sentence for each difference in one field."""
    if before.shown_label != after.shown_label:
        yield _("It was called “%(old)s”.") % {"old": before.shown_label[:80]}
    if before.kind != after.kind:
        yield _("Its kind was “%(old)s”, now it is “%(new)s”.") % {"old": KINDS[before.kind], "new": KINDS[after.kind]}
    if before.required != after.required:
        yield _("It has to be filled in now.") if after.required else _("It may be left empty now.")
    if before.path != after.path:
        yield _("Its value goes to “%(new)s”, no longer to “%(old)s”.") % {
            "old": field_location(before),
            "new": field_location(after),
        }
    yield from _shown_changes(before, after, new)
    yield from _value_changes(before, after)


def _shown_changes(before: Field, after: Field, new: Form) -> Iterator[str]:
    if before.hidden != after.hidden:
        yield _("It is hidden now, with a fixed value.") if after.hidden else _("It is shown now.")
    if before.folded != after.folded:
        yield _("It is folded under “More” now.") if after.folded else _("It is no longer under “More”.")
    if before.group != after.group:
        yield (
            _("It is now in the group %(new)s.") % {"new": _quoted(after.group)}
            if after.group
            else _("It is no longer in a group.")
        )
    if before.help != after.help or before.example != after.example:
        yield _("Its help or example is another one.")
    if before.show_if != after.show_if:
        yield _("It is shown always now.") if after.show_if is None else _("%(rule)s.") % {"rule": rule(after, new)}


def _value_changes(before: Field, after: Field) -> Iterator[str]:
    if before.default != after.default:
        yield _("It starts with %(new)s, not with %(old)s.") % {
            "new": _value(after.default),
            "old": _value(before.default),
        }
    if before.hidden_value != after.hidden_value and after.hidden and before.hidden:
        yield _("Its fixed value is %(new)s, not %(old)s.") % {
            "new": _value(after.hidden_value),
            "old": _value(before.hidden_value),
        }
    if (before.choices, before.choices_from, before.other) != (after.choices, after.choices_from, after.other):
        yield from _choice_changes(before, after)
    if before.limits != after.limits:
        yield _("Its limits are: %(limits)s.") % {"limits": limits(after.limits) or _("none")}
    if before.columns != after.columns:
        yield _("Its columns are: %(names)s.") % {
            "names": ", ".join(one.label or one.key for one in after.columns)[:200]
        }
    if (before.accept, before.max_size) != (after.accept, after.max_size):
        yield _("It takes other kinds or sizes of files.")
    if before.searchable != after.searchable:
        yield (
            _("Launches are found by what is typed here now.")
            if after.searchable
            else _("Launches are no longer found by what is typed here.")
        )
    if (before.blank, before.moment, before.item) != (after.blank, after.moment, after.item):
        yield _("What is sent for it is written in another way.")


def _choice_changes(old: Field, new: Field) -> Iterator[str]:
    before = {(choice.label, key_of(choice.value)) for choice in old.choices}
    after = {(choice.label, key_of(choice.value)) for choice in new.choices}
    added = [choice.label for choice in new.choices if (choice.label, key_of(choice.value)) not in before]
    gone = [choice.label for choice in old.choices if (choice.label, key_of(choice.value)) not in after]
    if added:
        yield _("New choices: %(names)s.") % {"names": _names(added)}
    if gone:
        yield _("No longer a choice: %(names)s.") % {"names": _names(gone)}
    if not added and not gone:
        yield _("Its choices come from elsewhere, or in another order.")


def _names(names: Iterable[str]) -> str:
    listed = [name[:60] for name in names]
    return ", ".join(listed[:8]) + (" …" if len(listed) > 8 else "")


def limits(field_limits: Limits) -> str:
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


def badges(field: Field) -> list[Text]:
    """Short labels of a field's special properties, for its row in the builder's list."""
    labels: list[Text] = []
    if field.hidden:
        labels.append(_("hidden, always the same"))
    if field.folded:
        labels.append(_("under “More”"))
    if field.show_if is not None:
        labels.append(_("only sometimes"))
    if field.choices_from is not None:
        labels.append(_("live choices"))
    elif field.choices:
        labels.append(ngettext("%(n)d choice", "%(n)d choices", len(field.choices)) % {"n": len(field.choices)})
    if field.default is not NOTHING:
        labels.append(_("starts filled in"))
    if field.searchable:
        labels.append(_("searchable"))
    return labels


def imported(fields: int) -> str:
    """The confirmation that a file became the draft."""
    text = ngettext(
        "The file is the draft now, with %(n)d field. Look at it, then publish it.",
        "The file is the draft now, with %(n)d fields. Look at it, then publish it.",
        fields,
    )
    return text % {"n": fields}
