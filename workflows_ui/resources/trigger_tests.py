"""Testing a flow's trigger in either of the engine's two ways, and the samples that tests leave (api.md section 12).

The engine does not tell whether it listens: the address of the page that waits knows since when, and what was the newest sample then.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from workflows_ui.kit import flow_facts, readable, redact, show
from workflows_ui.kit.caller import Caller
from workflows_ui.kit.resource import Action, Row, Text, id_at, pick
from workflows_ui.resources import apps
from workflows_ui.resources.flow_reading import deleting, name_of, trigger_of

#: The engine's word for each way.
ASK, WAIT = "ask", "wait"
_STRATEGIES = {ASK: "TEST_FUNCTION", WAIT: "SIMULATION"}
#: Samples that the page shows, and seconds for which it looks for one that is waited for.
SHOWN, PATIENCE = 10, 600


class TestForm(forms.Form):
    """Which way."""

    def __init__(self, *args: Any, caller: Caller, row: Row, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        wanted = _recommended(caller, row)
        told = {
            WAIT: _("Wait for a real event. The engine listens, and keeps the next event that comes as a sample."),
            ASK: _("Ask now. The engine asks the app at once, and keeps the latest that it has as a sample."),
        }
        self.fields["how"] = forms.ChoiceField(
            label=_("How is it tested?"),
            choices=[
                (way, f"{text} {_('The app recommends this.') if way == wanted else ''}") for way, text in told.items()
            ],
            widget=forms.RadioSelect,
            initial=wanted or (WAIT if waits_for_calls(row) else ASK),
        )


@dataclass(frozen=True)
class Sample:
    """A stored event, ready to read: the parts of it with their headings, the rest folded, and the whole of it as JSON."""

    id: str
    created: Any
    source: str
    new: bool
    parts: Sequence[tuple[Text, readable.Node]]
    more: Sequence[tuple[Text, readable.Node]]
    raw: Any


def waits_for_calls(flow: Row) -> bool:
    """Whether the trigger is a webhook, which somebody else calls: nobody can be asked for its latest."""
    return flow_facts.start_of(trigger_of(flow)) == "call"


def page_url(slug: str, id: str, **query: Any) -> str:
    """The page of a flow's samples."""
    return reverse("flow_trigger_test", kwargs={"slug": slug, "id": id}, query=query or None)


def samples(caller: Caller, id: str) -> list[Row]:
    """The newest stored samples of a flow's trigger, newest first, secrets masked. Raises EngineError."""
    found = caller.workflows.list_trigger_events(id, limit=SHOWN).get("data") or []
    rows = [redact.step(row) for row in found if isinstance(row, dict)]
    return sorted(rows, key=lambda row: str(row.get("created") or ""), reverse=True)


def in_words(rows: Sequence[Row], new: set[str]) -> list[Sample]:
    """The samples made ready to read; those whose ids are `new` are marked. What a page cannot carry is left out and counted."""
    room = readable.Room()
    return [_sample(row, new, room) for row in rows]


def cancel(caller: Caller, id: str) -> None:
    """Ends the waiting of a flow's trigger. Raises EngineError. Where it does not wait, nothing happens."""
    flow = caller.workflows.get_flow(id)
    caller.workflows.cancel_test_trigger(_body(flow, id, WAIT))


def _run(caller: Caller, id: str, data: dict[str, Any]) -> dict[str, Any]:
    flow, how = caller.workflows.get_flow(id), data["how"]
    if how == WAIT:
        before = samples(caller, id)
        caller.workflows.test_trigger(_body(flow, id, WAIT))
        return {"how": WAIT, "waiting": int(time.time()), "seen": id_at(before[0]) if before else ""}
    page = caller.workflows.test_trigger(_body(flow, id, ASK))
    found = page.get("data") if isinstance(page, dict) else None
    made = [id_at(row) for row in found if isinstance(row, dict)] if isinstance(found, list) else []
    return {"how": ASK, "made": made}


def _body(flow: Row, id: str, way: str) -> dict[str, Any]:
    return {"flowId": id, "flowVersionId": pick(flow, "version.id"), "testStrategy": _STRATEGIES[way]}


def _recommended(caller: Caller, flow: Row) -> str:
    """The way that the piece itself names (api.md 11.2); "" where it does not, or where the engine does not give the piece."""
    piece, name = pick(trigger_of(flow), "settings.pieceName"), pick(trigger_of(flow), "settings.triggerName")
    if not isinstance(piece, str) or not piece:
        return ""
    nothing: dict[str, Any] = {}
    found = caller.remember_or(nothing, f"piece:{piece}", apps.REMEMBERED, lambda: apps.asked(caller, piece))
    triggers = found.get("triggers")
    strategy = (
        pick(triggers.get(name), "testStrategy") if isinstance(triggers, dict) and isinstance(name, str) else None
    )
    return next((way for way, word in _STRATEGIES.items() if word == strategy), "")


def _can_test(flow: Row) -> bool:
    return flow_facts.start_of(trigger_of(flow)) != "nothing" and bool(pick(flow, "version.id")) and not deleting(flow)


def _explained(flow: Row) -> Text:
    said = [
        _(
            "The draft's trigger is tested, or the published one where there is no draft. A test alone runs no step of the flow."
        )
    ]
    if flow.get("status") == "ENABLED":
        said.append(_("The flow is on: a real event runs it too, as always."))
    if waits_for_calls(flow):
        said.append(_("A webhook has nobody to ask: its sample is empty that way."))
    return " ".join(said)


def _done(_flow: Row, answer: Any) -> Text:
    if answer["how"] == WAIT:
        return _("The engine listens for the next event.")
    count = len(answer["made"])
    if not count:
        return _("The app was asked, and had nothing to give.")
    return ngettext("The app gave %(n)d sample.", "The app gave %(n)d samples.", count) % {"n": count}


def _then(slug: str, flow: Row, answer: Any) -> str:
    key = id_at(flow)
    if answer["how"] == WAIT:
        return page_url(slug, key, waiting=answer["waiting"], seen=answer["seen"])
    return page_url(slug, key, made=answer["made"][:SHOWN])


def _sample(row: Row, new: set[str], room: readable.Room) -> Sample:
    payload, key, source = row.get("payload"), id_at(row), row.get("sourceName")
    parts: list[tuple[Text, Any]] = [("", payload)]
    more: list[tuple[Text, Any]] = []
    if isinstance(payload, dict) and "body" in payload and "headers" in payload:
        parts = [(_("What was sent"), payload["body"])]
        if payload.get("queryParams"):
            parts.append((_("Values in the address"), payload["queryParams"]))
        more = [(_("About the request"), {name: payload.get(name) for name in ("method", "headers")})]
    return Sample(
        key,
        row.get("created"),
        source[:200] if isinstance(source, str) else "",
        bool(key) and key in new,
        [(heading, readable.of(value, room)) for heading, value in parts],
        [(heading, readable.of(value, room)) for heading, value in more],
        payload,
    )


#: Stands on a flow's page; leads to the page of its samples.
TEST = Action(
    "test-trigger",
    gettext_lazy("Test the trigger"),
    "vial",
    _run,
    form=TestForm,
    confirm=_explained,
    button=lambda row: _("Test the trigger of “%(name)s”") % {"name": show.cut(name_of(row))},
    offered=_can_test,
    done=_done,
    then=_then,
)
