"""Tests of a flow's trigger in either of the engine's two ways, and the samples that tests leave (api.md section 12).

The engine does not say whether it is listening: the URL of the waiting page holds since when, and the newest sample
then.
"""

import time
from collections.abc import Sequence
from typing import TypedDict, Unpack

from django import forms
from django.urls import reverse
from django.utils.translation import gettext_lazy as _, ngettext

from workflows_ui.core import readable, redaction
from workflows_ui.core.form_arguments import Cleaned, FormArguments
from workflows_ui.core.paths import dicts_at, text_at
from workflows_ui.core.readers import mapping_of
from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.engine_objects.flows import ENABLED, Flow, Step
from workflows_ui.engine_objects.pieces import Piece, PieceOperation
from workflows_ui.flows.reading import trigger_of
from workflows_ui.launches import flow_facts
from workflows_ui.pieces import apps
from workflows_ui.resource_admin.resource import Action, Row, Text, id_at, pick

#: The engine's name for each way.
ASK, WAIT = "ask", "wait"
_STRATEGIES = {ASK: "TEST_FUNCTION", WAIT: "SIMULATION"}
#: Samples on the page, and seconds for which it polls for a new one.
SHOWN, PATIENCE = 10, 600


class TestForm(forms.Form):
    """The way to test."""

    def __init__(self, *, session: EngineSession, row: Row, **arguments: Unpack[FormArguments]) -> None:
        super().__init__(**arguments)
        recommended = _recommended(session, row)
        labels = {
            WAIT: _("Wait for a real event. The engine keeps the next event as a sample."),
            ASK: _("Ask now. The engine asks the app at once, and keeps the latest that it has as a sample."),
        }
        self.fields["how"] = forms.ChoiceField(
            label=_("How is it tested?"),
            choices=[
                (way, f"{text} {_('The app recommends this.') if way == recommended else ''}")
                for way, text in labels.items()
            ],
            widget=forms.RadioSelect,
            initial=recommended or (WAIT if waits_for_calls(row) else ASK),
        )


def waits_for_calls(flow: Row) -> bool:
    """Whether the trigger is a webhook, which only others can call: it has no latest event to request."""
    return flow_facts.start_of(trigger_of(flow)) == "call"


def page_url(slug: str, id: str, **query: object) -> str:
    """The page of a flow's samples."""
    return reverse("flow_trigger_test", kwargs={"slug": slug, "id": id}, query=query or None)


def samples(session: EngineSession, id: str) -> list[Row]:
    """The newest stored samples of a flow's trigger, newest first, secrets masked. Raises EngineError."""
    rows = [redaction.step(row) for row in dicts_at(session.workflows.list_trigger_events(id, limit=SHOWN), "data")]
    return sorted(rows, key=lambda row: str(row.get("created") or ""), reverse=True)


def in_words(rows: Sequence[Row], new: set[str]) -> list[dict[str, object]]:
    """The samples for reading; those whose ids are `new` are marked. What does not fit into a page is left out and counted."""
    room = readable.Room()
    return [_sample(row, new, room) for row in rows]


def cancel(session: EngineSession, id: str) -> None:
    """Stop the wait of a flow's trigger. Raises EngineError. Does nothing if it is not waiting."""
    flow = session.workflows.get_flow(id)
    session.workflows.cancel_test_trigger(_body(flow, id, WAIT))


class Tested(TypedDict):
    """How a trigger is tested, and the ids of its samples; while the engine waits, since when, and the newest sample before."""

    how: str
    made: list[str]
    waiting: int
    seen: str


def _run(session: EngineSession, id: str, data: Cleaned) -> Tested:
    flow, how = session.workflows.get_flow(id), data["how"]
    if how == WAIT:
        before = samples(session, id)
        session.workflows.test_trigger(_body(flow, id, WAIT))
        return {"how": WAIT, "made": [], "waiting": int(time.time()), "seen": id_at(before[0]) if before else ""}
    events = dicts_at(session.workflows.test_trigger(_body(flow, id, ASK)), "data")
    return {"how": ASK, "made": [id_at(row) for row in events], "waiting": 0, "seen": ""}


def _body(flow: Row, id: str, way: str) -> dict[str, object]:
    return {"flowId": id, "flowVersionId": pick(flow, "version.id"), "testStrategy": _STRATEGIES[way]}


def _recommended(session: EngineSession, flow: Row) -> str:
    """The way that the piece itself names (api.md 11.2); "" if it names none, or if the engine does not give the piece."""
    trigger = trigger_of(flow)
    settings = Step(trigger).settings
    if not settings.piece_name:
        return ""
    piece = Piece(apps.piece_or_empty(session, settings.piece_name))
    strategy = piece.triggers.get(settings.trigger_name, PieceOperation({})).test_strategy
    return next((way for way, word in _STRATEGIES.items() if word == strategy), "")


def _can_test(flow: Row) -> bool:
    return (
        flow_facts.start_of(trigger_of(flow)) != "nothing" and bool(Flow(flow).version.id) and not Flow(flow).deleting
    )


def _explained(flow: Row) -> Text:
    sentences = [
        _(
            "The draft's trigger is tested, or the published one where there is no draft. A test alone runs no step of the flow."
        )
    ]
    if Flow(flow).status == ENABLED:
        sentences.append(_("The flow is on: a real event runs it too, as always."))
    if waits_for_calls(flow):
        sentences.append(_("A webhook has no source to ask, so its sample is empty."))
    return " ".join(map(str, sentences))


def _done(_flow: Row, answer: Tested) -> Text:
    if answer["how"] == WAIT:
        return _("The engine is waiting for the next event.")
    count = len(answer["made"])
    if not count:
        return _("The app was asked, and had nothing to give.")
    return ngettext("The app gave %(n)d sample.", "The app gave %(n)d samples.", count) % {"n": count}


def _then(slug: str, flow: Row, answer: Tested) -> str:
    key = id_at(flow)
    if answer["how"] == WAIT:
        return page_url(slug, key, waiting=answer["waiting"], seen=answer["seen"])
    return page_url(slug, key, made=answer["made"][:SHOWN])


def _sample(row: Row, new: set[str], room: readable.Room) -> dict[str, object]:
    """A stored event for its template: its parts with their headings, the rest folded, and the whole event as JSON."""
    payload, key = row.get("payload"), id_at(row)
    request = mapping_of(payload)
    parts: list[tuple[Text, object]] = [("", payload)]
    more: list[tuple[Text, object]] = []
    if "body" in request and "headers" in request:
        parts = [(_("What was sent"), request["body"])]
        if request.get("queryParams"):
            parts.append((_("Values in the address"), request["queryParams"]))
        more = [(_("About the request"), {name: request.get(name) for name in ("method", "headers")})]
    return {
        "id": key,
        "created": row.get("created"),
        "source": text_at(row, "sourceName")[:200],
        "new": bool(key) and key in new,
        "parts": [(heading, readable.readable_node(value, room)) for heading, value in parts],
        "more": [(heading, readable.readable_node(value, room)) for heading, value in more],
        "raw": payload,
    }


#: On a flow's page; leads to the page of its samples.
TEST = Action(
    "test-trigger",
    _("Test the trigger"),
    "test-tube",
    _run,
    form=TestForm,
    confirm=_explained,
    button=_("Test the trigger of “%(name)s”"),
    visible=_can_test,
    done=_done,
    success_url=_then,
)
