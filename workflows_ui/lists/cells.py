"""The values of columns as HTML: a function for each kind; templates only for columns that name one of their own."""

from collections.abc import Callable, Mapping, Sequence
from urllib.parse import quote

from django.template import Context
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.utils.translation import gettext as _

from workflows_ui.core import formats
from workflows_ui.core.states import Badge
from workflows_ui.core.text import Text
from workflows_ui.lists.declaration import Column
from workflows_ui.lists.lines import Cell, Line
from workflows_ui.lists.listing import SHOW
from workflows_ui.web import elements
from workflows_ui.web.icons import icon
from workflows_ui.web.links import reachable
from workflows_ui.web.markup import NOTHING, joined, markup

#: The most characters of a value, of a second line, of a name in a sentence, and of one of several values.
_VALUE, _BELOW, _NAME, _ITEM = 300, 120, 80, 60


def _cut(value: object, most: int) -> str:
    text = str(value)
    return text if len(text) <= most else Truncator(text).chars(most)


def _text(value: object) -> SafeString:
    return markup('<span class="long">{}</span>', "–" if value is None else _cut(value, _VALUE))


def lines(text: str) -> SafeString:
    """Each line of a text as one of its own."""
    return joined(" ", '<div class="long">{}</div>', [(line,) for line in text.splitlines()])


def _note(value: object) -> SafeString:
    return markup('<span class="long text-secondary">{}</span>', _cut(value, _VALUE)) if value else NOTHING


def _code(value: object) -> SafeString:
    return markup('<code class="text-break">{}</code>', "–" if value is None else _cut(value, _VALUE))


def _id(value: object) -> SafeString:
    copied, copy = _("Copied"), _("Copy")
    return markup(
        '<span class="engine-id"><code id="engine-id" class="text-break">{}</code><button type="button" class="btn btn-sm btn-icon js-only"'
        ' id="engine-id-copy" data-copy="engine-id" data-copied="{}" aria-label="{}" title="{}">{}</button></span>',
        _cut(value, _VALUE),
        copied,
        copy,
        copy,
        icon("copy"),
    )


def _count(value: object) -> SafeString:
    return markup("{}", "–" if value is None else value)


def _duration(value: object) -> SafeString:
    return markup("{}", formats.duration(value))


def _badge(value: object) -> SafeString:
    return elements.badge(value) if isinstance(value, Badge) else NOTHING


def _state(value: object) -> SafeString:
    return elements.state(value) if isinstance(value, Badge) else NOTHING


def _list(value: object) -> SafeString:
    items = [(_cut(item, _ITEM),) for item in (value if isinstance(value, list) else ()) if item]
    return joined("", '<span class="badge bg-secondary-lt">{}</span> ', items)


#: In place of a value that is not known.
_DASH = SafeString('<span class="text-secondary">–</span>')

#: For each kind of Column how its value is shown. An empty value is "–"; a duration's is an empty cell.
KINDS: Mapping[str, Callable[[object], SafeString]] = {
    "text": _text,
    "lines": _text,
    "note": _note,
    "code": _code,
    "id": _id,
    "when": elements.when,
    "exact": elements.exact,
    "message": _text,
    "duration": _duration,
    "count": _count,
    "badge": _badge,
    "state": _state,
    "list": _list,
    "plot": _text,  # As a text in files; its template draws it.
}


def cell(context: Context, column: Column, value: object, url: str = "") -> SafeString:
    """A value, as a link where there is a URL. A template of the column gets the page's context, and `value`."""
    if column.html:
        nothing = NOTHING if context.get("pending") else _DASH
        shown = column.html(value) if value else nothing
    elif column.template_name:
        assert context.template is not None  # noqa: S101
        template = context.template.engine.get_template(column.template_name)
        with context.push(value=value):
            shown = template.render(context)
    else:
        shown = KINDS[column.kind](value)
    url = reachable(url)
    return markup('<a href="{}">{}</a>', url, shown) if url else shown


def rows(context: Context, lines: Sequence[Line]) -> SafeString:
    """The rows of a list, from the context of its page: `bulk` and `row_actions` say which columns it has beside its own."""
    return _Rows(context).html(lines)


