"""What a launcher has to know about a flow, read from the engine's flow (api.md 6.2), and what stands in the way of launching it."""

from dataclasses import dataclass, field
from typing import Any, Literal

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from workflows_ui.engine import EngineError, Workflows, flow_tree
from workflows_ui.kit.words import Words

Start = Literal["call", "form", "schedule", "event", "nothing"]

#: Pieces by the last part of their names: a fork may publish them under a scope of its own.
_STARTS: dict[str, Start] = {"piece-webhook": "call", "piece-forms": "form", "piece-schedule": "schedule"}

#: What a launch starts. A form's own page, too, sends what was filled in to the webhook's address: so the engine's source has it, of whose
#: form trigger there is no recording.
LAUNCHED: frozenset[Start] = frozenset({"call", "form"})

STARTS: dict[Start, str | Promise] = {
    "call": _("When it is called, as by this launch"),
    "form": _("By its form, which people fill in"),
    "schedule": _("By the clock"),
    "event": _("By something that happens elsewhere"),
    "nothing": _("By nothing yet: it has no trigger"),
}


@dataclass(frozen=True)
class Facts:
    """A flow as a launch would meet it: the published version's name, trigger and steps, where one is published."""

    id: str
    name: str
    on: bool
    published: bool
    #: There is a newer draft, which a launch does not run.
    newer_draft: bool
    start: Start
    #: The trigger's own name, such as "Catch Webhook".
    trigger: str
    #: The trigger asks for a password or header of its own, which the console does not have.
    guarded: bool
    #: A step of the flow gives an answer, so that waiting for one makes sense.
    answers: bool
    #: The console asks for the trigger's fields itself, so that the flow's own form is not needed.
    fielded: bool = False
    #: The trigger with all steps after it, as the engine has them.
    tree: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @property
    def start_words(self) -> str | Promise:
        """What starts the flow."""
        return STARTS[self.start]

    @property
    def obstacles(self) -> list[Words]:
        """Why a launch would not start the flow as things are; empty where nothing is known to stand in the way."""
        found = []
        if not self.published:
            found.append(_UNPUBLISHED)
        elif not self.on:
            found.append(_OFF)
        if self.start == "form" and self.fielded:
            return found
        if self.start != "call":
            found.append(_OTHER_START[self.start])
        elif self.guarded:
            found.append(_GUARDED)
        return found


_UNPUBLISHED = Words(
    _("This flow is not published"),
    _("Only a published flow can be launched; so far it is a draft."),
    _("Ask a builder to publish it."),
)
_OFF = Words(
    _("This flow is off"),
    _("The engine starts no flow that is switched off."),
    _("Ask a builder to switch it on."),
)
_GUARDED = Words(
    _("This flow's trigger asks for a password of its own"),
    _("The console does not have it. The engine would take the launch and start nothing."),
    _("Ask a builder to let the trigger do without."),
)
_OTHER_START: dict[str, Words] = {
    "form": Words(
        _("This flow starts with its form"),
        _("It expects what people fill in there, and may do nothing with other values."),
        _("Open its form instead, or give the form's fields as values."),
    ),
    "schedule": Words(
        _("This flow starts by the clock"),
        _("It is not made to be launched by hand, and may do nothing with the values below."),
        _("Ask a builder for a flow that starts with a webhook."),
    ),
    "event": Words(
        _("This flow starts by something that happens elsewhere"),
        _("It is not made to be launched by hand, and may do nothing with the values below."),
        _("Ask a builder for a flow that starts with a webhook."),
    ),
    "nothing": Words(
        _("This flow has no trigger"),
        _("Nothing can start it yet."),
        _("Ask a builder to give it a webhook trigger."),
    ),
}


def ask(workflows: Workflows, flow_id: str) -> Facts:
    """Asks the engine. Where the newest version is a draft, the published one is read too: that is what a launch runs.

    Raises EngineError.
    """
    flow = _dict(workflows.get_flow(flow_id))
    published = _text(flow, "publishedVersionId")
    version = _dict(flow.get("version"))
    if not published or published == _text(version, "id"):
        return read(flow, version)
    try:
        live = _dict(_dict(workflows.get_flow(flow_id, version_id=published)).get("version"))
    except EngineError:
        live = version  # the draft tells nearly as much
    return read(flow, live, newer_draft=True)


def read(flow: dict[str, Any], version: dict[str, Any], *, newer_draft: bool = False) -> Facts:
    """The facts of a flow and the version of it that runs, whatever is missing or odd in them (recording `flow_get_orders_for_test`)."""
    trigger = _dict(version.get("trigger"))
    settings = _dict(trigger.get("settings"))
    auth = _text(_dict(settings.get("input")), "authType")
    return Facts(
        id=_text(flow, "id"),
        name=_text(version, "displayName") or _text(flow, "id"),
        on=_text(flow, "status") == "ENABLED",
        published=bool(_text(flow, "publishedVersionId")),
        newer_draft=newer_draft,
        start=start_of(trigger),
        trigger=_text(trigger, "displayName"),
        guarded=auth not in {"", "none"},
        answers=any(_answers(node.step, _piece(trigger)) for node in flow_tree.walk(trigger)),
        tree=trigger,
    )


def start_of(trigger: Any) -> Start:
    """What starts a flow with this trigger; those in LAUNCHED are started from outside."""
    piece = _piece(trigger)
    return _STARTS.get(piece, "event") if piece else "nothing"


def _answers(step: dict[str, Any], trigger: str) -> bool:
    """Whether a step gives the answer of a waiting launch: one of the trigger's own piece does (api.md 7.2)."""
    action = _text(_dict(step.get("settings")), "actionName")
    return (
        trigger in {"piece-webhook", "piece-forms"} and _piece(step) == trigger and action.startswith("return_response")
    )


def _piece(step: Any) -> str:
    """The name of a step's piece without its scope; "" where it has none."""
    return _text(_dict(_dict(step).get("settings")), "pieceName").rpartition("/")[2]


def sample(page: Any) -> Any | None:
    """The values of the newest sample event of a flow's trigger (recording `trigger_events_list`); None where there is none.

    A webhook's event is the whole request; its body is what a launch sends. Its headers are left out.
    """
    rows = page.get("data") if isinstance(page, dict) else None
    first = rows[0] if isinstance(rows, list) and rows else None
    payload = first.get("payload") if isinstance(first, dict) else None
    if isinstance(payload, dict) and "headers" in payload:
        return payload.get("body")
    return payload


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(found: dict[str, Any], key: str) -> str:
    value = found.get(key)
    return value if isinstance(value, str) else ""
