"""What a flow reads, as fields to take into its launch form: the whole proposal at first, later what the form does not have."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache

from workflows_ui.forming import changes
from workflows_ui.forming.document import BadForm, Field, Form, name_for
from workflows_ui.kit import form_words, respond
from workflows_ui.kit.access import member
from workflows_ui.kit.request import ConsoleRequest
from workflows_ui.models import Role
from workflows_ui.resources import form_fit
from workflows_ui.services import form_sources, launch_forms
from workflows_ui.views import form_place
from workflows_ui.views.form_place import Place


@dataclass(frozen=True)
class Offered:
    """A field that the form can have. `key` names it in the page; `before` says that launchers have it now."""

    key: str
    field: Field
    before: bool = False

    @property
    def line(self) -> dict[str, Any]:
        """As its row shows it."""
        return {
            "key": self.key,
            "label": self.field.shown_label,
            "kind": form_words.KINDS[self.field.kind],
            "icon": form_words.ICONS[self.field.kind],
            "place": form_words.place(self.field),
            "why": form_words.why(self.field.why),
            "required": self.field.required,
            "before": self.before,
        }


@never_cache
@member(Role.BUILDER)
def propose(request: ConsoleRequest, slug: str, id: str) -> HttpResponse:
    """Shows the fields that the form does not have, or takes the ticked ones (`whole`: all of them) into the draft. The others were
    seen and stay out; `leave` is the button for none of them.

    Raises EngineError, NoCredential: without the flow there is nothing to propose.
    """
    place = form_place.find(request, id)
    asker, flow = place.flow()
    tree = form_fit.trigger(asker, flow)
    proposal = form_sources.propose(asker.workflows, request.access.workspace, id, tree)
    offered = _offered(place, proposal)
    if request.method != "POST":
        return _page(place, offered, {one.key for one in offered if _wanted(one, place.form, tree)})
    ticked = set(request.POST.getlist("take"))
    wanted = [one for one in offered if one.key in ticked or "whole" in request.POST]
    if not wanted and place.form is not None and "leave" not in request.POST:
        return _page(place, offered, ticked, error=_("Tick at least one field."), status=422)
    try:
        place.save(
            _with(place.form or Form(), [one.field for one in wanted]).leaving_out(
                one.field.path for one in offered if one not in wanted
            ),
            form_place.lock_of(request),
            flow_name=form_place.flow_name(flow),
        )
    except launch_forms.Stale as stale:
        now = form_place.find(request, id)
        return _page(now, _offered(now, proposal), ticked, error=form_place.stale_words(stale), status=422)
    except BadForm as problem:
        return _page(place, offered, ticked, error=str(problem), status=422)
    if not wanted:
        messages.success(request, _("They stay out of the form, and are not reported as lacking."))
        return respond.redirect(request, place.url())
    said = ngettext("%(n)d field is in the draft now.", "%(n)d fields are in the draft now.", len(wanted))
    messages.success(request, said % {"n": len(wanted)})
    return respond.redirect(request, place.url())


def _offered(place: Place, proposal: Form) -> list[Offered]:
    """What the proposal has, and what launchers have now, that would fit beside the fields of the form."""
    own = list(place.form.fields) if place.form else []
    row = place.row
    seen = launch_forms.form_of(row.published).fields if row and row.published and place.drafted else ()
    found: list[Offered] = []
    for field, before in [*((one, True) for one in seen), *((one, False) for one in proposal.fields)]:
        taken = [one.path for one in own] + [one.field.path for one in found]
        if any(_overlap(field.path, path) for path in taken):
            continue
        found.append(Offered(json.dumps(field.path, ensure_ascii=False), field, before))
    return found


def _wanted(one: Offered, form: Form | None, tree: Any) -> bool:
    """Whether a field is ticked from the start: all of a new form, what the flow reads and the form lacks."""
    return form is None or any(_overlap(one.field.path, lack.path) for lack in changes.fit(form, tree).missing)


def _overlap(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    shorter = min(len(one), len(other))
    return one[:shorter] == other[:shorter]


def _with(form: Form, fields: Sequence[Field]) -> Form:
    """The form with these fields at its end, under names that are free in it. A rule about a field that is not there is left out."""
    for field in fields:
        taken = {one.name for one in form.fields}
        name = name_for(field.path, taken) if field.name in taken else field.name
        form = form.with_field(replace(field, name=name))
    names = {field.name for field in form.fields}
    kept = tuple(
        replace(field, show_if=None) if field.show_if and field.show_if.field not in names else field
        for field in form.fields
    )
    return replace(form, fields=kept)


def _page(
    place: Place, offered: Sequence[Offered], ticked: set[str], *, error: str = "", status: int = 200
) -> HttpResponse:
    context = place.context(lines=[one.line for one in offered], ticked=ticked, error=error)
    return respond.page(place.request, "form_builder/propose.html", context, status=status)


urlpatterns = [path("w/<slug:slug>/flows/<str:id>/form/propose/", propose, name="form_propose")]
