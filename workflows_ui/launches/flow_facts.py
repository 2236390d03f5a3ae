"""Facts about a flow for its launch, read from the engine's flow (api.md 6.2), and obstacles to launching it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from workflows_ui.core.paths import list_at, pick
from workflows_ui.core.readers import as_text, mapping_of
from workflows_ui.core.text import Message
from workflows_ui.engine import EngineError, Workflows, flow_tree
from workflows_ui.engine_objects.flows import ENABLED, Flow, FlowVersion, Step

Start = Literal["call", "form", "schedule", "event", "nothing"]

#: Pieces by the last part of their names: a fork may publish them under another scope.
_STARTS: dict[str, Start] = {"piece-webhook": "call", "piece-forms": "form", "piece-schedule": "schedule"}

#: Starts that a launch triggers. The engine's form page also posts to the webhook's address (recordings `form_submit_async_json`,
#: `form_wait_submit_sync`).
LAUNCHED: frozenset[Start] = frozenset({"call", "form"})

STARTS: dict[Start, str | Promise] = {
    "call": _("When it is called, as by this launch"),
    "form": _("By its form, which people fill in"),
    "schedule": _("Scheduled"),
    "event": _("By something that happens elsewhere"),
    "nothing": _("By nothing yet: it has no trigger"),
}


@dataclass(frozen=True)
class Facts:
    """A flow as launched: name, trigger and steps of the published version, if there is one."""

    id: str
    name: str
    on: bool
    published: bool
    newer_draft: bool  # A launch does not run it.
    start: Start
    trigger: str  # The trigger's own name, such as "Catch Webhook".
    guarded: bool  # The trigger asks for a password or header of its own, which the console does not have.
    answers: bool  # A step of the flow returns an answer, so that waiting for one makes sense.
    fielded: bool = False  # The console has inputs for the trigger's fields: the flow's own form is not needed.
    #: The engine's trigger object with all steps after it.
    tree: Mapping[str, object] = field(default_factory=dict, repr=False, compare=False)

    @property
    def start_label(self) -> str | Promise:
        return STARTS[self.start]

    @property
    def obstacles(self) -> list[Message]:
        """Why a launch would not start the flow at present; empty if no obstacle is known."""
        messages = []
        if not self.published:
            messages.append(_UNPUBLISHED)
        elif not self.on:
            messages.append(_OFF)
        if self.start == "form" and self.fielded:
            return messages
        if self.start != "call":
            messages.append(_OTHER_START[self.start])
        elif self.guarded:
            messages.append(_GUARDED)
        return messages


_UNPUBLISHED = Message(
    _("This flow is not published"),
    _("Only a published flow can be launched; so far it is a draft."),
    _("Ask a builder to publish it."),
)
_OFF = Message(
    _("This flow is off"),
    _("The engine starts no flow that is turned off."),
    _("Ask a builder to turn it on."),
)
_GUARDED = Message(
    _("This flow's trigger asks for a password of its own"),
    _(
        "The console does not have it. The engine takes a launch that does not wait and starts nothing. A launch that waits may run all "
        "the same: engines of version 0.83 do not check the password there."
    ),
    _("Ask a builder to remove the password from the trigger."),
)
_OTHER_START: dict[str, Message] = {
    "form": Message(
        _("This flow starts with its form"),
        _("It expects what people fill in there, and may ignore other values."),
        _("Open its form instead, or enter the form's fields as values."),
    ),
    "schedule": Message(
        _("This flow starts on a schedule"),
        _("It is not meant to be launched by hand, and may ignore the values below."),
        _("Ask a builder for a flow that starts with a webhook."),
    ),
    "event": Message(
        _("This flow starts by something that happens elsewhere"),
        _("It is not meant to be launched by hand, and may ignore the values below."),
        _("Ask a builder for a flow that starts with a webhook."),
    ),
    "nothing": Message(
        _("This flow has no trigger"),
        _("Nothing can start it yet."),
        _("Ask a builder to give it a webhook trigger."),
    ),
}


def load_facts(workflows: Workflows, flow_id: str) -> Facts:
    """Load the facts from the engine. If the latest version is a draft, the published one, which a launch runs, is read too.

    Raises EngineError.
    """
    flow = Flow(workflows.get_flow(flow_id))
    if not flow.has_draft:
        return read(flow, flow.version)
    try:
        live = Flow(workflows.get_flow(flow_id, version_id=flow.published_version_id)).version
    except EngineError:
        live = flow.version  # the draft has nearly the same facts
    return read(flow, live, newer_draft=True)


def read(
    found: Flow | Mapping[str, object], live: FlowVersion | Mapping[str, object], *, newer_draft: bool = False
) -> Facts:
    """The facts from a flow and its version that runs (recording `flow_get_orders_for_test`)."""
    flow, version = Flow(found), FlowVersion(live)
    trigger = version.trigger
    return Facts(
        id=flow.id,
        name=version.display_name or flow.id,
        on=flow.status == ENABLED,
        published=flow.is_published,
        newer_draft=newer_draft,
        start=start_of(trigger),
        trigger=trigger.display_name,
        guarded=as_text(trigger.settings.input.get("authType")) not in {"", "none"},
        answers=any(_answers(Step(node.step), trigger.settings.piece) for node in flow_tree.walk(trigger.raw)),
        tree=trigger.raw,
    )


def start_of(trigger: object) -> Start:
    """The kind of start of a flow with this trigger. Those in LAUNCHED are started by a launch."""
    piece = Step(trigger).settings.piece
    return _STARTS.get(piece, "event") if piece else "nothing"


def _answers(step: Step, trigger: str) -> bool:
    """Whether a step returns the answer of a waiting launch. It must be of the trigger's own piece (api.md 7.2)."""
    returns = step.settings.action_name.startswith("return_response")
    return returns and trigger in {"piece-webhook", "piece-forms"} and step.settings.piece == trigger


def sample(page: object) -> object:
    """The values of the latest sample event of a flow's trigger (recording `trigger_events_list`), or None.

    A webhook's event is the whole request; its body is what a launch sends. Its headers are left out.
    """
    payload = pick(next(iter(list_at(page, "data")), None), "payload")
    request = mapping_of(payload)
    return request.get("body") if "headers" in request else payload
