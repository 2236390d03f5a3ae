"""Small elements of which a page has many, written in Python: a template for each took 45 % of the time of a list (docs/performance.md)."""

from collections.abc import Sequence
from dataclasses import dataclass
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
from workflows_ui.web.markup import NOTHING, joined, markup


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
    """Return a state's badge: icon and word; the engine's own word as its title."""
    return _badge(state, get_language())


@lru_cache(maxsize=2048)
def _badge(state: Badge, _language: str | None) -> SafeString:
    title = markup(' title="{}"', _("In the engine: %(state)s") % {"state": state.own}) if state.own else NOTHING
    mark = icon(state.icon, "icon-spin" if state.moving else "")
    return markup('<span class="status status-{}"{}>{} {}</span>', state.colour, title, mark, state.word)


def when(value: Any) -> SafeString:
    """Return a moment (datetime or the engine's ISO text) relative to now, with the exact one in the current zone as its title."""
    moment = formats.moment(value)
    if moment is None:
        return markup('<span class="text-secondary" title="{}">–</span>', _("not known"))
    return markup(
        '<time datetime="{}" title="{}">{}</time>',
        moment.isoformat(timespec="seconds"),
        formats.exact(moment),
        formats.relative(moment),
    )


def exact(value: Any) -> SafeString:
    """Return a moment in the current zone, whose name is in its title only: all moments of a page are in it."""
    moment = formats.moment(value)
    if moment is None:
        return SafeString("–")
    short, full = formats.exact(moment, zone=False), formats.exact(moment)
    return markup('<time datetime="{}" title="{}">{}</time>', moment.isoformat(), full, short)


def csrf_field(token: Any) -> SafeString:
    """Return the hidden field of a form that posts; nothing where the page has no token."""
    if not token or str(token) == "NOTPROVIDED":
        return NOTHING
    return markup('<input type="hidden" name="csrfmiddlewaretoken" value="{}">', token)


def button(item: Button, classes: str, *, back: str = "", csrf: SafeString = NOTHING) -> SafeString:
    """Return a link, a form of one button, or a note why it is not possible. After an action a person returns to `back`."""
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
    """Return what is before and after the URL of a button: the same in all rows of a list."""
    mark = icon(item.icon, "me-2")
    classes = f"{classes} text-danger-strong" if item.danger else classes
    if not item.posts:
        query = f"?next={quote(back, safe='')}" if back and item.is_action else ""
        return markup('<a class="{}" href="', classes), markup('{}">{}{}</a>', query, mark, item.label)
    following = markup('<input type="hidden" name="next" value="{}">', back) if back else NOTHING
    return SafeString('<form method="post" action="'), markup(
        '">{}{}<button class="{}" type="submit">{}{}</button></form>', csrf, following, classes, mark, item.label
    )


class RowMenus:
    """The folds of buttons in the rows of a list. After an action a person returns to `back`."""

    def __init__(self, back: str, csrf: SafeString) -> None:
        self._back, self._csrf = back, csrf
        self._around: dict[tuple[int, str, bool, bool, bool], tuple[SafeString, SafeString]] = {}

    def html(self, items: Sequence[Button], name: Text, row: str) -> SafeString:
        """Return the fold, which is called `name`, of the row with this id. Labels must outlive the list, as those of declarations do."""
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
    """Return buttons in a fold. `name` is what the fold is called; `compact` shows three dots only."""
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
