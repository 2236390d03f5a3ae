"""Template tags for the history of an object."""

from django import template

from workflows_ui.audit import page as histories

register = template.Library()


@register.inclusion_tag("audit/history.html", takes_context=True)
def history(
    context: template.Context, kind: str, id: object = "", *, whole: bool = False, address: str = ""
) -> dict[str, object]:
    """Show the history of an object of this workspace, or of all of its kind; `whole`: the person may see everything.

    With an `address`, which has a query string, there are more pages, at `&page=`.
    """
    request = context["request"]
    access, asked = request.access, request.GET.get("page", "")
    page = max(1, int(asked)) if asked.isdecimal() and len(asked) < 6 else 1
    return {
        "history": histories.object_history(access, kind, str(id), whole=whole, page=page if address else None),
        "address": address,
        "place": access.workspace,
        "named": not id,
    }


@register.inclusion_tag("audit/history.html", takes_context=True)
def history_outside(context: template.Context, kind: str, id: object) -> dict[str, object]:
    """Show the whole history of an object that belongs to no workspace; the page checks access."""
    return {"history": histories.global_history(context["request"].user, kind, str(id)), "place": None, "named": False}
