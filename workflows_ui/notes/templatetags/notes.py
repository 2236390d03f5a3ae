"""The template tag that shows the notes on an object."""

from django import template
from django.urls import reverse

from workflows_ui.notes import services
from workflows_ui.notes.forms import NoteForm

register = template.Library()


@register.inclusion_tag("notes/panel.html", takes_context=True)
def notes(context: template.Context, subject: str, id: str) -> dict[str, object]:
    """Show the newest notes on an object that the person may open, with the form for another one."""
    access = context["request"].access
    if not id or "/" in id:
        return {"url": ""}
    entries, more = services.entries(access, subject, id, services.SHOWN)
    return {
        "request": context["request"],
        "csrf_token": context.get("csrf_token"),
        "slug": access.workspace.slug,
        "entries": entries,
        "more": more,
        "form": NoteForm(),
        "url": reverse("notes", args=[access.workspace.slug, subject, id]),
    }
