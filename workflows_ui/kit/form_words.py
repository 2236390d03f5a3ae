"""Launch forms in words: kinds, why a field is proposed, what differs between two forms, and what a form no longer fits."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, npgettext, pgettext_lazy

from workflows_ui.forming import changes
from workflows_ui.forming.changes import Fit
from workflows_ui.forming.document import NOTHING, Blank, Field, Form, Kind, Limits, Moment, When, Why, key_of
from workflows_ui.kit import launch_field_words
from workflows_ui.kit.words import Text

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


#: Sentences of one kind about what no longer fits.
_MOST_LINES = 10


def why(found: Why) -> str:
    """Why a field was proposed, in one sentence; "" for one that was added by hand."""
    parts: list[str] = []
    if found.of:
        seen = ngettext("in %(seen)d of %(of)d past launch", "in %(seen)d of %(of)d past launches", found.of)
        parts.append(seen % {"seen": found.seen, "of": found.of})
    if found.values and found.seen:
        text = (
            _("100 or more different values seen")
            if found.values >= 100
            else ngettext("%(n)d value seen", "%(n)d different values seen", found.values)
        )
        parts.append(text % {"n": found.values} if found.values < 100 else text)
    if found.read_by:
        names = ", ".join(name[:60] for name in found.read_by[:3])
        more = len(found.read_by) - 3
        if more > 0:
            names = npgettext("steps", "%(names)s and %(n)d more", "%(names)s and %(n)d more", more) % {
                "names": names,
                "n": more,
            }
        parts.append(_("read by %(names)s") % {"names": names})
    if found.trigger:
        parts.append(_("asked for by the flow's own form"))
    if found.sample:
        parts.append(_("in the sample of the trigger"))
    text = "; ".join(parts)
    return text[:1].upper() + text[1:]


def fit(found: Fit, form: Form) -> list[str]:
    """What a flow reads and its form does not send, and the other way round, a sentence each."""
    said = []
    for one in found.missing[:_MOST_LINES]:
        words = {"place": " › ".join(one.path)[:120], "steps": ", ".join(step[:60] for step in one.read_by[:3])}
        said.append(
            _("The form lacks “%(place)s”, which is read by: %(steps)s.") % words
            if one.read_by
            else _("The form lacks “%(place)s”, which the flow asks for.") % words
        )
    for name, key in found.columns[:_MOST_LINES]:
        field = form.field(name)
        said.append(
            _("The table “%(label)s” lacks the column “%(column)s”, which the flow reads.")
            % {"label": (field.shown_label if field else name)[:80], "column": key[:80]}
        )
    said += [
        _("“%(label)s” is not read by any step any more.") % {"label": field.shown_label[:80]}
        for field in found.unread[:_MOST_LINES]
    ]
    return said


def place(field: Field) -> str:
    """Where a field's value goes in what is sent: `customer › phone`."""
    return " › ".join(field.path) or _("everything that is sent")


def rule(field: Field, form: Form) -> str:
    """The show-if rule of a field in words; "" for none."""
    if field.show_if is None:
        return ""
    other = form.field(field.show_if.field)
    words = {
        "field": (other.shown_label if other else field.show_if.field)[:60],
        "test": TESTS[field.show_if.test],
        "value": launch_field_words.value_words(other, field.show_if.value),
    }
    if field.show_if.test in {When.FILLED, When.EMPTY}:
        return _("Only where “%(field)s” %(test)s") % words
    return _("Only where “%(field)s” %(test)s “%(value)s”") % words


@dataclass(frozen=True)
class Change:
    """A difference between two forms. `sort` is added, removed, moved or changed; `what` says each thing in a sentence."""

    sort: str
    name: str
    label: str
    what: tuple[str, ...] = ()


def differences(old: Form, new: Form) -> list[Change]:
    """What differs, as launchers would see it, in the order of the new form; what was removed comes last."""
    told = changes.difference(old, new)
    added, changed = {field.name for field in told.added}, {one.after.name: one.before for one in told.changed}
    moved = _moved([field.name for field in old.fields], [field.name for field in new.fields]) if told.moved else set()
    found: list[Change] = []
    for field in new.fields:
        if field.name in added:
            found.append(Change("added", field.name, field.shown_label, (str(KINDS[field.kind]),)))
        elif field.name in changed:
            what = tuple(_field_changes(changed[field.name], field, new))
            found.append(Change("changed", field.name, field.shown_label, what))
        elif field.name in moved:
            found.append(Change("moved", field.name, field.shown_label))
    found += [Change("removed", field.name, field.shown_label) for field in told.removed]
    words = []
    if "note" in told.form:
        words.append(_("The note above the fields is another one."))
    if "button" in told.form:
        words.append(_("The button says “%(text)s”.") % {"text": new.button or _("Launch")})
    if words:
        found.append(Change("changed", "", _("The form as a whole"), tuple(words)))
    return found


def _moved(before: list[str], after: list[str]) -> set[str]:
    """The names that changed their place among those that both have: the fewest whose moving explains it (longest common run)."""
    before, after = [name for name in before if name in after], [name for name in after if name in before]
    where = {name: number for number, name in enumerate(before)}
    best: list[tuple[int, int]] = []  # (length, previous) of the longest rising run that ends at each place
    for number, name in enumerate(after):
        length, previous = 1, -1
        for earlier in range(number):
            if where[after[earlier]] < where[name] and best[earlier][0] + 1 > length:
                length, previous = best[earlier][0] + 1, earlier
        best.append((length, previous))
    kept: set[str] = set()
    at = max(range(len(best)), key=lambda number: best[number][0], default=-1)
    while at >= 0:
        kept.add(after[at])
        at = best[at][1]
    return set(after) - kept