class _Rows:
    """What the rows of a page share."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._tick, self._buttons = bool(context.get("bulk")), bool(context.get("row_actions"))
        here = str(context.get("here", ""))
        self._show = f"{here}{'&' if '?' in here else '?'}{SHOW}="
        csrf = elements.csrf_field(context.get("csrf_token")) if self._buttons else NOTHING
        self._menus = elements.RowMenus(str(context.get("here", "")), csrf)
        self._texts: dict[int, SafeString] = {}
        self._openings: dict[tuple[int, bool], SafeString] = {}

    def html(self, lines: Sequence[Line]) -> SafeString:
        return joined("\n", "<tr>{}{}{}</tr>", [self._row(line) for line in lines])

    def _text(self, declared: Text) -> SafeString:
        """A text of the declaration, which is translated once for all rows."""
        found = self._texts.get(id(declared))
        if found is None:
            found = self._texts[id(declared)] = markup("{}", declared)
        return found

    def _row(self, line: Line) -> tuple[SafeString, SafeString, SafeString]:
        name = _cut(line["name"], _NAME)
        values = [(self._cell(one, number == 0),) for number, one in enumerate(line["cells"])]
        return (
            _tick(line["id"], name) if self._tick else NOTHING,
            joined("", "{}", values),
            self._actions(line, name) if self._buttons else NOTHING,
        )

    def _cell(self, one: Cell, first: bool) -> SafeString:
        column = one["column"]
        below, wide = one["below"], one["joined"]
        return markup(
            "{}{}{}{}{}</td>",
            self._opening(column, first),
            cell(self._context, column, one["value"], one["url"]),
            markup('<div class="small text-secondary long">{}</div>', _cut(below, _BELOW)) if below else NOTHING,
            _mark(*one["mark"]) if one["mark"] else NOTHING,
            self._beside(wide) if wide else NOTHING,
        )

    def _opening(self, column: Column, first: bool) -> SafeString:
        """The tag that opens the cells of a column."""
        found = self._openings.get((id(column), first))
        if found is None:
            places = (
                ("first", first),
                ("not-phone", not column.phone),
                ("only-wide", column.wide),
                ("only-widest", column.widest),
            )
            classes = " ".join([f"kind-{column.kind}", *(name for name, given in places if given)])
            found = markup('<td class="{}" data-label="{}">', classes, self._text(column.label))
            self._openings[id(column), first] = found
        return found

    def _beside(self, wide: Sequence[Cell]) -> SafeString:
        values = [
            (self._text(one["column"].label), cell(self._context, one["column"], one["value"], one["url"]))
            for one in wide
        ]
        return joined("", '<div class="small text-secondary long only-narrow">{}: {}</div>', values)

    def _actions(self, line: Line, name: str) -> SafeString:
        shortcuts = [
            (url, text, text, name, icon(shortcut.icon, "me-1"), text)
            for shortcut, url in line["shortcuts"]
            for text in [self._text(shortcut.label)]
        ]
        links = joined("", '<a class="btn btn-sm" href="{}" title="{}" aria-label="{}: {}">{}{}</a>', shortcuts)
        fold = NOTHING
        if line["preview"]:
            links += self._preview(line, name)
        if line["actions"]:
            called = _("Actions: %(name)s") % {"name": name}
            fold = self._menus.html(line["actions"], called, line["id"])
        return markup('<td class="text-end row-actions"><div class="row-buttons">{}{}</div></td>', links, fold)

    def _preview(self, line: Line, name: str) -> SafeString:
        """The link to the preview; its address is that of the list with the preview."""
        label, url = _("Preview: %(name)s") % {"name": name}, f"{self._show}{quote(line['id'])}"
        return markup(
            '<a class="btn btn-sm btn-icon btn-ghost-secondary" href="{}" hx-get="{}" hx-target="#preview" hx-swap="outerHTML"'
            ' hx-replace-url="{}" hx-sync="closest table:replace" data-preview="{}" aria-label="{}" title="{}">{}</a>',
            url,
            line["preview"],
            url,
            line["id"],
            label,
            _("Preview"),
            icon("eye"),
        )


def _mark(badge: Badge, url: str) -> SafeString:
    return markup('<div class="row-mark mt-1"><a href="{}">{}</a></div>', url, elements.badge(badge))


def _tick(key: str, name: str) -> SafeString:
    if not key:
        return SafeString('<td class="tick"></td>')
    return markup(
        '<td class="tick"><input class="form-check-input" type="checkbox" form="bulk" name="id" value="{}" id="tick-{}"'
        ' data-tick aria-label="{}" autocomplete="off"></td>',
        key,
        key,
        _("Select %(name)s") % {"name": name},
    )
