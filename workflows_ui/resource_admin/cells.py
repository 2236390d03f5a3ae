"""The values of columns as HTML: a function for each kind; templates only for columns that name one of their own."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.template import Context
from django.utils.html import conditional_escape, format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.utils.translation import gettext as _

from workflows_ui.resource_admin.resource import Column
from workflows_ui.web import elements, formats
from workflows_ui.web.icons import icon

#: The most characters of a value, of a second line, of a name in a sentence, and of one of several values.
_VALUE, _BELOW, _NAME, _ITEM = 300, 120, 80, 60
_NOTHING = SafeString("")


def _cut(value: Any, most: int) -> str:
    text = str(value)
    return text if len(text) <= most else Truncator(text).chars(most)


def _text(value: Any) -> SafeString:
    return format_html('<span class="long">{}</span>', "–" if value is None else _cut(value, _VALUE))


def _note(value: Any) -> SafeString:
    return format_html('<span class="long text-secondary">{}</span>', _cut(value, _VALUE)) if value else _NOTHING


def _code(value: Any) -> SafeString:
    return format_html('<code class="text-break">{}</code>', "–" if value is None else _cut(value, _VALUE))


def _id(value: Any) -> SafeString:
    copied, copy = _("Copied"), _("Copy")
    return format_html(
        '<span class="engine-id"><code id="engine-id" class="text-break">{}</code><button type="button" class="btn btn-sm btn-icon js-only"'
        ' id="engine-id-copy" data-copy="engine-id" data-copied="{}" aria-label="{}" title="{}">{}</button></span>',
        _cut(value, _VALUE),
        copied,
        copy,
        copy,
        icon("copy"),
    )


def _count(value: Any) -> SafeString:
    return conditional_escape("–" if value is None else value)


def _duration(value: Any) -> SafeString:
    return conditional_escape(formats.duration(value))


def _badge(value: Any) -> SafeString:
    return elements.badge(value) if value else _NOTHING


def _list(value: Any) -> SafeString:
    items = ((_cut(item, _ITEM),) for item in value if item)
    return format_html_join("", '<span class="badge bg-secondary-lt">{}</span> ', items)


#: For each kind of Column how its value is shown. An empty value is "–"; a duration's is an empty cell.
KINDS: Mapping[str, Callable[[Any], SafeString]] = {
    "text": _text,
    "note": _note,
    "code": _code,
    "id": _id,
    "when": elements.when,
    "exact": elements.exact,
    "duration": _duration,
    "count": _count,
    "badge": _badge,
    "list": _list,
}


def cell(context: Context, column: Column, value: Any, url: str = "") -> SafeString:
    """Return a value, as a link where there is a URL. A template of the column gets the page's context, and `value`."""
    if column.template_name:
        assert context.template is not None  # noqa: S101
        template = context.template.engine.get_template(column.template_name)
        with context.push(value=value):
            shown = template.render(context)
    else:
        shown = KINDS[column.kind](value)
    return format_html('<a href="{}">{}</a>', url, shown) if url else shown


def rows(context: Context, lines: Sequence[Mapping[str, Any]]) -> SafeString:
    """Return the rows of a list, from the context of its page: `bulk` and `row_actions` say which columns it has beside its own."""
    tick = bool(context.get("bulk"))
    buttons, back = bool(context.get("row_actions")), str(context.get("here", ""))
    csrf = elements.csrf_field(context.get("csrf_token")) if buttons else _NOTHING
    return format_html_join("\n", "<tr>{}{}{}</tr>", (_row(context, line, tick, buttons, back, csrf) for line in lines))


def _row(
    context: Context, line: Mapping[str, Any], tick: bool, buttons: bool, back: str, csrf: SafeString
) -> tuple[SafeString, SafeString, SafeString]:
    name = _cut(line["name"], _NAME)
    values = ((_table_cell(context, one, number == 0),) for number, one in enumerate(line["cells"]))
    return (
        _tick(line["id"], name) if tick else _NOTHING,
        format_html_join("", "{}", values),
        _row_actions(line, name, back, csrf) if buttons else _NOTHING,
    )


def _tick(key: str, name: str) -> SafeString:
    if not key:
        return SafeString('<td class="tick"></td>')
    return format_html(
        '<td class="tick"><input class="form-check-input" type="checkbox" form="bulk" name="id" value="{}" id="tick-{}"'
        ' data-tick aria-label="{}" autocomplete="off"></td>',
        key,
        key,
        _("Select %(name)s") % {"name": name},
    )


def _table_cell(context: Context, one: Mapping[str, Any], first: bool) -> SafeString:
    column: Column = one["column"]
    classes = f"kind-{column.kind}{' first' if first else ''}{'' if column.phone else ' not-phone'}"
    below = one["below"]
    return format_html(
        '<td class="{}" data-label="{}">{}{}{}</td>',
        f"{classes} only-wide" if column.wide else classes,
        column.label,
        cell(context, column, one["value"], one["url"]),
        format_html('<div class="small text-secondary long">{}</div>', _cut(below, _BELOW)) if below else _NOTHING,
        format_html_join(
            "",
            '<div class="small text-secondary long only-narrow">{}: {}</div>',
            (
                (wide["column"].label, cell(context, wide["column"], wide["value"], wide["url"]))
                for wide in one["joined"]
            ),
        ),
    )


def _row_actions(line: Mapping[str, Any], name: str, back: str, csrf: SafeString) -> SafeString:
    links = format_html_join(
        "",
        '<a class="btn btn-sm" href="{}" aria-label="{}: {}">{}{}</a>',
        (
            (url, shortcut.label, name, icon(shortcut.icon, "me-1"), shortcut.label)
            for shortcut, url in line["shortcuts"]
        ),
    )
    fold = _NOTHING
    if line["actions"]:
        called = _("Actions: %(name)s") % {"name": name}
        fold = elements.menu(line["actions"], called, row=line["id"], back=back, csrf=csrf)
    return format_html('<td class="text-end row-actions"><div class="row-buttons">{}{}</div></td>', links, fold)
