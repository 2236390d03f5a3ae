"""Pages of an app: its logo, and the choices that it gives for one of its fields, requested by a form with a URL that can be kept."""

from collections.abc import Mapping

from django import forms
from django.http import Http404, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from workflows_ui.core.text import Message
from workflows_ui.credentials.services import engine_session
from workflows_ui.engine import EngineError
from workflows_ui.engine.images import NoImage
from workflows_ui.engine_objects.pieces import Piece
from workflows_ui.members.models import Role
from workflows_ui.pieces import apps, connections as connection_list, logos, options as resource_options
from workflows_ui.pieces.catalogue import choices_url
from workflows_ui.pieces.options import Answer, OptionsForm, OptionsRequest
from workflows_ui.resource_admin.places import list_url, object_url
from workflows_ui.resource_admin.resource import Text
from workflows_ui.web import messages, responses
from workflows_ui.web.access import member
from workflows_ui.web.requests import ConsoleRequest

#: Maximum length of a value in a URL.
_LONGEST = 500


@never_cache
@require_safe
@member(Role.BUILDER)
def options(request: ConsoleRequest, slug: str, piece: str) -> HttpResponse:
    """The form, and below it the app's choices. The app is only called if `show` is in the URL. Raises EngineError."""
    session = engine_session.open_session(request.access)
    row = apps.piece(session, piece)
    known = resource_options.asked_fields(Piece(row))
    if not known:
        raise Http404
    chosen = known.get(request.GET.get("field", ""))
    wants_connection = any(item.connected for item in known.values())
    connections = connection_list.connections_of_app(session, piece) if wants_connection else []
    show = "show" in request.GET
    form = OptionsForm(
        data=request.GET if show else None,
        initial={**request.GET.dict()},
        known=known,
        chosen=chosen,
        connections=connections,
    )
    answer: Answer | None = None
    problem: Message | None = None
    message: Text = ""
    if show and form.is_valid() and chosen:
        try:
            answer = resource_options.ask(session, Piece(row), chosen, form.cleaned_data)
        except forms.ValidationError as error:
            form.add_error(None, error)
        except EngineError as error:
            problem, message = messages.error_message(error), error.message[:300]
    context = {
        "title": apps.title(row),
        "form": form,
        "chosen": chosen,
        "answer": answer,
        "lines": _lines(answer, chosen, known, request, slug, piece) if answer and chosen else [],
        "problem": problem,
        "said": message,
        "url": choices_url(slug, piece),
        "piece_url": object_url(slug, "pieces", piece),
        "list_url": list_url(slug, "pieces"),
        "most": resource_options.MOST,
    }
    return responses.page(request, "resources/pieces/options.html", context, fragments=("options",))


def _lines(
    answer: Answer,
    chosen: OptionsRequest,
    known: Mapping[str, OptionsRequest],
    request: ConsoleRequest,
    slug: str,
    piece: str,
) -> list[dict[str, object]]:
    """The choices, each with links to fields whose choices depend on this one, and on no other that was not chosen yet."""
    siblings = [item for item in known.values() if item.operation == chosen.operation and item.name != chosen.name]
    open_ = {item.name for item in siblings if not request.GET.get(f"with-{item.name}")}
    dependents = [item for item in siblings if chosen.name in item.needs and open_.isdisjoint(item.needs)]
    carried = {key: str(value) for key, value in request.GET.items() if key.startswith("with-") or key == "connection"}
    lines = list[dict[str, object]]()
    for label, value in answer.choices:
        chosen_values = {**carried, f"with-{chosen.name}": value}
        following = dependents if len(value) <= _LONGEST else []
        ways = [(item.label, choices_url(slug, piece, **chosen_values, field=item.key)) for item in following]
        lines.append({"label": label, "value": value, "ways": ways})
    return lines


@require_safe
@member(Role.VIEWER)
def logo(request: ConsoleRequest, slug: str, piece: str) -> HttpResponse:
    """The picture at the address that the engine's catalogue names, if the console may and can fetch it; else nothing (204)."""
    session = engine_session.open_session(request.access)
    found = Piece(next((app for app in apps.catalogue_or_none(session) if app["name"] == piece), None))
    if not logos.logo_path(session, found):
        return HttpResponse(status=204)
    try:
        kind, body = logos.load_logo(found.logo_url)
    except NoImage:
        return HttpResponse(status=204)
    headers = {"Cache-Control": "private, max-age=86400", "Content-Security-Policy": "default-src 'none'; sandbox"}
    return HttpResponse(body, content_type=kind, headers=headers)
