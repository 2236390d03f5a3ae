"""The masked values of a run, a flow or a launch: a builder who gives a reason sees one of them, in a response that is not stored."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables

from workflows_ui.audit.requests import actor
from workflows_ui.audit.services import audit_log
from workflows_ui.core import json_text
from workflows_ui.core.crypto import CannotOpen
from workflows_ui.core.json_values import JsonType, json_type
from workflows_ui.core.paths import text_of
from workflows_ui.core.readers import as_items, mapping_of
from workflows_ui.credentials.services import engine_session
from workflows_ui.engine import HIDDEN
from workflows_ui.launches.models import Launch
from workflows_ui.launches.services import launches, secrets as launch_secrets
from workflows_ui.members.models import Role
from workflows_ui.resources import BY_NAME
from workflows_ui.resources.reveal.forms import HiddenForm
from workflows_ui.web import responses
from workflows_ui.web.access import member
from workflows_ui.web.requests import ConsoleRequest

#: Maximum masked values on one page, and the depth of the search, which equals the maximum depth shown.
MOST, _DEEPEST = 200, 60
_LONGEST_KEY, _LONGEST = 80, 1000


@dataclass(frozen=True)
class Hidden:
    """One masked value: its path as text, and the value. `key` identifies the path and reveals nothing of the value."""

    key: str
    where: str
    value: str = field(repr=False)


def find_hidden(original: object, masked: object) -> list[Hidden]:
    """The values that differ between an object as the engine sent it and its masked copy, in order, at most MOST."""
    result = []
    differing = ((path, value) for path, value in _differing(original, masked, ()) if value not in ("", HIDDEN))
    for path, value in islice(differing, MOST):
        name = "\x1f".join(path).encode("utf-8", "replace")
        where = " › ".join(part[:_LONGEST_KEY] for part in path)
        result.append(Hidden(hashlib.sha256(name).hexdigest()[:24], where, value))
    return result


def _differing(original: object, masked: object, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    if original == masked or len(path) > _DEEPEST:
        return
    types = json_type(original), json_type(masked)
    if types == (JsonType.OBJECT, JsonType.OBJECT):
        shown = mapping_of(masked)
        for key, inner in mapping_of(original).items():
            yield from _differing(inner, shown.get(str(key)), (*path, str(key)))
    elif types == (JsonType.LIST, JsonType.LIST) and len(items := as_items(original)) == len(
        hidden := as_items(masked)
    ):
        for number, (inner, hid) in enumerate(zip(items, hidden, strict=True), start=1):
            yield from _differing(inner, hid, (*path, str(number)))
    else:
        is_text = types[0] is JsonType.TEXT
        yield path, text_of(original) if is_text else json.dumps(original, ensure_ascii=False, indent=2)


@never_cache
@member(Role.BUILDER)
@sensitive_variables("row")
def hidden_values(request: ConsoleRequest, slug: str, resource: str, id: str) -> HttpResponse:
    """Hidden values of a run or a flow. Raises EngineError."""
    kind, session = BY_NAME[resource], engine_session.open_session(request.access)
    row = kind.get(session, id)
    masked = kind.masked_whole(session, row)
    links = {"list_label": kind.label_plural, "list_url": kind.url(slug), "object_url": kind.url(slug, id)}
    hidden = find_hidden(row, masked)
    return _answer(request, id, resource, kind.title(masked), hidden, links, credential=session.credential_id)


@never_cache
@member(Role.BUILDER)
@sensitive_variables("found", "hidden")
def of_launch(request: ConsoleRequest, slug: str, id: str) -> HttpResponse:
    """Hidden values of a launch: in its payload, its answer and its failure."""
    row = get_object_or_404(launches.visible_launches(request.access).select_related("workspace"), pk=id)
    found, masked = {}, {}
    for label, name in ((_("Inputs"), "payload"), (_("Answer"), "answer"), (_("Error"), "failure")):
        found[label] = _value(row, name)
        masked[label] = launch_secrets.masked(row, found[label], name)
    links = {
        "list_label": _("Launches"),
        "list_url": reverse("launches", args=[slug]),
        "object_url": reverse("launch", args=[slug, row.pk]),
    }
    hidden = find_hidden(found, masked)
    return _answer(request, row.pk, "launch", row.flow_name or row.flow_id, hidden, links)


def _value(row: Launch, name: str) -> object:
    try:
        text = launch_secrets.masked_field(row, name)
        return json_text.parse(text)
    except CannotOpen:
        return None
    except json_text.BadPayload:
        return text


@sensitive_variables("hidden", "value", "context")
def _answer(
    request: ConsoleRequest,
    id: str,
    kind: str,
    title: str,
    hidden: list[Hidden],
    links: Mapping[str, object],
    *,
    credential: str = "",
) -> HttpResponse:
    """GET lists the masked values, and asks for a reason. POST logs it, and then shows the chosen value.

    `credential` is the id of the one that read them; "" for launches, which the console keeps.

    No htmx here: a fragment would be stored in the browser's history of the page.
    """
    value = event = None
    data = request.POST if request.method == "POST" else None
    form = HiddenForm([(item.key, item.where) for item in hidden], data)
    if request.method == "POST" and form.is_valid():
        value = next(item for item in hidden if item.key == form.cleaned_data["place"])
        event = audit_log.begin(
            actor(request),
            f"{kind}.reveal",
            workspace=request.access.workspace,
            object_type=kind,
            object_id=id[:120],
            object_name=title[:_LONGEST],
            reason=form.cleaned_data["reason"],
            credential=credential,
            place=value.where[:_LONGEST],
        )
    context: dict[str, object] = {"places": hidden if value is None else [], "shown": value, "title": title, **links}
    page = responses.form_page(request, "web/hidden.html", form, context)
    if event is not None:
        audit_log.end(event)
    return page
