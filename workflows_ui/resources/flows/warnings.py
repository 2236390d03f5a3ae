"""Problems of a flow that the engine accepts without an error: it will not run, or is not protected as it seems."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from workflows_ui.launches import flow_facts
from workflows_ui.resource_admin.resource import Subject
from workflows_ui.resources.flows.reading import deleting, trigger_of
from workflows_ui.resources.pieces import missing_apps
from workflows_ui.web.messages import Message
from workflows_ui.web.paths import dict_at

_UNPROTECTED = Message(
    _("Waiting calls are not protected by this trigger's password"),
    _(
        "The trigger asks for a password or a header. Engines of version 0.83 check it only for calls that do not wait for an answer: a "
        "waiting call runs the flow without it."
    ),
    _("Do not rely on it. Keep the flow's address secret, or check the header in the flow's first step."),
)


def panel(subject: Subject) -> dict[str, Any] | None:
    """`warnings` about the flow's newest version; left out if there are none, and for a flow that is being deleted."""
    flow = subject.object
    if deleting(flow):
        return None
    found = []
    missing = missing_apps.of_tree(subject.session, trigger_of(flow))
    if missing:
        found.append(missing_apps.no_run_words(missing))
    facts = flow_facts.read(dict(flow), dict_at(flow, "version"))
    if facts.guarded and facts.start == "call":
        found.append(_UNPROTECTED)
    return {"warnings": found} if found else None
