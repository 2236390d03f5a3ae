"""The HTML around the settings of each line of an outline, which a long flow has a thousand of."""

from collections.abc import Iterator, Sequence
from urllib.parse import quote

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from workflows_ui.resources.flows.outline import Item
from workflows_ui.web import formats
from workflows_ui.web.icons import icon
from workflows_ui.web.markup import NOTHING, markup

#: What is before the settings of a step, with its title, kind and marks; the link that edits it; the heading of a branch.
_STEP = (
    '<li id="step-at-{}" class="outline-step depth-{}{}">{}<div class="min-w-0 flex-fill"><div class="long">{}{}{}</div>'
    '<div class="small text-secondary long">{}{}{}</div>'
)
_EDIT = (
    '<a class="btn btn-icon flex-shrink-0 btn-ghost-secondary" href="{}{}/" data-panel data-step="{}"'
    ' aria-label="{}: {}" title="{}">{}</a>'
)
_BRANCH = '<li class="outline-branch depth-{}">{}<div class="min-w-0 long">{} <strong>{}</strong>{}</div></li>'


def rows(
    items: Sequence[Item], *, edit_url: str = "", titled: bool = False
) -> Iterator[tuple[SafeString, Item, SafeString]]:
    """Each line with the HTML before and after its settings, for templates/resources/flows/outline.html.

    Args:
        edit_url: what the pages of the steps begin with; "" without links to them.
        titled: the page has the title of the step already.
    """
    skipped = markup(' <span class="badge bg-secondary-lt">{}</span>', _("Skipped"))
    warning, incomplete = icon("triangle-alert", "me-1"), _("Not complete")
    invalid = markup(' <span class="badge bg-orange-lt">{}{}</span>', warning, incomplete)
    nothing = markup(' <span class="text-secondary">{}</span>', _("– nothing happens"))
    edit, pencil = _("Edit"), icon("pencil")
    for item in items:
        mark = icon(item.icon, "outline-icon")
        if not item.step:
            title, empty = formats.cut(item.title, 200), nothing if item.empty else NOTHING
            yield markup(_BRANCH, item.depth, mark, item.kind, title, empty), item, NOTHING
            continue
        opening = markup(
            _STEP,
            item.number,
            item.depth,
            " outline-skipped" if item.skipped else "",
            mark,
            NOTHING if titled else formats.cut(item.title, 300),
            skipped if item.skipped else NOTHING,
            invalid if item.invalid else NOTHING,
            item.kind,
            f" · {formats.cut(item.about, 120)}" if item.about else "",
            markup(" · <code>{}</code>", formats.cut(item.name, 60)) if item.name else NOTHING,
        )
        link: SafeString = NOTHING
        if edit_url and item.name:
            name, title = quote(item.name, safe=""), formats.cut(item.title, 80)
            link = markup(_EDIT, edit_url, name, item.name, edit, title, edit, pencil)
        yield opening, item, markup("</div>{}</li>", link)
