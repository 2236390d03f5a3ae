"""Triggers: they start a flow through its webhook (api.md section 7)."""

import re
from collections.abc import Callable, Sequence
from typing import Any

from workflows_ui.engine import response_errors
from workflows_ui.engine.answer import Answer
from workflows_ui.engine.calls import Calls, segment
from workflows_ui.engine.errors import EngineError, FlowFailed, HiddenValue, NoRoute, Unknown
from workflows_ui.engine.multipart import Upload
from workflows_ui.engine.trigger import TriggerAnswer
from workflows_ui.engine.writes import Refusal, only_unclear, refusals, write

_MARKER = re.compile(r"[0-9A-Za-z]{21}")


class Triggers(Calls):
    """Each method sends at most one request, on a new connection, and no lower layer repeats it."""

    def trigger_flow(self, flow_id: str, payload: Any = None) -> Any:
        """`POST /v1/webhooks/{id}`: starts the published flow and does not wait. Return `{}`.

        The flow gets `payload` as `trigger.body`. Raises NotFound for a disabled or unknown flow (`trigger_flow_sync` raises Unknown,
        since a flow can answer like that), Unknown if the answer does not show
        whether the flow was started, and the errors of `send_trigger`.
        """
        answer = self.send_trigger(flow_id, {} if payload is None else payload, wait=False)
        return answer.value() if answer.outcome == "accepted" else self._raise(answer, flow_id)

    def trigger_flow_sync(self, flow_id: str, payload: Any = None) -> Any:
        """`POST /v1/webhooks/{id}/sync`: starts the flow and waits for its answer, for 30 s at the engine.

        Return the flow's answer, of any status (422 and 301 are answers too): JSON decoded, else text, else bytes; None if it is
        empty or the flow did not answer in time (it goes on running). Raises FlowFailed if the flow failed before its answer, and
        the errors of `trigger_flow`.
        """
        answer = self.send_trigger(flow_id, {} if payload is None else payload, wait=True)
        return answer.value() if answer.outcome in ("answered", "waited_out") else self._raise(answer, flow_id)

    def send_trigger(
        self,
        flow_id: str,
        payload: Any,
        *,
        wait: bool,
        draft: bool = False,
        marker: str | None = None,
        before_first_byte: Callable[[], None] | None = None,
        deadline: float = 45.0,
        files: Sequence[Upload] = (),
    ) -> TriggerAnswer:
        """Start a flow; `TriggerAnswer.outcome` interprets the answer.

        Args:
            payload: anything JSON can hold. `None` is sent as `null`.
            draft: the newest version runs as a test, also of a flow that is off (api.md section 7; recording `webhook_draft_sync`).
            marker: 21 characters of `[0-9A-Za-z]`; the run carries it as `parentRunId` and in its trigger's headers
                (recording `webhook_headers_parent_run`). Raises ValueError for another shape.
            before_first_byte: called after the connection, TLS and the peer's address were checked, directly before the request's
                first byte. If it raises, nothing is sent and its exception is raised unchanged.
            deadline: seconds for the whole call. More than 35 if `wait` is set: engine and gateway both wait 30 s.
            files: each becomes an address under its key in the trigger's body. `payload` must be an object then, else ValueError.

        Raises:
            NotSent: nothing was sent; it may be sent again (AddressRefused: the address is not allowed).
            Unknown: it was sent and no complete answer arrived; it must not be sent again.
        """
        if marker is not None and not _MARKER.fullmatch(marker):
            raise ValueError("A marker is 21 characters of 0-9, A-Z, a-z.")
        return self._triggers.send(
            self._url(f"/v1/webhooks/{segment(flow_id)}{'/draft' if draft else ''}{'/sync' if wait else ''}"),
            payload,
            wait=wait,
            headers={"ap-parent-run-id": marker, "x-console-launch-id": marker} if marker else {},
            before_first_byte=before_first_byte,
            deadline=deadline,
            files=files,
        )

    @write(only_unclear())
    def test_draft(self, flow_id: str, payload: Any) -> TriggerAnswer:
        """`POST /v1/webhooks/{id}/draft/sync`: runs the newest version once and waits for its answer, for 30 s at the engine.

        The run is of the kind TESTING, which no list has, and the payload becomes the trigger's sample. Return the answer, of any status;
        204 if the flow did not answer in time, and on 0.83 if it failed (recording `webhook_sync_flow_fails_500`).

        Raises Unknown if the answer is not the engine's and for an unknown flow, NotSent, HiddenValue.
        """
        self._check_ids("flows", flow_id)
        try:
            answer = self.send_trigger(flow_id, payload, wait=True, draft=True)
        except ValueError as problem:
            raise HiddenValue(str(problem), code="HIDDEN_VALUE", sent=False) from problem
        # A draft also runs while the flow is off: a 404 of the engine's handler is the flow's answer.
        if answer.outcome == "unknown" or (answer.outcome == "off_or_answered" and answer.status == 410):
            self._raise(answer, flow_id, refusals())
        return answer

    def _raise(self, answer: TriggerAnswer, flow_id: str, proofs: Sequence[Refusal] | None = None) -> Any:
        what = f"POST /v1/webhooks/{segment(flow_id)}"
        error = response_errors.error_for_answer(
            Answer(answer.status, answer.headers, answer.body),
            write=True,
            what=what,
            secrets=self._transport.auth.secrets(),
            refusals=proofs,
        )
        if error is not None and (answer.outcome == "refused" or isinstance(error, NoRoute)):
            raise error
        kind: type[EngineError] = FlowFailed if answer.outcome == "failed" else Unknown
        raise kind(
            error.message if error else "The answer does not show whether the flow was started.",
            status=answer.status,
            code=error.code if error else "",
            request_id=answer.headers.get("x-request-id", "")[:100],
            sent=True if kind is FlowFailed else None,
            technical=f"{what}: {answer.status}, {len(answer.body)} bytes, {answer.outcome}",
        )
