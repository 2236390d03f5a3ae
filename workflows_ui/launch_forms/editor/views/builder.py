"""The builder's page of a flow's launch form: its fields in order, note and button, and differences from the flow."""

from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from workflows_ui.launch_forms import form_fit
from workflows_ui.launch_forms.editor.forms import TextsForm
from workflows_ui.launch_forms.editor.views import page as launch_form_page
from workflows_ui.launch_forms.editor.views.page import EditorPage
from workflows_ui.launch_forms.messages import forms as form_messages
from workflows_ui.launch_forms.schema.document import BadForm, Field, Form
from workflows_ui.launch_forms.services import launch_forms
from workflows_ui.members.models import Role
from workflows_ui.web import responses
from workflows_ui.web.access import member
from workflows_ui.web.requests import ConsoleRequest, actor

#: Number of versions in the page.
_VERSIONS = 20
#: Names of buttons. (The name `remove` would hide the form element's method in the browser.)
ACTIONS = ("move-up", "move-down", "take-out", "undo")


@never_cache
@require_safe
@member(Role.BUILDER)
def builder(request: ConsoleRequest, slug: str, id: str) -> HttpResponse:
    """The form with its actions; `?moved=` names a field that was just moved."""
    return _page(launch_form_page.find(request, id))


@require_POST
@member(Role.BUILDER)
def change(request: ConsoleRequest, slug: str, id: str) -> HttpResponse:
    """Move or remove a field, or undo the last change. The button's name is the action, its value the field."""
    page = launch_form_page.find(request, id, wanted=True)
    action = next((name for name in ACTIONS if name in request.POST), "")
    if action == "undo":
        return _undo(page)
    form, name = page.form, request.POST.get(action, "")
    field = form.field(name) if form else None
    if form is None or field is None:
        return launch_form_page.redirect_back(page)
    if action == "take-out":
        blocking = [other.shown_label[:60] for other in form.fields if other.show_if and other.show_if.field == name]
        if blocking:
            text = _("“%(label)s” decides whether “%(other)s” is shown. Change that rule first, then remove the field.")
            messages.warning(request, text % {"label": field.shown_label[:60], "other": blocking[0]})
            return responses.redirect(request, page.url())
        changed, query = form.without(name).leaving_out([field.path]), {}
    else:
        changed, query = (
            form.moved(name, -1 if action == "move-up" else 1),
            {"moved": name, "by": action.removeprefix("move-")},
        )
    try:
        page.save(changed, launch_form_page.lock_of(request))
    except launch_forms.Stale as stale:
        launch_form_page.warn_stale(request, stale)
        return responses.redirect(request, page.url())
    if action == "take-out":
        text = _("“%(label)s” is removed from the form. “Undo” brings it back as it was.")
        messages.success(request, text % {"label": field.shown_label[:60]})
        return responses.redirect(request, page.url())
    return launch_form_page.redirect_back(page, **query)


def _undo(page: EditorPage) -> HttpResponse:
    request = page.request
    try:
        launch_forms.undo(actor(request), request.access, page.flow_id, lock=launch_form_page.lock_of(request) or 0)
        messages.success(request, _("The last change is undone."))
    except launch_forms.Stale as stale:
        launch_form_page.warn_stale(request, stale)
    except launch_forms.NothingToUndo:
        messages.info(request, _("There is nothing to undo."))
    return responses.redirect(request, page.url())


@require_POST
@member(Role.BUILDER)
def texts(request: ConsoleRequest, slug: str, id: str) -> HttpResponse:
    """Save the note and the button's label."""
    page = launch_form_page.find(request, id, wanted=True)
    typed = TextsForm(request.POST)
    if not typed.is_valid() or page.form is None:
        return _page(page, words=typed, status=422)
    form = replace(
        page.form, note=typed.cleaned_data["note"].replace("\r\n", "\n"), button=typed.cleaned_data["button"]
    )
    try:
        page.save(form, launch_form_page.lock_of(request))
    except launch_forms.Stale as stale:
        return _page(
            launch_form_page.find(request, id), words=typed, stale=launch_form_page.stale_message(stale), status=422
        )
    except BadForm as problem:
        typed.add_error(None, str(problem))
        return _page(page, words=typed, status=422)
    messages.success(request, _("The instructions are saved in the draft."))
    return responses.redirect(request, page.url() + "#words")


def _page(page: EditorPage, *, words: TextsForm | None = None, stale: str = "", status: int = 200) -> HttpResponse:
    request, form = page.request, page.form
    known = page.flow_or_none() if not responses.is_fragment(request) else None
    context = page.context(
        lines=[_line(field, form, number) for number, field in enumerate(form.fields, start=1)] if form else [],
        moved=_moved(request, form),
        words=words or TextsForm(initial={"note": form.note, "button": form.button} if form else None),
        stale=stale,
        versions=[*launch_forms.versions(page.row)[:_VERSIONS]] if page.row else [],
        unreachable=known is None and not responses.is_fragment(request),
    )
    if known is not None:
        session, flow = known
        context["name"] = launch_form_page.flow_name(flow) or context["name"]
        context["fits"] = form_fit.lines(session, flow, form) if form else []
    return responses.page(request, "launch_forms/editor/builder.html", context, fragments=("fields",), status=status)


def _line(field: Field, form: Form, number: int) -> dict[str, Any]:
    """The template data of a field's row."""
    return {
        "name": field.name,
        "number": number,
        "label": field.shown_label,
        "place": form_messages.field_location(field),
        "kind": form_messages.KINDS[field.kind],
        "icon": form_messages.ICONS[field.kind],
        "required": field.required,
        "group": field.group,
        "badges": form_messages.badges(field),
        "rule": form_messages.rule(field, form),
        "why": form_messages.why(field.why),
        "first": number == 1,
        "last": number == len(form.fields),
    }


def _moved(request: ConsoleRequest, form: Form | None) -> dict[str, Any] | None:
    """The new position of a field that was just moved, for the announcement and the focus."""
    name = request.GET.get("moved", "")
    names = [field.name for field in form.fields] if form else []
    field = form.field(name) if form and name in names else None
    if field is None:
        return None
    number = names.index(name) + 1
    text = _("“%(label)s” is now number %(number)d of %(all)d.")
    return {
        "name": name,
        "by": "up" if request.GET.get("by") == "up" else "down",
        "words": text % {"label": field.shown_label[:60], "number": number, "all": len(names)},
    }
