"""Testing the whole draft: it is sent once, with the trigger's sample, and its answer is shown."""

import json
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests import flows
from tests.practice_engine.fixtures import until
from tests.stage import Stage, lead, outcomes, stage
from tests.stub_engine import text
from workflows_ui.core import caching
from workflows_ui.engine import HIDDEN
from workflows_ui.flow_editing.models import EditState, FlowEdit

__all__ = ["stage"]
both = pytest.mark.parametrize("stage", ["activepieces", "imbrace"], indirect=True)


@pytest.fixture
def flow(stage: Stage) -> str:
    """A flow that was never published and answers with what it got."""
    answer = flows.response({"got": "{{trigger.body.total}}", "token": "abcdefgh12345678"}, 201)
    key = flows.make(stage.session.workflows, "Orders", flows.code("echo"), answer, publish=False)
    stage.practice.journal.clear()
    return key


def url(key: str) -> str:
    return f"/w/sales/flows/do/draft-test/{key}/"


def sent(stage: Stage, key: str) -> int:
    return stage.writes().count(f"POST /v1/webhooks/{key}/draft/sync")


@contextmanager
def killed_at(stage: Stage, path: str) -> Iterator[None]:
    """The console's process ends, as by a signal, while the engine has a POST to this path."""
    stage.practice.engine.faults.add("delay", "POST", path, seconds=3)
    stage.practice.journal.clear()

    def kill() -> None:
        until(lambda: any(one.method == "POST" for one in stage.practice.journal.all()))
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGUSR1)

    before = signal.signal(signal.SIGUSR1, lambda *_: sys.exit(1))
    killer = threading.Thread(target=kill)
    try:
        killer.start()
        with pytest.raises(SystemExit):
            yield
    finally:
        killer.join()
        signal.signal(signal.SIGUSR1, before)
        stage.practice.engine.faults.clear()


def submit(stage: Stage, key: str, payload: str, times: int = 1) -> Any:
    page = stage.browser.get(url(key))
    assert "What it does is real" in text(page.content)
    typed = {"payload": payload, page.context["ticket_name"]: page.context["ticket"]}
    first, *_later = [stage.browser.post(url(key), typed) for _ in range(times)]
    return first


@both
def test_a_draft_is_sent_once_and_its_answer_is_shown(stage: Stage, flow: str) -> None:
    assert "/do/draft-test/" in text(stage.browser.get(f"/w/sales/flows/{flow}/?tab=steps").content)
    done = submit(stage, flow, '{"total": 71}', times=2)
    assert sent(stage, flow) == 1
    assert outcomes()[-2:] == [("flows.draft-test", "begun"), ("flows.draft-test", "done")]
    page = text(stage.browser.get(lead(done)).content)
    assert "The draft answered." in page
    assert "201 Created" in page
    assert "71" in page
    assert "abcdefgh12345678" not in page
    assert "does not list test runs" in page


def test_the_answer_of_a_draft_is_kept_while_the_cache_is_away(stage: Stage, flow: str) -> None:
    caching.availability.down_until = float("inf")
    done = submit(stage, flow, '{"total": 73}')
    assert "73" in text(stage.browser.get(lead(done)).content)
    assert sent(stage, flow) == 1


def test_a_console_that_is_killed_while_a_draft_runs_leaves_a_row_without_an_end_and_sends_nothing_again(
    stage: Stage, flow: str
) -> None:
    page = stage.browser.get(url(flow))
    typed = {"payload": "{}", page.context["ticket_name"]: page.context["ticket"]}
    with killed_at(stage, f"*/webhooks/{flow}/draft/sync"):
        stage.browser.post(url(flow), typed)
    assert outcomes()[-1] == ("flows.draft-test", "begun")
    assert lead(stage.browser.post(url(flow), typed)).startswith(f"/w/sales/flows/{flow}/")
    assert sent(stage, flow) == 1


def test_a_console_that_is_killed_during_an_edit_leaves_it_unclear(stage: Stage, flow: str) -> None:
    address = f"/w/sales/flows/do/step-rename/{flow}/"
    typed = {"step": "step_1", "name": "Prepare"}
    typed |= {"seen": stage.browser.post(address, typed).context["form"].data["seen"]}
    with killed_at(stage, f"*/v1/flows/{flow}"):
        stage.browser.post(address, typed)
    assert outcomes()[-1] == ("flows.step-rename", "begun")
    edit = FlowEdit.objects.get()
    assert edit.state == EditState.SENT
    assert "Unclear whether it was done" in text(stage.browser.get(f"/w/sales/flows/{flow}/edits/{edit.pk}/").content)


@both
def test_a_draft_that_fails_or_does_not_answer_is_said_to(stage: Stage) -> None:
    key = flows.make(stage.session.workflows, "Broken", flows.code("fail Stock is gone"), publish=False)
    page = text(stage.browser.get(lead(submit(stage, key, "{}"))).content)
    assert "The draft failed before it answered." in page or "no answer came within" in page
    assert sent(stage, key) == 1


@both
def test_an_answer_that_is_not_the_engines_is_unclear_and_nothing_is_sent_again(stage: Stage, flow: str) -> None:
    stage.practice.engine.faults.add("status", "POST", "*/draft/sync", status=502, body="html", act=True)
    refused = submit(stage, flow, "{}")
    assert refused.status_code == 422
    assert "Checking whether it was done" in text(refused.content)
    assert sent(stage, flow) == 1


def test_a_key_that_the_console_hid_in_a_sample_is_not_sent(stage: Stage, flow: str) -> None:
    refused = submit(stage, flow, json.dumps({"key": HIDDEN}))
    assert refused.status_code == 422
    assert HIDDEN in text(refused.content)
    assert not sent(stage, flow)


def test_the_form_holds_what_the_triggers_sample_was_started_with(stage: Stage, flow: str) -> None:
    submit(stage, flow, '{"total": 72}')
    form = stage.browser.get(url(flow)).context["form"]
    assert "72" in form["payload"].value()


def test_the_form_of_a_draft_that_never_ran_holds_what_its_steps_read(stage: Stage) -> None:
    step = flows.code("echo", who="{{trigger.body.customer.mail}}", sum="{{trigger['body']['total']}}")
    lines = flows.code("echo", sku="{{trigger.body.lines[0].sku}}")
    key = flows.make(stage.session.workflows, "Orders", step, lines, publish=False)
    form = stage.browser.get(url(key)).context["form"]
    assert json.loads(form["payload"].value()) == {"customer": {"mail": ""}, "total": 0, "lines": [{"sku": ""}]}


def test_a_flow_that_no_call_starts_offers_the_test_of_its_trigger_only(stage: Stage) -> None:
    clock = next(
        one for one in stage.practice.engine.state.flows.values() if (one.get("triggerSource") or {}).get("schedule")
    )
    page = text(stage.browser.get(f"/w/sales/flows/{clock['id']}/?tab=steps").content)
    assert "/do/draft-test/" not in page
    assert "/do/test-trigger/" in page


def test_an_answer_that_is_not_kept_any_more_is_said_to_be_gone(stage: Stage, flow: str) -> None:
    assert "no longer kept" in text(stage.browser.get(f"/w/sales/flows/{flow}/draft-test/?test=nothing").content)
