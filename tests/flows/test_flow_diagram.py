"""The drawn diagram of a flow: positions of its steps, and the drawing on the flow's page."""

from itertools import pairwise
from typing import Any

from workflows_ui.flows import diagram
from workflows_ui.flows.diagram import GAP, HEIGHT, WIDTH, Layout, layout


def step(name: str, kind: str = "PIECE", **more: Any) -> dict[str, Any]:
    return {"name": name, "displayName": name, "type": kind, **more}


def chained(*steps: dict[str, Any]) -> dict[str, Any]:
    for one, after in pairwise(steps):
        one["nextAction"] = after
    return steps[0]


def router(name: str, *children: dict[str, Any] | None) -> dict[str, Any]:
    branches = [{"branchName": f"Branch of {name} {number}"} for number, _child in enumerate(children)]
    return step(name, "ROUTER", children=list(children), settings={"branches": branches})


def places(drawn: Layout) -> dict[str, tuple[int, int]]:
    return {box.step.name: (box.x, box.y) for box in drawn.boxes}


def overlaps(drawn: Layout) -> list[tuple[str, str]]:
    """Pairs of boxes that share space."""
    at = list(places(drawn).items())
    return [
        (one, other)
        for index, (one, (x, y)) in enumerate(at)
        for other, (x2, y2) in at[index + 1 :]
        if abs(x - x2) < WIDTH and abs(y - y2) < HEIGHT
    ]


def inside(drawn: Layout) -> bool:
    return all(
        x >= 0 and x + WIDTH <= drawn.width and y >= 0 and y + HEIGHT <= drawn.height for x, y in places(drawn).values()
    )


def test_steps_of_a_chain_are_below_each_other() -> None:
    drawn = layout(chained(step("trigger"), step("one"), step("two")))
    (x, first), (x2, second), (x3, third) = places(drawn).values()
    assert x == x2 == x3
    assert second - first == third - second == HEIGHT + GAP
    assert [box.number for box in drawn.boxes] == [1, 2, 3]
    assert inside(drawn)


def test_a_loop_is_a_frame_around_its_steps_and_what_follows_is_below_it() -> None:
    loop = step("loop", "LOOP_ON_ITEMS", firstLoopAction=chained(step("a"), step("b")))
    drawn = layout(chained(step("trigger"), loop, step("after")))
    (frame,) = drawn.frames
    at = places(drawn)
    for name in ("loop", "a", "b"):
        x, y = at[name]
        assert frame.x < x
        assert x + WIDTH < frame.x + frame.width
        assert frame.y < y
        assert y + HEIGHT < frame.y + frame.height
    assert at["after"][1] == frame.y + frame.height + GAP
    assert inside(drawn)


def test_branches_are_side_by_side_each_below_its_name_and_meet_below_the_longest() -> None:
    fork = router("fork", chained(step("a"), step("b")), step("c"), None)
    drawn = layout(chained(step("trigger"), fork, step("after")))
    at = places(drawn)
    assert at["a"][0] + WIDTH < at["c"][0]
    assert at["a"][1] == at["c"][1]
    assert at["after"][1] > at["b"][1] + HEIGHT
    assert [label.name for label in drawn.labels] == [f"Branch of fork {number}" for number in range(3)]
    assert drawn.labels[0].x == at["a"][0] + WIDTH // 2
    assert not overlaps(drawn)
    assert inside(drawn)


def test_routers_and_loops_inside_each_other_share_no_space() -> None:
    inner = router("inner", step("x"), router("innermost", step("y"), step("z")))
    fork = router(
        "fork", step("loop", "LOOP_ON_ITEMS", firstLoopAction=inner), chained(step("c"), router("d", step("e")))
    )
    drawn = layout(chained(step("trigger"), fork, step("after")))
    assert len(drawn.boxes) == 12
    assert not overlaps(drawn)
    assert inside(drawn)


def test_a_thousand_steps_in_a_row_are_drawn_and_later_ones_are_counted() -> None:
    drawn = layout(chained(*(step(f"step_{number}") for number in range(1_200))))
    assert len(drawn.boxes) == diagram.MOST
    assert drawn.left_out == 200


def test_steps_that_are_nested_too_deep_are_counted_and_their_parent_says_so() -> None:
    tree = step("last")
    for number in range(40):
        tree = step(f"loop_{number}", "LOOP_ON_ITEMS", firstLoopAction=tree)
    drawn = layout(tree)
    assert len(drawn.boxes) == diagram.DEEPEST + 1
    assert drawn.boxes[-1].more
    assert drawn.left_out == 40 - diagram.DEEPEST


def test_a_long_flow_folds_its_loops_and_routers_except_those_around_one_step() -> None:
    loops = [step(f"loop_{number}", "LOOP_ON_ITEMS", firstLoopAction=step(f"in_{number}")) for number in range(30)]
    inner = step("inner", "LOOP_ON_ITEMS", firstLoopAction=step("innermost"))
    tree = chained(step("trigger"), *loops, router("fork", chained(inner, step("beside")), step("other")))
    folded, opened = layout(tree), layout(tree, "innermost")
    assert [box.step.name for box in folded.boxes if not box.more] == ["trigger"]
    assert (folded.folded, folded.left_out, folded.labels) == (True, 34, [])
    assert set(places(opened)) - set(places(folded)) == {"inner", "innermost", "beside", "other"}
    assert not overlaps(opened)
    assert inside(opened)
    short = layout(chained(step("trigger"), step("loop", "LOOP_ON_ITEMS", firstLoopAction=step("in"))))
    assert not short.folded
    assert not short.left_out


def test_a_step_can_be_added_after_each_step_and_at_the_start_of_each_loop_and_branch_where_nothing_else_is() -> None:
    empty = step("empty", "LOOP_ON_ITEMS")
    loop = step("loop", "LOOP_ON_ITEMS", firstLoopAction=chained(step("a"), step("b")))
    fork = router("fork", step("c"), None)
    drawn = layout(chained(step("trigger"), loop, empty, fork), places=True)
    found = {(one.location, one.step.name, one.branch): (one.x, one.y) for one in drawn.places}
    assert set(found) == {
        *(("AFTER", name, None) for name in ("trigger", "loop", "a", "b", "empty", "fork", "c")),
        *(("INSIDE_LOOP", name, None) for name in ("loop", "empty")),
        *(("INSIDE_BRANCH", "fork", number) for number in (0, 1)),
    }
    assert len(set(found.values())) == len(drawn.places)
    for x, y in found.values():
        assert 0 < x < drawn.width
        assert 0 < y < drawn.height
        assert not any(left <= x <= left + WIDTH and top <= y <= top + HEIGHT for left, top in places(drawn).values())
    assert not overlaps(drawn)
    assert inside(drawn)
    for (location, name, _branch), (x, y) in found.items():
        within = [
            frame
            for frame in drawn.frames
            if frame.x < x < frame.x + frame.width and frame.y < y < frame.y + frame.height
        ]
        assert len(within) == (location == "INSIDE_LOOP" or name in "ab"), (location, name)
    assert layout(chained(step("trigger"), step("one"))).places == []


def test_malformed_trees_are_drawn_as_far_as_they_go() -> None:
    circle = chained(step("trigger"), step("one"))
    circle["nextAction"]["nextAction"] = circle
    assert len(layout(circle).boxes) == 2
    odd = step("trigger", children="none", firstLoopAction=7, settings={"branches": [1, None, {}]}, nextAction=[])
    assert [label.name for label in layout(odd).labels] == [None, None, None]
    assert [layout(nothing).boxes for nothing in (None, "text", 3)] == [[], [], []]
