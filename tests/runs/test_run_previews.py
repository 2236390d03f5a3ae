"""The preview of a run beside the list: what it shows, whom it shows what, and what it costs."""

import re

import pytest
from django.test import Client

from tests.runs.test_run_starters import launched
from tests.stub_engine import StubEngine, flow, identity, run, text
from tests.users import Users, browser
from workflows_ui.members.models import Member, Role

pytestmark = pytest.mark.django_db
RUNS = "/w/sales/runs/"
PREVIEW = f"{RUNS}{identity(1)}/preview/"
FRAGMENT = {"HX-Request": "true", "HX-Target": "preview"}


def failed(**changes: object) -> dict[str, object]:
    """A run that failed at its second step."""
    step = {"type": "PIECE", "status": "FAILED", "input": {}, "errorMessage": "Line 7: <b>column sku</b> is missing"}
    found = run(1, "FAILED", failedStep={"name": "send", "displayName": "Send", "message": step["errorMessage"]})
    found["steps"]["trigger"]["output"] = {
        "method": "POST",
        "headers": {},
        "queryParams": {},
        "body": {"order": "DH-1042", "password": "hunter2hunter2"},
    }
    found["steps"]["send"] = step
    return found | changes


def test_the_reason_comes_first_then_inputs_and_steps_and_secrets_are_masked(
    owner: Client, stub_engine: StubEngine
) -> None:
    stub_engine.flows, stub_engine.runs = [flow()], [failed()]
    response = owner.get(PREVIEW, headers=FRAGMENT)
    content = text(response.content)
    assert content.strip().startswith('<aside id="preview"')
    places = [content.index(words) for words in ("Line 7: &lt;b&gt;", "DH-1042", "Steps</h3>", "Open the run")]
    assert places == sorted(places)
    assert "hunter2" not in content
    assert "<b>column" not in content


def test_a_row_leads_to_its_preview_and_the_address_keeps_it_open(owner: Client, stub_engine: StubEngine) -> None:
    stub_engine.runs = [failed()]
    page = owner.get(f"{RUNS}?status=FAILED").content.decode()
    [link] = re.findall(r"<a [^>]*data-preview=[^>]*>", page)
    assert f'hx-get="{PREVIEW}"' in link
    assert f'href="{RUNS}?status=FAILED&amp;show={identity(1)}"' in link
    assert '<aside id="preview" class="card preview" hidden>' in page
    shared = owner.get(f"{RUNS}?status=FAILED&show={identity(1)}").content.decode()
    assert f'data-show="{identity(1)}" hx-get="{PREVIEW}"' in shared
    assert "show=" not in re.search(r'id="results"[^>]*', shared)[0]  # type: ignore[index]


def test_the_inputs_of_a_launch_are_shown_to_those_who_may_open_it(
    users: Users, owner: Client, stub_engine: StubEngine
) -> None:
    stub_engine.flows, stub_engine.runs = [flow()], [failed()]
    launched(users, user=users.owner, run_id=identity(1))
    Member.objects.filter(user=users.colleague).update(role=Role.VIEWER)
    other = text(browser(users.colleague).get(PREVIEW, headers=FRAGMENT).content)
    assert "DH-1042" not in other
    assert "See the launch" not in other
    assert "See the launch" in text(owner.get(PREVIEW, headers=FRAGMENT).content)


@pytest.mark.parametrize(
    "odd",
    [{"steps": None}, {"steps": []}, {"status": 5, "created": 0}, {"tags": "x", "failedStep": [], "flowVersion": ""}],
    ids=repr,
)
def test_odd_runs_have_a_preview(owner: Client, stub_engine: StubEngine, odd: dict[str, object]) -> None:
    stub_engine.flows, stub_engine.runs = [flow()], [failed(**odd)]
    assert owner.get(PREVIEW, headers=FRAGMENT).status_code == 200
    assert owner.get(PREVIEW).status_code == 200


def test_a_stranger_has_no_preview_and_a_run_that_is_none_is_an_error(
    users: Users, owner: Client, stub_engine: StubEngine
) -> None:
    assert browser(users.stranger).get(PREVIEW).status_code == 404
    assert owner.get(PREVIEW, headers=FRAGMENT).status_code == 404
