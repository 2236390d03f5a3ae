"""The page of a flow's steps: the diagram, the chosen step beside it, places for further steps; the same without editing."""

import re
from itertools import pairwise
from typing import Any

import pytest
from django.test import Client

from tests.flow_editing.test_editing import edit, flow, router, url
from tests.stage import HTMX, Stage, stage
from tests.stub_engine import StubEngine, identity, text
from workflows_ui.members.models import Member, Role

__all__ = ["flow", "router", "stage"]


def page(browser: Client, key: str, step: str = "") -> str:
    answer = browser.get(f"/w/sales/flows/{key}/steps/{step}/" if step else f"/w/sales/flows/{key}/?tab=steps")
    assert answer.status_code == 200, text(answer.content)[-1500:]
    return text(answer.content)


def test_choosing_a_step_opens_its_form_and_folds_what_is_rare_into_one_menu(stage: Stage, flow: str) -> None:
    for step, form in (("step_1", "step-code"), ("step_2", "step-settings"), ("step_3", "step-items")):
        shown = page(stage.browser, flow, step)
        assert f'method="post" action="{url(form, flow)}"' in shown, step
        assert re.findall(r'data-step="(\w+)" aria-current', shown) == [step]
        panel = shown[shown.index('id="action"') :]
        menu = panel[panel.index('<details class="dropdown menu"') : panel.index("</details>")]
        assert menu.rindex("Delete the step") > menu.rindex("Rename the step")
        outside = panel.replace(menu, "")
        assert "Rename the step" not in outside
        assert "Delete the step" not in outside
        alone = text(stage.browser.get(f"/w/sales/flows/{flow}/steps/{step}/", headers=HTMX).content)
        assert alone.lstrip().startswith("<title>")
        assert url(form, flow) in alone
        assert "<svg width" not in alone


def test_what_a_step_form_saves_leads_back_to_the_step_and_other_forms_keep_its_head(stage: Stage, flow: str) -> None:
    renaming = text(stage.browser.get(url("step-rename", flow), {"step": "step_1"}).content)
    assert 'id="panel-heading"' in renaming
    assert f'href="/w/sales/flows/{flow}/steps/step_1/" data-panel data-back' in renaming
    edit(stage, "step-rename", flow, step="step_1", name="Prepare")
    shown = page(stage.browser, flow, "step_1")
    assert "Prepare" in shown
    # Closing a step leads to the page without one.
    assert f'href="/w/sales/flows/{flow}/?tab=steps" data-panel data-back' in shown


def test_a_step_can_be_added_at_every_place_of_the_diagram(stage: Stage, flow: str, router: str) -> None:
    def places(key: str) -> list[str]:
        return re.findall(r'class="d-add" href="[^"]*\?place=([^"]+)"', page(stage.browser, key))

    assert sorted(places(flow)) == sorted(
        f"{where.replace(':', '%3A')}"
        for where in (
            "AFTER:trigger",
            "AFTER:step_1",
            "INSIDE_LOOP:step_3",
            "AFTER:step_4",
            "AFTER:step_3",
            "AFTER:step_2",
        )
    )
    assert {"INSIDE_BRANCH%3Astep_5%3A0", "INSIDE_BRANCH%3Astep_5%3A1", "AFTER%3Astep_5"} <= set(places(router))
    chosen = text(stage.browser.get(f"/w/sales/flows/{router}/choose/", {"place": "INSIDE_BRANCH:step_5:1"}).content)
    assert "First in the branch “Otherwise” of “Sort”" in chosen


def test_a_router_lists_its_branches_with_their_conditions(stage: Stage, router: str) -> None:
    shown = page(stage.browser, router, "step_5")
    panel = shown[shown.index('id="action"') :]
    assert "is greater than" in panel
    assert "If no other branch matches" in panel
    assert f"{url('branch-conditions', router)}?branch=step_5%3A0" in panel
    assert f"{url('branch-conditions', router)}?branch=step_5%3A1" not in panel
    assert f"{url('branch-add', router)}?step=step_5" in panel


