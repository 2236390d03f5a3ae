"""Proposed fields for a launch form, from what the flow reads: at first all, later those that the form lacks."""

import json
from collections.abc import Collection, Iterable
from dataclasses import replace

from django.http import HttpResponse
from django.utils.translation import gettext as _, ngettext

from workflows_ui.core import formats
from workflows_ui.form_schema.document import BadForm, Field, Form, name_for, overlap
from workflows_ui.launch_forms import form_fit
from workflows_ui.launch_forms.editor.views.page import EditorPage, builder_page, field_row, flow_name
from workflows_ui.launch_forms.proposal import changes
from workflows_ui.launch_forms.services import launch_forms, sources as form_sources

#: Fields that can be added, by their values in the page.
Offers = dict[str, Field]


@builder_page()
def propose(page: EditorPage) -> HttpResponse:
    """Display the fields that the form lacks, or add the ticked ones (`whole`: all of them) to the draft.

    The others are excluded from then on; `leave` is the button for adding none. Raises EngineError and NoCredential, since without
    the flow there is no proposal.
    """
    request, (session, flow) = page.request, page.flow()
    tree = form_fit.trigger(session, flow)
    proposal = form_sources.propose(session.workflows, request.access.workspace, page.flow_id, tree)
    offers, name = _list_offers(page, proposal), flow_name(flow)
    if not page.posted:
        return _page(page, offers, _initially_ticked(page.form, offers, tree), name=name)
    ticked = request.POST.getlist("take")
    wanted = [field for key, field in offers.items() if key in ticked or "whole" in request.POST]
    if not wanted and page.form is not None and "leave" not in request.POST:
        return _page(page, offers, ticked, error=_("Select at least one field."))
    excluded = [field.path for field in offers.values() if field not in wanted]
    try:
        page.save(_append_fields(page.form or Form(), wanted).leaving_out(excluded), flow_name=name)
    except launch_forms.Stale as stale:
        current = page.after(stale)
        return _page(current, _list_offers(current, proposal), ticked, error=current.stale)
    except BadForm as problem:
        return _page(page, offers, ticked, error=str(problem))
    if not wanted:
        return page.redirect(_("They stay out of the form, and are not reported as missing."))
    text = ngettext("%(n)d field is in the draft now.", "%(n)d fields are in the draft now.", len(wanted))
    return page.redirect(text % {"n": len(wanted)})


def _list_offers(page: EditorPage, proposal: Form) -> Offers:
    """Fields of the published form and of the proposal that do not overlap with the fields of the form."""
    taken = [field.path for field in page.form.fields] if page.form else []
    offers: Offers = {}
    for field in (*_published_fields(page), *proposal.fields):
        if not any(overlap(field.path, path) for path in taken):
            offers[json.dumps(field.path, ensure_ascii=False)] = field
            taken.append(field.path)
    return offers


def _published_fields(page: EditorPage) -> tuple[Field, ...]:
    published = page.row.published if page.row and page.drafted else None
    return published.open_form().fields if published else ()


def _initially_ticked(form: Form | None, offers: Offers, tree: object) -> set[str]:
    """All fields of a new form, else those that the flow reads and the form lacks."""
    if form is None:
        return set(offers)
    missing = changes.fit(form, tree).missing
    return {key for key, field in offers.items() if any(overlap(field.path, path) for path in missing)}


def _append_fields(form: Form, fields: Iterable[Field]) -> Form:
    """The form with these fields appended, under unused names. Rules about missing fields are dropped."""
    for field in fields:
        taken = set(form.names)
        form = form.with_field(replace(field, name=name_for(field.path, taken) if field.name in taken else field.name))
    with_known_rules = (
        replace(field, show_if=None) if field.show_if and field.show_if.field not in form.names else field
        for field in form.fields
    )
    return replace(form, fields=tuple(with_known_rules))


def _page(
    page: EditorPage, offers: Offers, ticked: Collection[str], *, name: str = "", error: str = ""
) -> HttpResponse:
    before = _published_fields(page)
    lines = [field_row(field, key=key, before=field in before) for key, field in offers.items()]
    shown_name = name if not page.name and formats.visible(name) else page.shown_name
    return page.render("propose", wrong=bool(error), lines=lines, ticked=ticked, error=error, name=shown_name)
