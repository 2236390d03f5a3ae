"""The builder's page of one field of a launch form. Each save is saved in the draft."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from workflows_ui.launch_forms.editor import sources
from workflows_ui.launch_forms.editor.field_form import FieldForm, chosen_kind
from workflows_ui.launch_forms.editor.kind_forms import TextForm, field_form
from workflows_ui.launch_forms.editor.row_formsets import SORTS
from workflows_ui.launch_forms.editor.sources import Sources
from workflows_ui.launch_forms.editor.views import page as launch_form_page
from workflows_ui.launch_forms.editor.views.page import EditorPage
from workflows_ui.launch_forms.messages import forms as form_messages
from workflows_ui.launch_forms.schema.document import MOST_FIELDS, BadForm, Field, Form, Kind, TableChoices, name_for
from workflows_ui.launch_forms.services import launch_forms
from workflows_ui.members.models import Role
from workflows_ui.web import responses
from workflows_ui.web.access import member
from workflows_ui.web.requests import ConsoleRequest

#: Buttons that only render the page again.
_BUTTONS = ("look", "try", "add-choice", "remove-choice", "add-column", "remove-column")


@never_cache
@member(Role.BUILDER)
def field(request: ConsoleRequest, slug: str, id: str, field: str) -> HttpResponse:
    """Display or save a field. A field that was removed meanwhile can still be saved, so that no input is lost."""
    page = launch_form_page.find(request, id, wanted=True)
    edited = page.form.field(field) if page.form else None
    if edited is None and request.method != "POST":
        raise Http404
    return _edit(page, edited or Field(field, tuple(request.POST.getlist("kept")[:20]) or (field,)))


@never_cache
@member(Role.BUILDER)
def new(request: ConsoleRequest, slug: str, id: str) -> HttpResponse:
    """Display or save a new field, added at the end of the form."""
    page = launch_form_page.find(request, id)
    if page.form and len(page.form.fields) >= MOST_FIELDS:
        messages.warning(request, _("A form has at most %(n)d fields.") % {"n": MOST_FIELDS})
        return responses.redirect(request, page.url())
    return _edit(page, Field("", ()))


def _edit(page: EditorPage, edited: Field) -> HttpResponse:
    request, form = page.request, page.form or Form()
    posted = request.POST if request.method == "POST" else None
    only_shown = posted is not None and any(name in posted for name in _BUTTONS)
    editor = field_form(posted, field=edited, form=form, sources=_sources(page, edited, posted), judged=not only_shown)
    if posted is None or only_shown:
        return _page(page, editor, edited)
    if not editor.is_valid():
        return _page(page, editor, edited, status=422)
    return _save(page, editor, edited, form)


def _save(page: EditorPage, editor: FieldForm, edited: Field, form: Form) -> HttpResponse:
    request = page.request
    taken = {field.name for field in form.fields}
    name = edited.name or name_for(editor.cleaned_data["where"], taken)
    saved = editor.made(name)
    changed = form.with_field(saved)
    position = editor.cleaned_data.get("position")
    if position:
        index = [field.name for field in changed.fields].index(name) + 1
        changed = changed.moved(name, position - index)
    try:
        page.save(changed, launch_form_page.lock_of(request))
    except launch_forms.Stale as stale:
        current = launch_form_page.find(request, page.flow_id)
        return _page(current, editor, edited, stale=launch_form_page.stale_message(stale), status=422)
    except BadForm as problem:
        editor.add_error(None, str(problem))
        return _page(page, editor, edited, status=422)
    messages.success(request, _("“%(label)s” is saved in the draft.") % {"label": saved.shown_label[:80]})
    return responses.redirect(request, f"{page.url()}#field-{name}")


def _sources(page: EditorPage, edited: Field, posted: Any) -> Sources:
    """The engine's sources of choices, loaded only if the kind has choices."""
    if chosen_kind(posted, edited) not in (Kind.CHOICE, Kind.CHOICES):
        return Sources()
    known = page.flow_or_none()
    if known is None:
        return Sources()
    session, flow = known
    source = edited.choices_from
    table = source.table_id if isinstance(source, TableChoices) else ""
    if posted is not None:
        table = str(posted.get("table", ""))[:120]
    return sources.load_sources(session, flow, table)


def _page(page: EditorPage, editor: FieldForm, edited: Field, *, stale: str = "", status: int = 200) -> HttpResponse:
    fits, trial = editor.trial if isinstance(editor, TextForm) else (False, "")
    context = page.context(
        editor=editor,
        field=edited,
        new=not edited.name,
        field_url=page.url("form_field", edited.name) if edited.name else page.url("form_field_new"),
        place_words=form_messages.field_location(edited),
        why=form_messages.why(edited.why),
        stale=stale,
        trial=trial,
        trial_fits=fits,
        kinds=[(kind.value, form_messages.KINDS[kind]) for kind in Kind],
        sorts=SORTS.items(),
    )
    return responses.page(
        page.request, "launch_forms/editor/field.html", context, fragments=("field-form",), status=status
    )
