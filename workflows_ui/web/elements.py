"""Small elements of which a page has many, and those that a text or a field contains, written in Python: a template for each took 45 % of
the time of a list (docs/performance.md).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from operator import attrgetter
from typing import Any
from urllib.parse import quote

from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext as _

from workflows_ui.core import formats
from workflows_ui.core.states import Badge
from workflows_ui.core.text import Text
from workflows_ui.web.icons import icon
from workflows_ui.web.markup import NOTHING, escaped, joined, markup

#: What Django's widgets give to their templates.
Widget = Mapping[str, Any]
_OPTION = '<option value="{}"{}>{}</option>'


@dataclass(frozen=True)
class Button:
    """An action (`is_action`) or a link for a page: a link, or a form that runs the action on one click.

    A button with a `reason` is disabled, and shows the reason.
    """

    label: Text
    icon: str
    url: str
    is_action: bool = False
    posts: bool = False
    danger: bool = False
    primary: bool = False
    reason: Text = ""


def arranged(buttons: Sequence[Button]) -> tuple[Button | None, Sequence[Button]]:
    """The button that stands out, and the others in their order, dangerous ones last.

    The first one is None unless an enabled button is declared primary: another action never stands out in its place.
    """
    first = next((item for item in buttons if item.primary and not item.reason), None)
    return first, sorted((item for item in buttons if item is not first), key=attrgetter("danger"))


def badge(state: Badge) -> SafeString:
    """A state's badge: icon and word; the engine's own word as its title."""
    return _badge(state, get_language())


def state(badge: Badge) -> SafeString:
    """The same without a ground, for a column in which most rows have the same state."""
    return _badge(badge, get_language(), "state")


@lru_cache(maxsize=2048)
def _badge(state: Badge, _language: str | None, style: str = "status") -> SafeString:
    title = markup(' title="{}"', _("In the engine: %(state)s") % {"state": state.own}) if state.own else NOTHING
    mark = icon(state.icon, "icon-spin" if state.moving else "")
    return markup('<span class="{} status-{}"{}>{} {}</span>', style, state.colour, title, mark, state.word)


def named_icon(name: str, label: Text, classes: str) -> SafeString:
    """An icon and what it stands for, which narrow windows show as its title only."""
    return markup('<span class="{}" title="{}">{} <span>{}</span></span>', classes, label, icon(name), label)


def when(value: object) -> SafeString:
    """A moment (datetime or the engine's ISO text) relative to now, with the exact one in the current zone as its title."""
    moment = formats.moment(value)
    if moment is None:
        return markup('<span class="text-secondary" title="{}">–</span>', _("not known"))
    return markup(
        '<time datetime="{}" title="{}">{}</time>',
        moment.isoformat(timespec="seconds"),
        formats.exact(moment),
        formats.relative(moment),
    )


def exact(value: object) -> SafeString:
    """A moment in the current zone, whose name is in its title only: all moments of a page are in it."""
    moment = formats.moment(value)
    if moment is None:
        return SafeString("–")
    short, full = formats.exact(moment, zone=False), formats.exact(moment)
    return markup('<time datetime="{}" title="{}">{}</time>', moment.isoformat(), full, short)


def csrf_field(token: object) -> SafeString:
    """The hidden field of a form that posts; nothing where the page has no token."""
    if not token or str(token) == "NOTPROVIDED":
        return NOTHING
    return hidden("csrfmiddlewaretoken", token)


def hidden(name: str, value: object) -> SafeString:
    """A hidden field."""
    return markup('<input type="hidden" name="{}" value="{}">', name, value)


def button(item: Button, classes: str, *, back: str = "", csrf: SafeString = NOTHING) -> SafeString:
    """A link, a form of one button, or a note why it is not possible. After an action a person returns to `back`."""
    if item.reason:
        return markup(
            '<span class="{} disabled lacking" role="note">{}<span>{}<span class="small d-block">{}</span></span></span>',
            classes,
            icon(item.icon, "me-2"),
            item.label,
            item.reason,
        )
    before, after = _around_url(item, classes, back, csrf)
    return markup("{}{}{}", before, item.url, after)


def _around_url(item: Button, classes: str, back: str, csrf: SafeString) -> tuple[SafeString, SafeString]:
    """What is before and after the URL of a button: the same in all rows of a list."""
    mark = icon(item.icon, "me-2")
    classes = f"{classes} text-danger-strong" if item.danger else classes
    if not item.posts:
        query = f"?next={quote(back, safe='')}" if back and item.is_action else ""
        return markup('<a class="{}" href="', classes), markup('{}">{}{}</a>', query, mark, item.label)
    following = hidden("next", back) if back else NOTHING
    return SafeString('<form method="post" action="'), markup(
        '">{}{}<button class="{}" type="submit">{}{}</button></form>', csrf, following, classes, mark, item.label
    )


class RowMenus:
    """The folds of buttons in the rows of a list. After an action a person returns to `back`."""

    def __init__(self, back: str, csrf: SafeString) -> None:
        self._back, self._csrf = back, csrf
        self._around: dict[tuple[int, str, bool, bool, bool], tuple[SafeString, SafeString]] = {}

    def html(self, items: Sequence[Button], name: Text, row: str) -> SafeString:
        """The fold, which is called `name`, of the row with this id. Labels must outlive the list, as those of declarations do."""
        return _fold(
            joined("", "{}", ((self._button(item),) for item in items)),
            name,
            markup('<details class="dropdown menu row-menu" id="menu-{}">', row),
            " btn-sm",
            icon("ellipsis"),
        )

    def _button(self, item: Button) -> SafeString:
        key = (id(item.label), item.icon, item.is_action, item.posts, item.danger)
        around = self._around.get(key)
        if around is None:
            around = self._around[key] = _around_url(item, "dropdown-item", self._back, self._csrf)
        return markup("{}{}{}", around[0], item.url, around[1])


def menu(
    items: Sequence[Button],
    name: Text,
    *,
    csrf: SafeString = NOTHING,
    compact: bool = False,
) -> SafeString:
    """Buttons in a fold. `name` is what the fold is called; `compact` shows three dots only."""
    entries = joined("", "{}", ((button(item, "dropdown-item", csrf=csrf),) for item in items))
    shown = icon("ellipsis") if compact else markup("{}{}", _("More"), icon("chevron-down", "ms-2 small"))
    return _fold(entries, name, SafeString('<details class="dropdown menu">'), " btn-icon" if compact else "", shown)


def _fold(entries: SafeString, name: Text, opening: SafeString, classes: str, shown: SafeString) -> SafeString:
    return markup(
        '{}<summary class="btn{}" aria-label="{}">{}</summary><div class="dropdown-menu dropdown-menu-end">{}</div></details>',
        opening,
        classes,
        name,
        shown,
        entries,
    )


def ticking(passed: int, since: datetime) -> SafeString:
    """Milliseconds as `1:23`, with the moment since when as title. They go on by app.js."""
    return markup(
        '<span class="clock" data-elapsed="{}" title="{}"><span data-clock>{}</span></span>',
        passed,
        formats.exact(since),
        formats.clock(passed),
    )


def crumb(label: Text, url: str) -> SafeString:
    """A breadcrumb."""
    return markup('<li class="breadcrumb-item"><a class="clip" href="{}">{}</a></li>', url, label)


def menu_lines(lines: Iterable[Mapping[str, object]]) -> SafeString:
    """Entries of the menu of all pages (navigation.Frame)."""
    entries = ((one["url"], one["active"], one["icon"], one["label"]) for one in lines)
    current = SafeString(' aria-current="page"')
    return joined(
        "\n",
        '<li><a href="{}"{}>{}<span>{}</span></a></li>',
        ((url, current if active else NOTHING, icon(name), label) for url, active, name, label in entries),
    )


def linked(text: Text, url: str, label: Text, *, classes: str = "", new_tab: bool = False) -> SafeString:
    """A text that a link follows."""
    styled = markup(' class="{}"', classes) if classes else NOTHING
    target = SafeString(' target="_blank" rel="noopener"') if new_tab else NOTHING
    return markup('{} <a{} href="{}"{}>{}</a>', text, styled, url, target, label)


def sentences(parts: Iterable[object]) -> SafeString:
    """Texts, one after the other."""
    return joined(" ", "{}", ((part,) for part in parts))


def app_mark(name: str, initials: str, colour: str, logo: str) -> SafeString:
    """The small mark of an app: its initials, above them its logo if there is one."""
    image = markup('<img class="app-logo" src="{}" alt="" width="20" height="20" loading="lazy">', logo) if logo else ""
    return markup(
        '<span class="avatar avatar-xs bg-{}-lt" title="{}"><span aria-hidden="true">{}</span>{}'
        '<span class="visually-hidden">{} </span></span>',
        colour,
        name,
        initials,
        image,
        name,
    )


def app_marks(marks: Iterable[SafeString], others: int) -> SafeString:
    """Marks of apps, and the number of the others that are not shown."""
    more = markup('<span class="small text-secondary">+{}</span>', others) if others > 0 else ""
    return markup('<span class="marks">{}{}</span>', joined("", "{}", ((mark,) for mark in marks)), more)


def results(newest: Badge, url: str, title: str, earlier: Sequence[tuple[Badge, str]]) -> SafeString:
    """The badge of the newest result, linked if there is a URL, and the icons of earlier ones with their texts."""
    shown = markup('<a href="{}" title="{}">{}</a>', url, title, badge(newest)) if url else badge(newest)
    before = ((state.colour, text, icon(state.icon), text) for state, text in earlier)
    mark = '<span class="status-{} result" title="{}">{}<span class="visually-hidden">{}</span></span>'
    marks = markup('<span class="results-before">{}</span>', joined("", mark, before)) if earlier else NOTHING
    return markup('<span class="results">{} {}</span>', shown, marks)


def boxes(name: str, id: str, choices: Iterable[tuple[object, Text]], chosen: Iterable[object]) -> SafeString:
    """A box for each choice of a field with several values."""
    ticked, checked = set(map(str, chosen)), SafeString(" checked")
    opening = markup('<label class="form-check mb-1"><input class="form-check-input" type="checkbox" name="{}"', name)
    return joined(
        "",
        '{} value="{}" id="{}_{}"{}><span class="form-check-label long">{}</span></label>',
        (
            (opening, value, id, number, checked if str(value) in ticked else NOTHING, label)
            for number, (value, label) in enumerate(choices)
        ),
    )


def input_widget(widget: Widget) -> SafeString:
    """Django's widget with one input."""
    value = NOTHING if widget["value"] is None else markup(' value="{}"', widget["value"])
    given = _attributes(widget["attrs"])
    return markup('<input type="{}" name="{}"{}{}>', widget["type"], widget["name"], value, given)


def option_widget(widget: Widget) -> SafeString:
    """One box of several, with its label unless the page writes that itself."""
    if not widget.get("wrap_label"):
        return input_widget(widget)
    target = widget["attrs"].get("id")
    belongs = markup(' for="{}"', target) if target else NOTHING
    return markup("<label{}>{} {}</label>", belongs, input_widget(widget), widget["label"])


def textarea_widget(widget: Widget) -> SafeString:
    """Django's widget for long texts. The first line break belongs to the markup."""
    value = widget["value"] or ""
    return markup('<textarea name="{}"{}>\n{}</textarea>', widget["name"], _attributes(widget["attrs"]), value)


def select_widget(widget: Widget) -> SafeString:
    """Django's widget for a choice, whose options may be in groups."""
    groups = []
    for group, options, _index in widget["optgroups"]:
        rows = ((option["value"], _attributes(option["attrs"]), option["label"]) for option in options)
        listed = joined("", f"\n{_OPTION}", rows)
        groups.append((markup('\n<optgroup label="{}">{}\n</optgroup>', group, listed) if group else listed,))
    return markup(
        '<select name="{}"{}>{}\n</select>', widget["name"], _attributes(widget["attrs"]), joined("", "{}", groups)
    )


def long_select(
    name: str, given: Mapping[str, object], choices: Iterable[tuple[object, object]], chosen: Sequence[str]
) -> SafeString:
    """A choice of many options without groups."""
    selected = SafeString(" selected")
    options = ((value, selected if str(value) in chosen else NOTHING, label) for value, label in choices)
    return markup('<select name="{}"{}>{}</select>', name, _attributes(given), joined("\n", _OPTION, options))


def _attributes(given: Mapping[str, object]) -> SafeString:
    shown = ((name, value) for name, value in given.items() if value is not False)
    # Each part is escaped.
    return SafeString(  # nosec B703
        "".join(
            f" {escaped(name)}" if value is True else f' {escaped(name)}="{escaped(value)}"' for name, value in shown
        )
    )
