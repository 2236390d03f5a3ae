"""From a draft to what launchers see, and back: publish, take away, discard, what differs, an old version as the draft."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from workflows_ui.forming.document import BadForm, Form
from workflows_ui.forms.form_builder import PublishForm
from workflows_ui.kit import form_words, respond
from workflows_ui.kit.access import member
from workflows_ui.kit.request import ConsoleRequest, actor
from workflows_ui.models import LaunchForm, LaunchFormVersion, Role
from workflows_ui.services import launch_forms
from workflows_ui.views import form_place
from workflows_ui.views.form_place import Place


@never_cache
@member(Role.BUILDER)
def publish(request: ConsoleRequest, slug: str, id: str) -> HttpResponse:
    """Says what changes for launchers, and publishes the draft."""
    place = form_place.find(request, id, wanted=True)
    if not place.drafted:
        messages.info(request, _("There is no draft: what launchers see is all there is."))
        return respond.redirect(request, place.url())
    typed = PublishForm(request.POST if request.method == "POST" else None)
    if request.method != "POST":
        return _publish_page(place, typed)
    if not typed.is_valid():
        return _publish_page(place, typed, status=422)
    try:
        version = launch_forms.publish(
            actor(request), request.access, id, lock=form_place.lock_of(request) or 0, words=typed.cleaned_data["words"]
        )
    except launch_forms.Stale as stale:
        return _publish_page(form_place.find(request, id), typed, stale=form_place.stale_words(stale), status=422)
    except launch_forms.NothingToPublish:
        return respond.redirect(request, place.url())
    except BadForm as problem:
        typed.add_error(None, str(problem))
        return _publish_page(place, typed, status=422)
    text = _("Version %(n)d of the form is published. Launchers see it from now on.")
    messages.success(request, text % {"n": version.number})
    return respond.redirect(request, place.url())


def _publish_page(place: Place, typed: PublishForm, *, stale: str = "", status: int = 200) -> HttpResponse:
    before = place.row.published if place.row else None
    changes = form_words.differences(launch_forms.form_of(before), place.form) if before and place.form else []
    context = place.context(typed=typed, stale=stale, before=before, changes=changes)
    return respond.page(place.request, "form_builder/publish.html", context, status=status)


@never_cache
@member(Role.BUILDER)
def unpublish(request: ConsoleRequest, slug: str, id: str) -> HttpResponse:
    """Takes the form away from launchers, once that was confirmed. Its versions stay."""
    place = form_place.find(request, id, wanted=True)
    if place.row is None or place.row.published is None:
        messages.info(request, _("Launchers do not see this form."))
        return respond.redirect(request, place.url())
    if request.method != "POST":
        return _question(place, "unpublish")
    try:
        launch_forms.unpublish(actor(request), request.access, id, lock=form_place.lock_of(request) or 0)
    except launch_forms.Stale as stale:
        return _question(form_place.find(request, id), "unpublish", stale=stale)
    messages.success(
        request, _("Launchers no longer see this form. Its versions are kept, and the last one is the draft.")
    )
    return respond.redirect(request, place.url())


@never_cache
@member(Role.BUILDER)
def drop(request: ConsoleRequest, slug: str, id: str) -> HttpResponse:
    """Forgets the draft, once that was confirmed; what is published stays."""
    place = form_place.find(request, id, wanted=True)
    if place.row is None or not place.drafted:
        return respond.redirect(request, place.url())
    if request.method != "POST":
        return _question(place, "drop")
    try:
        launch_forms.drop_draft(actor(request), request.access, id, lock=form_place.lock_of(request) or 0)
    except launch_forms.Stale as stale:
        return _question(form_place.find(request, id), "drop", stale=stale)
    messages.success(request, _("The draft is discarded."))
    return respond.redirect(request, place.url())


@never_cache
@member(Role.BUILDER)
def restore(request: ConsoleRequest, slug: str, id: str, number: int) -> HttpResponse:
    """Makes an old version the draft, once that was confirmed. Nothing is published by it."""
    place = form_place.find(request, id)
    version = _version(place.row, number)
    if request.method != "POST":
        return _question(place, "restore", version=version)
    try:
        launch_forms.restore(actor(request), request.access, id, number, lock=form_place.lock_of(request) or 0)
    except launch_forms.Stale as stale:
        return _question(form_place.find(request, id), "restore", version=version, stale=stale)
    text = _("Version %(n)d is the draft now. Look at it, then publish it.")
    messages.success(request, text % {"n": number})
    return respond.redirect(request, place.url())


def _question(
    place: Place, deed: str, *, version: LaunchFormVersion | None = None, stale: launch_forms.Stale | None = None
) -> HttpResponse:
    changes = form_words.differences(place.form, launch_forms.form_of(version)) if version and place.form else []
    context = place.context(
        deed=deed, version=version, changes=changes, stale=form_place.stale_words(stale) if stale else ""
    )
    return respond.page(place.request, "form_builder/question.html", context, status=422 if stale else 200)


@never_cache
@require_safe
@member(Role.BUILDER)
def difference(request: ConsoleRequest, slug: str, id: str) -> HttpResponse:
    """What differs between `?old=` and `?new=`: numbers of versions, or nothing for the draft (else what launchers see)."""
    place = form_place.find(request, id, wanted=True)
    versions = [*launch_forms.versions(place.row)] if place.row else []
    known = [str(version.number) for version in versions]
    new = request.GET.get("new", "")
    new = new if new in known else ("" if place.drafted else (known[0] if known else ""))
    old = request.GET.get("old", "")
    old = old if old in known else next((number for number in known if number != new), "")
    forms = {str(version.number): version for version in versions}
    compared = old in forms and old != new and (new in forms or place.drafted)
    changes: list[form_words.Change] = []
    if compared:
        later = launch_forms.form_of(forms[new]) if new in forms else place.form or Form()
        changes = form_words.differences(launch_forms.form_of(forms[old]), later)
    choices = [(number, _("Version %(n)s") % {"n": number}) for number in known]
    context = place.context(
        versions=choices,
        newer=[*([("", _("The draft"))] if place.drafted else []), *choices],
        old=old,
        new=new,
        compared=compared,
        changes=changes,
    )
    return respond.page(request, "form_builder/difference.html", context)


def _version(row: LaunchForm | None, number: int) -> LaunchFormVersion:
    found: Any = launch_forms.versions(row).filter(number=number).first() if row else None
    if not isinstance(found, LaunchFormVersion):
        raise Http404
    return found


_HERE = "w/<slug:slug>/flows/<str:id>/form/"
urlpatterns = [
    path(_HERE + "publish/", publish, name="form_publish"),
    path(_HERE + "unpublish/", unpublish, name="form_unpublish"),
    path(_HERE + "discard/", drop, name="form_drop"),
    path(_HERE + "difference/", difference, name="form_difference"),
    path(_HERE + "versions/<int:number>/restore/", restore, name="form_restore"),
]