def test_a_viewer_sees_the_same_page_without_editing(stage: Stage, flow: str, router: str) -> None:
    viewer = stage.as_role(Role.VIEWER)
    tab = page(viewer, flow)
    assert f'/flows/{flow}/steps/step_1/" aria-label=' in tab
    for key, step in ((flow, ""), (flow, "step_1"), (flow, "step_2"), (router, "step_5")):
        shown = page(viewer, key, step)
        assert "<svg width" in shown
        assert "/choose/" not in shown
        assert "/flows/do/" not in shown.partition('id="action"')[2]
    assert "practice: echo" in page(viewer, flow, "step_1")
    assert "is greater than" in page(viewer, router, "step_5")


@pytest.mark.slow
def test_the_page_says_whether_its_steps_are_live(stage: Stage, flow: str) -> None:
    assert "It was never published" in page(stage.browser, flow)
    stage.session.workflows.apply_flow_operation(flow, {"type": "LOCK_AND_PUBLISH", "request": {}})
    assert "Runs use these steps." in page(stage.browser, flow)
    edit(stage, "step-rename", flow, step="step_1", name="Prepare")
    changed = page(stage.browser, flow)
    assert "It has changes that are not live." in changed
    assert url("publish", flow) in changed


def test_the_list_of_steps_is_folded_until_the_person_unfolds_it(stage: Stage, flow: str) -> None:
    fold = re.compile(r'<details class="card[^>]*data-kept="steps_list"( open)?>')
    assert [found[1] for found in fold.finditer(page(stage.browser, flow))] == [None]
    stage.browser.cookies["steps_list"] = "1"
    assert [found[1] for found in fold.finditer(page(stage.browser, flow))] == [" open"]


def odd_step(name: Any, kind: Any = "CODE", **more: Any) -> dict[str, Any]:
    return {"name": name, "type": kind, "displayName": f"<b>{name}</b>", "valid": True, "settings": {}, **more}


def chained(*steps: dict[str, Any]) -> dict[str, Any]:
    for one, following in pairwise(steps):
        one["nextAction"] = following
    return steps[0]


def odd_flow(*steps: dict[str, Any], **version: Any) -> dict[str, Any]:
    trigger = chained(odd_step("trigger", "PIECE_TRIGGER"), *steps)
    return {"id": identity(1), "status": "ENABLED", "version": {"id": "v", "trigger": trigger, **version}}


@pytest.mark.slow
@pytest.mark.parametrize("builds", [True, False])
def test_odd_steps_and_very_long_names_are_shown(owner: Client, stub_engine: StubEngine, builds: bool) -> None:
    long = "<script>" + "Ạ" * 10_000
    branches = [{"branchName": long if not number else None, "branchType": 7} for number in range(40)]
    steps = [
        odd_step("step_1", displayName=long, skip=True, valid=False),
        odd_step("step_2", "ROUTER", settings={"branches": branches}, children=[odd_step("in"), None, 7]),
        odd_step("step_3", "LOOP_ON_ITEMS", settings=None),
        odd_step("step_4", "TELEPORT", settings=[1], children={"a": 1}),
        odd_step("step_5", "PIECE", settings={"pieceName": "@activepieces/piece-gone", "input": 7}),
        odd_step("step_6", ["CODE"], settings={"sourceCode": "text"}),
        odd_step(None, displayName=None),
        odd_step("a/b"),
        {},
    ]
    stub_engine.flows = [odd_flow(*steps, notes=[{"content": long}, 7, None])]
    if not builds:
        Member.objects.update(role=Role.VIEWER)
    shown = page(owner, identity(1))
    assert "<script>Ạ" not in shown
    assert len(shown) < 400_000
    for name in ("trigger", "step_1", "step_2", "step_3", "step_4", "step_5", "step_6", "in"):
        assert "<script>Ạ" not in page(owner, identity(1), name), name


@pytest.mark.slow
def test_a_flow_of_three_hundred_steps_is_drawn_with_its_chosen_step(owner: Client, stub_engine: StubEngine) -> None:
    stub_engine.flows = [odd_flow(*(odd_step(f"step_{number}") for number in range(300)))]
    shown = page(owner, identity(1))
    assert shown.count('class="d-add"') == 301
    assert re.findall(r'data-step="(\w+)" aria-current', page(owner, identity(1), "step_299")) == ["step_299"]
