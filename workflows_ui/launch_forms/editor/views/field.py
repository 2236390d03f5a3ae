"""The builder's page of one field of a launch form. Each save is saved in the draft."""

from collections.abc import Mapping

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.utils.translation import gettext as _

from workflows_ui.form_schema.document import MOST_FIELDS, BadForm, Field, FieldKind, Form, TableChoices, name_for
from workflows_ui.launch_forms.editor.field_form import FieldForm, chosen_kind
from workflows_ui.launch_forms.editor.kind_forms import TextForm, field_form
from workflows_ui.launch_forms.editor.sources import Sources
from workflows_ui.launch_forms.editor.views import sources
from workflows_ui.launch_forms.editor.views.page import EditorPage, builder_page, field_row
from workflows_ui.launch_forms.services import launch_forms

#: Buttons that only render the page again.
_BUTTONS = ("look", "try", "add-choice", "remove-choice", "add-column", "remove-column")


@builder_page(wanted=True)
def field(page: EditorPage, field: str) -> HttpResponse:
    """Display or save a field. A field that was removed meanwhile can still be saved, so that no input is lost."""
    edited = page.form.field(field) if page.form else None
    if edited is None and not page.posted:
        raise Http404
    return _edit(page, edited or Field(field, tuple(page.request.POST.getlist("stored_path")[:20]) or (field,)))


@builder_page()
def new(page: EditorPage) -> HttpResponse:
    """Display or save a new field, added at the end of the form."""
    if page.form and len(page.form.fields) >= MOST_FIELDS:
        return page.redirect(_("A form has at most %(n)d fields.") % {"n": MOST_FIELDS}, level=messages.WARNING)
    return _edit(page, Field("", ()))


def _edit(page: EditorPage, edited: Field) -> HttpResponse:
    form, typed = page.form or Form(), page.request.POST if page.posted else None
    judged = typed is not None and not any(name in typed for name in _BUTTONS)
    editor = field_form(typed, field=edited, form=form, sources=_sources(page, edited, typed), judged=judged)
    if not judged or not editor.is_valid():
        return _page(page, editor, edited)
    name = edited.name or name_for(editor.cleaned_data["where"], set(form.names))
    saved = editor.to_field(name)
    changed = form.with_field(saved)
    position = editor.cleaned_data.get("position")
    if position:
        changed = changed.moved(name, position - changed.names.index(name) - 1)
    try:
        page.save(changed)
    except launch_forms.Stale as stale:
        return _page(page.after(stale), editor, edited)
    except BadForm as problem:
        editor.add_error(None, str(problem))
        return _page(page, editor, edited)
    text = _("“%(label)s” is saved in the draft.") % {"label": saved.shown_label[:80]}
    return page.redirect(text, anchor=f"#line-{name}")


def _sources(page: EditorPage, edited: Field, typed: Mapping[str, object] | None) -> Sources:
    """The engine's sources of choices, loaded only if the kind has choices."""
    known = page.flow_or_none() if chosen_kind(typed, edited) in (FieldKind.CHOICE, FieldKind.CHOICES) else None
    if known is None:
        return Sources()
    source = edited.choices_from
    table = source.table_id if isinstance(source, TableChoices) else ""
    return sources.load_sources(*known, table if typed is None else str(typed.get("table", ""))[:120])


def _page(page: EditorPage, editor: FieldForm, edited: Field) -> HttpResponse:
    fits, trial = editor.trial if isinstance(editor, TextForm) else (False, "")
    return page.render(
        "field",
        wrong=bool(editor.errors),
        fragments=("field-form",),
        editor=editor,
        new=not edited.name,
        field_url=page.url("form_field", edited.name) if edited.name else page.url("form_field_new"),
        trial=trial,
        trial_fits=fits,
        **field_row(edited),
    )