def _quoted(text: str) -> str:
    return _("“%(text)s”") % {"text": text[:80]} if text else _("nothing")


def _value(value: object) -> str:
    return _("nothing") if value is NOTHING else _quoted(key_of(value))


def _field_changes(was: Field, now: Field, new: Form) -> Iterator[str]:
    """What differs in one field, a sentence each."""
    if was.shown_label != now.shown_label:
        yield _("It was called “%(old)s”.") % {"old": was.shown_label[:80]}
    if was.kind != now.kind:
        yield _("Its kind was “%(old)s”, now it is “%(new)s”.") % {"old": KINDS[was.kind], "new": KINDS[now.kind]}
    if was.required != now.required:
        yield _("It has to be filled in now.") if now.required else _("It may be left empty now.")
    if was.path != now.path:
        yield _("Its value goes to “%(new)s”, no longer to “%(old)s”.") % {"old": place(was), "new": place(now)}
    yield from _shown_changes(was, now, new)
    yield from _value_changes(was, now)


def _shown_changes(was: Field, now: Field, new: Form) -> Iterator[str]:
    if was.hidden != now.hidden:
        yield _("It is hidden now, with a fixed value.") if now.hidden else _("It is shown now.")
    if was.folded != now.folded:
        yield _("It is folded under “More” now.") if now.folded else _("It is no longer folded under “More”.")
    if was.group != now.group:
        yield (
            _("It stands in the group %(new)s now.") % {"new": _quoted(now.group)}
            if now.group
            else _("It stands in no group now.")
        )
    if was.help != now.help or was.example != now.example:
        yield _("Its help or example is another one.")
    if was.show_if != now.show_if:
        yield _("It is shown always now.") if now.show_if is None else _("%(rule)s.") % {"rule": rule(now, new)}


def _value_changes(was: Field, now: Field) -> Iterator[str]:
    if was.default != now.default:
        yield _("It starts with %(new)s, not with %(old)s.") % {"new": _value(now.default), "old": _value(was.default)}
    if was.hidden_value != now.hidden_value and now.hidden and was.hidden:
        yield _("Its fixed value is %(new)s, not %(old)s.") % {
            "new": _value(now.hidden_value),
            "old": _value(was.hidden_value),
        }
    if (was.choices, was.choices_from, was.other) != (now.choices, now.choices_from, now.other):
        yield from _choice_changes(was, now)
    if was.limits != now.limits:
        yield _("Its limits are: %(limits)s.") % {"limits": limits(now.limits) or _("none")}
    if was.columns != now.columns:
        yield _("Its columns are: %(names)s.") % {"names": ", ".join(one.label or one.key for one in now.columns)[:200]}
    if (was.accept, was.max_size) != (now.accept, now.max_size):
        yield _("It takes other kinds or sizes of files.")
    if was.searchable != now.searchable:
        yield (
            _("Launches are found by what is typed here now.")
            if now.searchable
            else _("Launches are no longer found by what is typed here.")
        )
    if (was.blank, was.moment, was.item) != (now.blank, now.moment, now.item):
        yield _("What is sent for it is written in another way.")


def _choice_changes(was: Field, now: Field) -> Iterator[str]:
    before = {(choice.label, key_of(choice.value)) for choice in was.choices}
    after = {(choice.label, key_of(choice.value)) for choice in now.choices}
    added = [choice.label for choice in now.choices if (choice.label, key_of(choice.value)) not in before]
    gone = [choice.label for choice in was.choices if (choice.label, key_of(choice.value)) not in after]
    if added:
        yield _("New choices: %(names)s.") % {"names": _names(added)}
    if gone:
        yield _("No longer a choice: %(names)s.") % {"names": _names(gone)}
    if not added and not gone:
        yield _("Its choices come from elsewhere, or in another order.")


def _names(names: Iterable[str]) -> str:
    listed = [name[:60] for name in names]
    return ", ".join(listed[:8]) + (" …" if len(listed) > 8 else "")


def limits(found: Limits) -> str:
    """The limits of a field, after one another; "" for none."""
    parts = [
        (found.low, _("at least %(n)s")),
        (found.high, _("at most %(n)s")),
        (found.min_length, _("at least %(n)s characters")),
        (found.max_length, _("at most %(n)s characters")),
        (found.least, _("at least %(n)s entries")),
        (found.most, _("at most %(n)s entries")),
        (found.pattern_words or found.pattern or None, "%(n)s"),
    ]
    return "; ".join(str(words) % {"n": value} for value, words in parts if value is not None)


def badges(field: Field) -> list[Text]:
    """What is special about a field, a word or two each, for its row in the builder's list."""
    found: list[Text] = []
    if field.hidden:
        found.append(_("hidden, always the same"))
    if field.folded:
        found.append(_("under “More”"))
    if field.show_if is not None:
        found.append(_("only sometimes"))
    if field.choices_from is not None:
        found.append(_("live choices"))
    elif field.choices:
        found.append(ngettext("%(n)d choice", "%(n)d choices", len(field.choices)) % {"n": len(field.choices)})
    if field.default is not NOTHING:
        found.append(_("starts filled in"))
    if field.searchable:
        found.append(_("searchable"))
    return found


def imported(fields: int) -> str:
    """That a file became the draft."""
    text = ngettext(
        "The file is the draft now, with %(n)d field. Look at it, then publish it.",
        "The file is the draft now, with %(n)d fields. Look at it, then publish it.",
        fields,
    )
    return text % {"n": fields}
