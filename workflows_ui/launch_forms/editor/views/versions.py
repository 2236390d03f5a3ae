"""Publication of launch forms: publish, unpublish, discard the draft, compare and restore versions; files with a form."""

import functools
from typing import Protocol

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.utils.text import slugify
from django.utils.translation import gettext as _, ngettext
from django.views.decorators.http import require_safe

from workflows_ui.audit.services import audit_log
from workflows_ui.core.collation import plain
from workflows_ui.flows import owners
from workflows_ui.form_schema import schema_in
from workflows_ui.form_schema.document import BadForm, Form
from workflows_ui.launch_forms import messages as form_messages
from workflows_ui.launch_forms.editor.forms import ImportForm, PublishForm
from workflows_ui.launch_forms.editor.views.page import EditorPage, builder_page, flow_name
from workflows_ui.launch_forms.models import LaunchFormVersion
from workflows_ui.launch_forms.services import launch_forms
from workflows_ui.launches.services import watching
from workflows_ui.members.services.access import Access
from workflows_ui.notifications.models import WatchKind
from workflows_ui.web import responses


class _Change(Protocol):
    """A service that changes the form."""

    def __call__(self, actor: audit_log.Actor, access: Access, flow_id: str, /, *, lock: int) -> object: ...


@builder_page(wanted=True)
def publish(page: EditorPage) -> HttpResponse:
    """Display the changes for launchers, and publish the draft."""
    if not page.drafted:
        return page.redirect(_("There is no draft: what launchers see is all there is."), level=messages.INFO)
    typed = PublishForm(page.request.POST if page.posted else None)
    if typed.is_valid():
        try:
            version = launch_forms.publish(*page.target, lock=page.lock or 0, words=typed.cleaned_data["words"])
        except launch_forms.Stale as stale:
            page = page.after(stale)
        except launch_forms.NothingToPublish:
            return page.redirect()
        else:
            text = _("Version %(n)d of the form is published. Launchers see it from now on.") % {"n": version.number}
            return page.redirect(f"{text} {_notify_of_failures(page)}" if version.number == 1 else text)
    before = page.row.published if page.row else None
    changes = form_messages.differences(before.open_form(), page.form) if before and page.form else []
    return page.render("publish", wrong=bool(typed.errors), typed=typed, before=before, changes=changes)


def _notify_of_failures(page: EditorPage) -> str:
    """Let the flow's owner be notified of its failures from its first form on, until they leave; without a known owner, the person who
    publishes it. Return the sentence about it.
    """
    access = page.request.access
    owner = owners.member_of(access.workspace, owners.find_owner(access, page.flow_id)) or access.user
    watching.start_watching(owner, access.workspace, WatchKind.FLOW, page.flow_id, page.name)
    if owner.pk == access.user.pk:
        return _("You will be notified when it fails.")
    return _("%(name)s, who owns the flow, will be notified when it fails.") % {"name": owner.label}


@builder_page(wanted=True)
def unpublish(page: EditorPage) -> HttpResponse:
    """Unpublish the form after a confirmation. Its versions stay."""
    if page.row is None or page.row.published is None:
        return page.redirect(_("Launchers do not see this form."), level=messages.INFO)
    text = _("Launchers no longer see this form. Its versions are kept, and the last one is the draft.")
    return _confirm(page, "unpublish", launch_forms.unpublish, text)


@builder_page(wanted=True)
def drop(page: EditorPage) -> HttpResponse:
    """Discard the draft after a confirmation. The published form stays."""
    if page.row is None or not page.drafted:
        return page.redirect()
    return _confirm(page, "drop", launch_forms.drop_draft, _("The draft is discarded."))


@builder_page()
def restore(page: EditorPage, number: int) -> HttpResponse:
    """Copy an old version to the draft after a confirmation, without publishing it."""
    version = _version(page, number)
    text = _("Version %(n)d is the draft now. Review it, then publish it.") % {"n": number}
    return _confirm(page, "restore", functools.partial(launch_forms.restore, number=number), text, version)


def _confirm(
    page: EditorPage, action: str, change: _Change, text: str, version: LaunchFormVersion | None = None
) -> HttpResponse:
    """Ask for a confirmation, or change the form and display the text."""
    if page.posted:
        try:
            change(*page.target, lock=page.lock or 0)
        except launch_forms.Stale as stale:
            page = page.after(stale)
        else:
            return page.redirect(text)
    changes = form_messages.differences(page.form, version.open_form()) if version and page.form else []
    return page.render("question", action=action, version=version, changes=changes)


@require_safe
@builder_page(wanted=True)
def difference(page: EditorPage) -> HttpResponse:
    """Compare `?old=` and `?new=`: numbers of versions; an empty `new` is the draft, else the latest version."""
    versions = {str(version.number): version for version in launch_forms.versions(page.row)} if page.row else {}
    new, old = page.request.GET.get("new", ""), page.request.GET.get("old", "")
    if new not in versions:
        new = "" if page.drafted else next(iter(versions), "")
    if old not in versions:
        old = next((number for number in versions if number != new), "")
    compared = old in versions and old != new and (new in versions or page.drafted)
    later = versions[new].open_form() if new in versions else page.form or Form()
    choices = [(number, _("Version %(n)s") % {"n": number}) for number in versions]
    return page.render(
        "difference",
        versions=choices,
        newer=[*([("", _("The draft"))] if page.drafted else []), *choices],
        old=old,
        new=new,
        compared=compared,
        changes=form_messages.differences(versions[old].open_form(), later) if compared else [],
    )


@require_safe
@builder_page(wanted=True)
def export(page: EditorPage) -> HttpResponseBase:
    """Download the draft, else the published form; `?version=` selects a version. Writes an audit row."""
    form, number = page.form, page.request.GET.get("version", "")
    if number:
        form = _version(page, int(number) if number.isdecimal() and len(number) < 10 else 0).open_form()
    if form is None or page.row is None:
        raise Http404
    audit_log.record(page.target[0], "form.export", page.row, flow=page.flow_id)
    name = f"{slugify(plain(page.name))[:60] or 'form'}.form.json"
    return responses.download(launch_forms.export(form), name, "application/schema+json; charset=utf-8")


@builder_page()
def import_file(page: EditorPage) -> HttpResponse:
    """Import a file as the draft. Unsupported content is rejected with a message."""
    typed = ImportForm(page.request.POST, page.request.FILES) if page.posted else ImportForm()
    if typed.is_valid():
        try:
            # One byte more than the limit, to detect that the file is too large.
            form = schema_in.read(typed.cleaned_data["file"].read(schema_in.MOST_BYTES + 1))
            known = page.flow_or_none() if not page.name else None
            page.save(form, flow_name=flow_name(known[1]) if known else "")
        except BadForm as problem:
            typed.add_error("file", str(problem))
        except launch_forms.Stale as stale:
            page = page.after(stale)
        else:
            text = ngettext(
                "The file is the draft now, with %(n)d field. Review it, then publish it.",
                "The file is the draft now, with %(n)d fields. Review it, then publish it.",
                len(form.fields),
            )
            return page.redirect(text % {"n": len(form.fields)})
    return page.render("import", wrong=bool(typed.errors), typed=typed)


def _version(page: EditorPage, number: int) -> LaunchFormVersion:
    if page.row is None:
        raise Http404
    return get_object_or_404(launch_forms.versions(page.row), number=number)
