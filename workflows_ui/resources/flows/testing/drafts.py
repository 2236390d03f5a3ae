"""Testing the whole draft: the engine runs the newest version once and the console waits for its answer.

The inputs leave by the connection that launches use, which sends once. A test is not a launch: its run is of the kind TESTING, which no
list of the engine contains (api.md section 8), so it could not be followed, nor could a lost answer be concluded.
"""

import json
import secrets
from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.cache import cache
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from workflows_ui.core import crypto, redaction
from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.engine import EngineError, TriggerAnswer
from workflows_ui.launch_forms.proposal import proposing
from workflows_ui.launch_forms.schema import checking, json_text
from workflows_ui.launch_forms.schema.document import NUMBERS, Column, Field, Kind
from workflows_ui.launches import flow_facts
from workflows_ui.resource_admin.resource import Action, Row, id_at
from workflows_ui.resources.flows.reading import deleting, trigger_of
from workflows_ui.resources.places import subpage_url
from workflows_ui.web.json_field import JsonField

#: Seconds for which an answer can be read, and the most bytes of one that is kept whole.
_KEPT_FOR, _LONGEST = 3600, 500_000
#: Empty values of the kinds that are not texts.
_EMPTY: Mapping[Kind, Any] = {
    **dict.fromkeys(NUMBERS, 0),
    Kind.YES_NO: False,
    Kind.LIST: [],
    Kind.CHOICES: [],
    Kind.JSON: {},
}


class DraftTestForm(forms.Form):
    """The inputs of the draft, filled with the sample of its trigger, otherwise with empty values of what its steps read."""

    discreet = frozenset({"payload"})
    payload = JsonField(
        label=_("Inputs (JSON)"),
        rows=12,
        required=False,
        help_text=_("Steps read it as {{trigger.body}}. It replaces the sample of the trigger."),
    )

    def __init__(self, *args: Any, session: EngineSession, row: Row, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.is_bound:
            self.initial["payload"] = json_text.pretty(redaction.step(_sample(session, row)) or _outline(row))

    def clean_payload(self) -> Any:
        payload = self.cleaned_data["payload"]
        return {} if payload is None else payload


def _sample(session: EngineSession, flow: Row) -> Any:
    """The inputs in the newest sample of the trigger; {} without one."""
    try:
        return flow_facts.sample(session.workflows.list_trigger_events(id_at(flow), limit=1)) or {}
    except EngineError:
        return {}


def _outline(flow: Row) -> Any:
    """What the steps of the newest version read, with empty values; {} if they read nothing."""
    form = proposing.propose(trigger_of(flow))
    return checking.assemble_payload(form, {field.name: _empty(field) for field in form.fields})


def _empty(field: Field | Column) -> Any:
    if isinstance(field, Field) and field.kind is Kind.TABLE:
        return [{column.key: _empty(column) for column in field.columns}]
    return _EMPTY.get(field.kind, "")


def _run(session: EngineSession, id: str, data: dict[str, Any]) -> dict[str, str]:
    """Send the inputs once, and keep the answer for the page that shows it. Raises EngineError."""
    answer = session.workflows.test_draft(id, data["payload"])
    key = secrets.token_urlsafe(16)
    name = _name(session, id, key)
    # In the database: the answer can be got once only.
    cache.set(name, crypto.seal(json.dumps(_kept(answer)), name), _KEPT_FOR)
    return {"key": key}


def find_answer(session: EngineSession, id: str, key: str) -> Mapping[str, Any] | None:
    """The answer of a test: `status`, `headers`, `body` and `outcome` (TriggerAnswer); None if it is no longer kept."""
    name = _name(session, id, key)
    sealed = cache.get(name)
    try:
        answer: Mapping[str, Any] | None = json.loads(crypto.unseal(sealed, name)) if sealed else None
    except crypto.CannotOpen:
        return None
    return answer


def _name(session: EngineSession, id: str, key: str) -> str:
    """For this credential, since others may have access to other objects."""
    return f"draft-test:{session.workspace.pk}:{session.credential_id}:{id}:{key}"


def _kept(answer: TriggerAnswer) -> dict[str, Any]:
    value = answer.value()
    if isinstance(value, bytes):
        value = gettext("(%(size)d bytes, not text)") % {"size": len(value)}
    elif len(answer.body) > _LONGEST:
        value = answer.body[:_LONGEST].decode("utf-8", "replace")
    return {
        "status": answer.status,
        "headers": redaction.headers(answer.headers),
        "body": redaction.step(value),
        "outcome": answer.outcome,
        "cut": answer.truncated or len(answer.body) > _LONGEST,
    }


def can_test(flow: Row) -> bool:
    """Whether the newest version starts by a call or a form."""
    return flow_facts.start_of(trigger_of(flow)) in flow_facts.LAUNCHED and not deleting(flow)


#: Beside the steps of a flow; leads to the page of the answer.
TEST = Action(
    "draft-test",
    _("Test the draft"),
    "play",
    _run,
    form=DraftTestForm,
    confirm=_(
        "The newest version runs once from its trigger to its end, as it is now, also while the flow is off. What it does is real: "
        "messages are sent, records are written. The page waits for its answer, up to half a minute."
    ),
    button=_("Run the draft once"),
    visible=can_test,
    needs="draft-test",
    tab="steps",
    success_url=lambda slug, flow, answer: f"{subpage_url('draft_test', slug, flow)}?test={answer['key']}",
)
