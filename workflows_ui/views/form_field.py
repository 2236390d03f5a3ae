"""The page of one field of a launch form: everything a builder can say about it. Each save is a saved draft."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from workflows_ui.forming.document import MOST_FIELDS, BadForm, Field, Form, Kind, TableChoices, name_for
from workflows_ui.forms import field_rows
from workflows_ui.forms.field_editor import FieldEditor, Sources
from workflows_ui.kit import form_words, respond
from workflows_ui.kit.access import member
from workflows_ui.kit.request import ConsoleRequest
from workflows_ui.models import Role
from workflows_ui.resources import form_choices
from workflows_ui.services import launch_forms
from workflows_ui.views import form_place
from workflows_ui.views.form_place import Place

_CHOOSING = (Kind.CHOICE, Kind.CHOICES)


@never_cache
@member(Role.BUILDER)
def field(request: ConsoleRequest, slug: str, id: str, field: str) -> HttpResponse:
    """Shows a field, or takes it. A field that somebody else removed meanwhile can still be saved: what was typed is not lost."""
    place = form_place.find(request, id, wanted=True)
    found = place.form.field(field) if place.form else None
    if found is None and request.method != "POST":
        raise Http404
    return _edit(place, found or Field(field, tuple(request.POST.getlist("kept")[:20]) or (field,)))


@never_cache
@member(Role.BUILDER)
def new(request: ConsoleRequest, slug: str, id: str) -> HttpResponse:
    """A field that is added by hand, at the end of the form."""
    place = form_place.find(request, id)
    if place.form and len(place.form.fields) >= MOST_FIELDS:
        messages.warning(request, _("A form has at most %(n)d fields.") % {"n": MOST_FIELDS})
        return respond.redirect(request, place.url())
    return _edit(place, Field("", ()))


def _edit(place: Place, found: Field) -> HttpResponse:
    request, form = place.request, place.form or Form()
    posted = request.POST if request.method == "POST" else None
    only_shown = posted is not None and field_rows.rearranging(posted)
    editor = FieldEditor(posted, field=found, form=form, sources=_sources(place, found, posted), judged=not only_shown)
    if posted is None or only_shown:
        return _page(place, editor, found)
    if not editor.is_valid():
        return _page(place, editor, found, status=422)
    return _save(place, editor, found, form)


def _save(place: Place, editor: FieldEditor, found: Field, form: Form) -> HttpResponse:
    request = place.request
    taken = {field.name for field in form.fields}
    name = found.name or name_for(editor.cleaned_data["where"], taken)
    made = editor.made(name)
    changed = form.with_field(made)
    position = editor.cleaned_data.get("position")
    if position:
        at = [field.name for field in changed.fields].index(name) + 1
        changed = changed.moved(name, position - at)
    try:
        place.save(changed, form_place.lock_of(request))
    except launch_forms.Stale as stale:
        now = form_place.find(request, place.flow_id)
        return _page(now, editor, found, stale=form_place.stale_words(stale), status=422)
    except BadForm as problem:
        editor.add_error(None, str(problem))
        return _page(place, editor, found, status=422)
    messages.success(request, _("“%(label)s” is saved in the draft.") % {"label": made.shown_label[:80]})
    return respond.redirect(request, f"{place.url()}#field-{name}")


def _sources(place: Place, found: Field, posted: Any) -> Sources:
    """What the engine has that choices can come from; asked only where the kind has choices."""
    kind = posted.get("kind") if posted is not None else found.kind
    if kind not in [one.value for one in _CHOOSING]:
        return Sources()
    known = place.flow_if_told()
    if known is None:
        return Sources()
    asker, flow = known
    now = found.choices_from
    table = now.table_id if isinstance(now, TableChoices) else ""
    if posted is not None:
        table = str(posted.get("table", ""))[:120]
    return form_choices.of(asker, flow, table)


def _page(place: Place, editor: FieldEditor, found: Field, *, stale: str = "", status: int = 200) -> HttpResponse:
    fits, trial = editor.trial
    context = place.context(
        editor=editor,
        field=found,
        new=not found.name,
        field_url=place.url("form_field", found.name) if found.name else place.url("form_field_new"),
        place_words=form_words.place(found),
        why=form_words.why(found.why),
        stale=stale,
        trial=trial,
        trial_fits=fits,
        kinds=[(kind.value, form_words.KINDS[kind]) for kind in Kind],
        cells=[(kind.value, form_words.KINDS[kind]) for kind in field_rows.cell_kinds()],
    )
    return respond.page(place.request, "form_builder/field.html", context, fragments=("field-form",), status=status)


urlpatterns = [
    path("w/<slug:slug>/flows/<str:id>/form/fields/", new, name="form_field_new"),
    path("w/<slug:slug>/flows/<str:id>/form/fields/<str:field>/", field, name="form_field"),
]
