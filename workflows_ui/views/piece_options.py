"""Choices that an app gives for one of its fields: asked for by a form whose address can be kept."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.http import Http404, HttpResponse
from django.urls import path, reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from workflows_ui.engine import EngineError
from workflows_ui.kit import caller, respond, words
from workflows_ui.kit.access import member
from workflows_ui.kit.request import ConsoleRequest
from workflows_ui.kit.resource import Row, Text, pick
from workflows_ui.models import Role
from workflows_ui.resources import apps, connection_list, piece_options
from workflows_ui.resources.piece_options import Answer, Asked, OptionsForm

#: Characters of a value that an address takes.
_LONGEST = 500


@never_cache
@require_safe
@member(Role.BUILDER)
def options(request: ConsoleRequest, slug: str, piece: str) -> HttpResponse:
    """The form, and below it what the app gave. The app is asked only once `show` is in the address. Raises EngineError."""
    asking = caller.of(request.access)
    row = apps.piece(asking, piece)
    known = piece_options.asked_fields(row)
    if not known:
        raise Http404
    chosen = known.get(request.GET.get("field", ""))
    wants_connection = any(one.connected for one in known.values())
    connections = connection_list.of_app(asking, piece) if wants_connection else []
    show = "show" in request.GET
    form = OptionsForm(
        request.GET if show else None,
        initial=request.GET.dict(),
        known=known,
        chosen=chosen,
        connections=connections,
        labels=_labels(row, chosen),
    )
    answer: Answer | None = None
    problem: words.Words | None = None
    said: Text = ""
    if show and form.is_valid() and chosen:
        try:
            answer = piece_options.ask(asking, row, chosen, form.cleaned_data)
        except forms.ValidationError as error:
            form.add_error(None, error)
        except EngineError as error:
            problem, said = words.of_error(error), error.message[:300]
    context = {
        "title": apps.title(row),
        "form": form,
        "chosen": chosen,
        "answer": answer,
        "lines": _lines(answer, chosen, known, request, slug, piece) if answer and chosen else [],
        "problem": problem,
        "said": said,
        "url": address(slug, piece),
        "piece_url": reverse("resource_detail", kwargs={"slug": slug, "resource": "pieces", "id": piece}),
        "list_url": reverse("resource_list", kwargs={"slug": slug, "resource": "pieces"}),
        "most": piece_options.MOST,
    }
    return respond.page(request, "pieces/options.html", context, fragments=("options",))


def address(slug: str, piece: str, **query: str) -> str:
    """The page of an app's choices; `query` fills in the form."""
    return reverse("piece_options", kwargs={"slug": slug, "piece": piece}, query=query or None)


def _labels(row: Row, chosen: Asked | None) -> dict[str, str]:
    if chosen is None:
        return {}
    found: dict[str, str] = {}
    for kind in ("actions", "triggers"):
        operations = row.get(kind)
        props = pick(operations.get(chosen.operation), "props") if isinstance(operations, Mapping) else None
        for name, prop in props.items() if isinstance(props, Mapping) else ():
            label = pick(prop, "displayName")
            found[str(name)] = label[:200] if isinstance(label, str) else ""
    return found


def _lines(
    answer: Answer, chosen: Asked, known: Mapping[str, Asked], request: ConsoleRequest, slug: str, piece: str
) -> list[dict[str, Any]]:
    """The choices, each with the ways on to fields whose choices depend on this one, and on no other that was not chosen yet."""
    siblings = [one for one in known.values() if one.operation == chosen.operation and one.name != chosen.name]
    open_ = {one.name for one in siblings if not request.GET.get(f"with-{one.name}")}
    dependents = [one for one in siblings if chosen.name in one.needs and open_.isdisjoint(one.needs)]
    own = {f"with-{chosen.name}", "field"}
    kept = {
        name: str(value)
        for name, value in request.GET.items()
        if (name.startswith("with-") or name == "connection") and name not in own
    }
    lines = []
    for choice in answer.choices:
        value = {f"with-{chosen.name}": choice.value} if len(choice.value) <= _LONGEST else {}
        ways = [(one.label, address(slug, piece, **kept, **value, field=one.key)) for one in dependents if value]
        lines.append({"label": choice.label, "value": choice.value, "ways": ways})
    return lines


urlpatterns = [path("w/<slug:slug>/pieces/options/<path:piece>/", options, name="piece_options")]
