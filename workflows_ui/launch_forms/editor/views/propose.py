"""Proposed fields for a launch form, from what the flow reads: at first all, later those that the form lacks."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache

from workflows_ui.launch_forms import form_fit
from workflows_ui.launch_forms.editor.views import page as launch_form_page
from workflows_ui.launch_forms.editor.views.page import EditorPage
from workflows_ui.launch_forms.messages import forms as form_messages
from workflows_ui.launch_forms.proposal import changes
from workflows_ui.launch_forms.schema.document import BadForm, Field, Form, name_for
from workflows_ui.launch_forms.services import launch_forms
from workflows_ui.launch_forms.services import sources as form_sources
from workflows_ui.members.models import Role
from workflows_ui.web import formats, responses
from workflows_ui.web.access import member
from workflows_ui.web.requests import ConsoleRequest


@dataclass(frozen=True)
class Offer:
    """A field that can be added. `key` is its value in the page; `before`: launchers have it in the published form."""

    key: str
    field: Field
    before: bool = False

    @property
    def line(self) -> dict[str, Any]:
        """The template data of its row."""
        return {
            "key": self.key,
            "label": self.field.shown_label,
            "kind": form_messages.KINDS[self.field.kind],
            "icon": form_messages.ICONS[self.field.kind],
            "place": form_messages.field_location(self.field),
            "why": form_messages.why(self.field.why),
            "required": self.field.required,
            "before": self.before,
        }


@never_cache
@member(Role.BUILDER)
def propose(request: ConsoleRequest, slug: str, id: str) -> HttpResponse:
    """Display the fields that the form lacks, or add the ticked ones (`whole`: all of them) to the draft.

    The others are excluded from then on; `leave` is the button for adding none. Raises EngineError and NoCredential, since without
    the flow there is no proposal.
    """
    page = launch_form_page.find(request, id)
    session, flow = page.flow()
    tree = form_fit.trigger(session, flow)
    proposal = form_sources.propose(session.workflows, request.access.workspace, id, tree)
    offered = _list_offers(page, proposal)
    if request.method != "POST":
        wanted_first = {offer.key for offer in offered if _initially_ticked(offer, page.form, tree)}
        return _page(page, offered, wanted_first, name=launch_form_page.flow_name(flow))
    ticked = set(request.POST.getlist("take"))
    wanted = [offer for offer in offered if offer.key in ticked or "whole" in request.POST]
    if not wanted and page.form is not None and "leave" not in request.POST:
        return _page(page, offered, ticked, error=_("Tick at least one field."), status=422)
    try:
        page.save(
            _append_fields(page.form or Form(), [offer.field for offer in wanted]).leaving_out(
                offer.field.path for offer in offered if offer not in wanted
            ),
            launch_form_page.lock_of(request),
            flow_name=launch_form_page.flow_name(flow),
        )
    except launch_forms.Stale as stale:
        current = launch_form_page.find(request, id)
        return _page(
            current, _list_offers(current, proposal), ticked, error=launch_form_page.stale_message(stale), status=422
        )
    except BadForm as problem:
        return _page(page, offered, ticked, error=str(problem), status=422)
    if not wanted:
        messages.success(request, _("They stay out of the form, and are not reported as lacking."))
        return responses.redirect(request, page.url())
    text = ngettext("%(n)d field is in the draft now.", "%(n)d fields are in the draft now.", len(wanted))
    messages.success(request, text % {"n": len(wanted)})
    return responses.redirect(request, page.url())


def _list_offers(page: EditorPage, proposal: Form) -> list[Offer]:
    """Fields of the published form and of the proposal that do not overlap with the fields of the form."""
    own = list(page.form.fields) if page.form else []
    row = page.row
    seen = row.published.open_form().fields if row and row.published and page.drafted else ()
    result: list[Offer] = []
    for field, before in [*((field, True) for field in seen), *((field, False) for field in proposal.fields)]:
        taken = [field.path for field in own] + [offer.field.path for offer in result]
        if any(_overlap(field.path, path) for path in taken):
            continue
        result.append(Offer(json.dumps(field.path, ensure_ascii=False), field, before))
    return result


def _initially_ticked(offer: Offer, form: Form | None, tree: Any) -> bool:
    """Whether a field is ticked initially: all fields of a new form, else those that the flow reads and the form lacks."""
    return form is None or any(_overlap(offer.field.path, lack.path) for lack in changes.fit(form, tree).missing)


def _overlap(first: tuple[str, ...], second: tuple[str, ...]) -> bool:
    shorter = min(len(first), len(second))
    return first[:shorter] == second[:shorter]


def _append_fields(form: Form, fields: Sequence[Field]) -> Form:
    """The form with these fields appended, under unused names. Rules about missing fields are dropped."""
    for field in fields:
        taken = {existing.name for existing in form.fields}
        name = name_for(field.path, taken) if field.name in taken else field.name
        form = form.with_field(replace(field, name=name))
    names = {field.name for field in form.fields}
    kept = tuple(
        replace(field, show_if=None) if field.show_if and field.show_if.field not in names else field
        for field in form.fields
    )
    return replace(form, fields=kept)


def _page(
    page: EditorPage, offered: Sequence[Offer], ticked: set[str], *, name: str = "", error: str = "", status: int = 200
) -> HttpResponse:
    context = page.context(lines=[offer.line for offer in offered], ticked=ticked, error=error)
    if not page.name and formats.visible(name):
        context["name"] = name
    return responses.page(page.request, "launch_forms/editor/propose.html", context, status=status)
