"""Publication of launch forms: publish, unpublish, discard the draft, compare and restore versions."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from workflows_ui.launch_forms.editor.forms import PublishForm
from workflows_ui.launch_forms.editor.views import page as launch_form_page
from workflows_ui.launch_forms.editor.views.page import EditorPage
from workflows_ui.launch_forms.messages import forms as form_messages
from workflows_ui.launch_forms.models import LaunchForm, LaunchFormVersion
from workflows_ui.launch_forms.schema.document import BadForm, Form
from workflows_ui.launch_forms.services import launch_forms
from workflows_ui.members.models import Role
from workflows_ui.web import responses
from workflows_ui.web.access import member
from workflows_ui.web.requests import ConsoleRequest, actor


@never_cache
@member(Role.BUILDER)
def publish(request: ConsoleRequest, slug: str, id: str) -> HttpResponse:
    """Display the changes for launchers, and publish the draft."""
    page = launch_form_page.find(request, id, wanted=True)
    if not page.drafted:
        messages.info(request, _("There is no draft: what launchers see is all there is."))
        return responses.redirect(request, page.url())
    typed = PublishForm(request.POST if request.method == "POST" else None)
    if request.method != "POST":
        return _publish_page(page, typed)
    if not typed.is_valid():
        return _publish_page(page, typed, status=422)
    try:
        version = launch_forms.publish(
            actor(request),
            request.access,
            id,
            lock=launch_form_page.lock_of(request) or 0,
            words=typed.cleaned_data["words"],
        )
    except launch_forms.Stale as stale:
        return _publish_page(
            launch_form_page.find(request, id), typed, stale=launch_form_page.stale_message(stale), status=422
        )
    except launch_forms.NothingToPublish:
        return responses.redirect(request, page.url())
    except BadForm as problem:
        typed.add_error(None, str(problem))
        return _publish_page(page, typed, status=422)
    text = _("Version %(n)d of the form is published. Launchers see it from now on.")
    messages.success(request, text % {"n": version.number})
    return responses.redirect(request, page.url())


def _publish_page(page: EditorPage, typed: PublishForm, *, stale: str = "", status: int = 200) -> HttpResponse:
    before = page.row.published if page.row else None
    changes = form_messages.differences(before.open_form(), page.form) if before and page.form else []
    context = page.context(typed=typed, stale=stale, before=before, changes=changes)
    return responses.page(page.request, "launch_forms/editor/publish.html", context, status=status)


@never_cache
@member(Role.BUILDER)
def unpublish(request: ConsoleRequest, slug: str, id: str) -> HttpResponse:
    """Unpublish the form after a confirmation. Its versions stay."""
    page = launch_form_page.find(request, id, wanted=True)
    if page.row is None or page.row.published is None:
        messages.info(request, _("Launchers do not see this form."))
        return responses.redirect(request, page.url())
    if request.method != "POST":
        return _confirmation(page, "unpublish")
    try:
        launch_forms.unpublish(actor(request), request.access, id, lock=launch_form_page.lock_of(request) or 0)
    except launch_forms.Stale as stale:
        return _confirmation(launch_form_page.find(request, id), "unpublish", stale=stale)
    messages.success(
        request, _("Launchers no longer see this form. Its versions are kept, and the last one is the draft.")
    )
    return responses.redirect(request, page.url())


@never_cache
@member(Role.BUILDER)
def drop(request: ConsoleRequest, slug: str, id: str) -> HttpResponse:
    """Discard the draft after a confirmation. The published form stays."""
    page = launch_form_page.find(request, id, wanted=True)
    if page.row is None or not page.drafted:
        return responses.redirect(request, page.url())
    if request.method != "POST":
        return _confirmation(page, "drop")
    try:
        launch_forms.drop_draft(actor(request), request.access, id, lock=launch_form_page.lock_of(request) or 0)
    except launch_forms.Stale as stale:
        return _confirmation(launch_form_page.find(request, id), "drop", stale=stale)
    messages.success(request, _("The draft is discarded."))
    return responses.redirect(request, page.url())


@never_cache
@member(Role.BUILDER)
def restore(request: ConsoleRequest, slug: str, id: str, number: int) -> HttpResponse:
    """Copy an old version to the draft after a confirmation, without publishing it."""
    page = launch_form_page.find(request, id)
    version = _version(page.row, number)
    if request.method != "POST":
        return _confirmation(page, "restore", version=version)
    try:
        launch_forms.restore(actor(request), request.access, id, number, lock=launch_form_page.lock_of(request) or 0)
    except launch_forms.Stale as stale:
        return _confirmation(launch_form_page.find(request, id), "restore", version=version, stale=stale)
    text = _("Version %(n)d is the draft now. Look at it, then publish it.")
    messages.success(request, text % {"n": number})
    return responses.redirect(request, page.url())


def _confirmation(
    page: EditorPage, action: str, *, version: LaunchFormVersion | None = None, stale: launch_forms.Stale | None = None
) -> HttpResponse:
    changes = form_messages.differences(page.form, version.open_form()) if version and page.form else []
    context = page.context(
        action=action, version=version, changes=changes, stale=launch_form_page.stale_message(stale) if stale else ""
    )
    return responses.page(page.request, "launch_forms/editor/question.html", context, status=422 if stale else 200)


@never_cache
@require_safe
@member(Role.BUILDER)
def difference(request: ConsoleRequest, slug: str, id: str) -> HttpResponse:
    """Compare `?old=` and `?new=`: numbers of versions; an empty `new` is the draft, else the latest version."""
    page = launch_form_page.find(request, id, wanted=True)
    versions = [*launch_forms.versions(page.row)] if page.row else []
    known = [str(version.number) for version in versions]
    new = request.GET.get("new", "")
    new = new if new in known else ("" if page.drafted else (known[0] if known else ""))
    old = request.GET.get("old", "")
    old = old if old in known else next((number for number in known if number != new), "")
    forms = {str(version.number): version for version in versions}
    compared = old in forms and old != new and (new in forms or page.drafted)
    changes: list[form_messages.Change] = []
    if compared:
        later = forms[new].open_form() if new in forms else page.form or Form()
        changes = form_messages.differences(forms[old].open_form(), later)
    choices = [(number, _("Version %(n)s") % {"n": number}) for number in known]
    context = page.context(
        versions=choices,
        newer=[*([("", _("The draft"))] if page.drafted else []), *choices],
        old=old,
        new=new,
        compared=compared,
        changes=changes,
    )
    return responses.page(request, "launch_forms/editor/difference.html", context)


def _version(row: LaunchForm | None, number: int) -> LaunchFormVersion:
    version: Any = launch_forms.versions(row).filter(number=number).first() if row else None
    if not isinstance(version, LaunchFormVersion):
        raise Http404
    return version


HERE = "w/<slug:slug>/flows/<str:id>/form/"
