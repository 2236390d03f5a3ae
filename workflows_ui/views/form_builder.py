"""The builder's page of a flow's launch form: its fields in order, the words around them, and what the flow reads today."""

from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from workflows_ui.forming.document import BadForm, Field, Form
from workflows_ui.forms.form_builder import WordsForm
from workflows_ui.kit import form_words, respond
from workflows_ui.kit.access import member
from workflows_ui.kit.request import ConsoleRequest, actor
from workflows_ui.models import Role
from workflows_ui.resources import form_fit
from workflows_ui.services import launch_forms
from workflows_ui.views import form_place
from workflows_ui.views.form_place import Place

#: Versions that the page lists.
_VERSIONS = 20
#: Names of buttons. (One called `remove` would hide the method of that name of the form's element in a browser.)
DEEDS = ("move-up", "move-down", "take-out", "undo")


@never_cache
@require_safe
@member(Role.BUILDER)
def builder(request: ConsoleRequest, slug: str, id: str) -> HttpResponse:
    """The form with everything that can be done with it; `?moved=` names a field that was just moved."""
    return _page(form_place.find(request, id))


@require_POST
@member(Role.BUILDER)
def change(request: ConsoleRequest, slug: str, id: str) -> HttpResponse:
    """Moves a field or takes it out, or takes back the last change: the button's name says what, its value which field."""
    place = form_place.find(request, id, wanted=True)
    deed = next((name for name in DEEDS if name in request.POST), "")
    if deed == "undo":
        return _undo(place)
    form, name = place.form, request.POST.get(deed, "")
    field = form.field(name) if form else None
    if form is None or field is None:
        return form_place.back(place)
    if deed == "take-out":
        blocking = [one.shown_label[:60] for one in form.fields if one.show_if and one.show_if.field == name]
        if blocking:
            words = _(
                "“%(label)s” decides whether “%(other)s” is shown. Change that rule first, then remove the field."
            )
            messages.warning(request, words % {"label": field.shown_label[:60], "other": blocking[0]})
            return respond.redirect(request, place.url())
        changed, query = form.without(name).leaving_out([field.path]), {}
    else:
        changed, query = (
            form.moved(name, -1 if deed == "move-up" else 1),
            {"moved": name, "by": deed.removeprefix("move-")},
        )
    try:
        place.save(changed, form_place.lock_of(request))
    except launch_forms.Stale as stale:
        form_place.told(request, stale)
        return respond.redirect(request, place.url())
    if deed == "take-out":
        words = _("“%(label)s” is removed from the form. “Undo” brings it back as it was.")
        messages.success(request, words % {"label": field.shown_label[:60]})
        return respond.redirect(request, place.url())
    return form_place.back(place, **query)


def _undo(place: Place) -> HttpResponse:
    request = place.request
    try:
        launch_forms.undo(actor(request), request.access, place.flow_id, lock=form_place.lock_of(request) or 0)
        messages.success(request, _("The last change is taken back."))
    except launch_forms.Stale as stale:
        form_place.told(request, stale)
    except launch_forms.NothingToUndo:
        messages.info(request, _("There is nothing to take back."))
    return respond.redirect(request, place.url())


@require_POST
@member(Role.BUILDER)
def words(request: ConsoleRequest, slug: str, id: str) -> HttpResponse:
    """Saves the note and the sentence on the button."""
    place = form_place.find(request, id, wanted=True)
    typed = WordsForm(request.POST)
    if not typed.is_valid() or place.form is None:
        return _page(place, words=typed, status=422)
    form = replace(
        place.form, note=typed.cleaned_data["note"].replace("\r\n", "\n"), button=typed.cleaned_data["button"]
    )
    try:
        place.save(form, form_place.lock_of(request))
    except launch_forms.Stale as stale:
        return _page(form_place.find(request, id), words=typed, stale=form_place.stale_words(stale), status=422)
    except BadForm as problem:
        typed.add_error(None, str(problem))
        return _page(place, words=typed, status=422)
    messages.success(request, _("The words are saved in the draft."))
    return respond.redirect(request, place.url() + "#words")


def _page(place: Place, *, words: WordsForm | None = None, stale: str = "", status: int = 200) -> HttpResponse:
    request, form = place.request, place.form
    known = place.flow_if_told() if not respond.is_fragment(request) else None
    context = place.context(
        lines=[_line(field, form, number) for number, field in enumerate(form.fields, start=1)] if form else [],
        moved=_moved(request, form),
        words=words or WordsForm(initial={"note": form.note, "button": form.button} if form else None),
        stale=stale,
        versions=[*launch_forms.versions(place.row)[:_VERSIONS]] if place.row else [],
        unreachable=known is None and not respond.is_fragment(request),
    )
    if known is not None:
        asker, flow = known
        context["name"] = form_place.flow_name(flow) or context["name"]
        context["fits"] = form_fit.lines(asker, flow, form) if form else []
    return respond.page(request, "form_builder/builder.html", context, fragments=("fields",), status=status)


def _line(field: Field, form: Form, number: int) -> dict[str, Any]:
    """A field as its row shows it."""
    return {
        "name": field.name,
        "number": number,
        "label": field.shown_label,
        "place": form_words.place(field),
        "kind": form_words.KINDS[field.kind],
        "icon": form_words.ICONS[field.kind],
        "required": field.required,
        "group": field.group,
        "badges": form_words.badges(field),
        "rule": form_words.rule(field, form),
        "why": form_words.why(field.why),
        "first": number == 1,
        "last": number == len(form.fields),
    }


def _moved(request: ConsoleRequest, form: Form | None) -> dict[str, Any] | None:
    """Where the field stands that was just moved, so that it can be said and keeps the focus."""
    name = request.GET.get("moved", "")
    names = [field.name for field in form.fields] if form else []
    field = form.field(name) if form and name in names else None
    if field is None:
        return None
    number = names.index(name) + 1
    text = _("“%(label)s” now stands at place %(number)d of %(all)d.")
    return {
        "name": name,
        "by": "up" if request.GET.get("by") == "up" else "down",
        "words": text % {"label": field.shown_label[:60], "number": number, "all": len(names)},
    }


urlpatterns = [
    path("w/<slug:slug>/flows/<str:id>/form/", builder, name="form_builder"),
    path("w/<slug:slug>/flows/<str:id>/form/change/", change, name="form_change"),
    path("w/<slug:slug>/flows/<str:id>/form/words/", words, name="form_words"),
]
