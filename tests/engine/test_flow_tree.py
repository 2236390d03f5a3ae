"""Walking a step tree: reading order, where each step stands, and data that is no tree."""

import gc
from typing import Any

import pytest
from hypothesis import given, strategies as st

from workflows_ui.engine import steps_by_name, walk
from workflows_ui.engine.flow_tree import (
    MOST_STEPS,
    Branch,
    Node,
    branch_names,
    in_order,
    inner,
    nodes as every_node,
    tree,
)


def step(name: str, **rest: Any) -> dict[str, Any]:
    return {"name": name, "type": "CODE", "settings": {}} | rest


def router(name: str, *branches: tuple[str | None, Any], **rest: Any) -> dict[str, Any]:
    settings = {"branches": [{"branchName": branch} if branch else {} for branch, _ in branches]}
    return step(name, type="ROUTER", settings=settings, children=[child for _, child in branches], **rest)


TREE = step(
    "trigger",
    type="PIECE_TRIGGER",
    nextAction=router(
        "step_1",
        ("Large", step("step_2", nextAction=step("step_3"))),
        ("Empty", None),
        (
            None,
            step(
                "step_4",
                type="LOOP_ON_ITEMS",
                firstLoopAction=step("step_5", nextAction=router("step_6", ("In", step("step_7")))),
            ),
        ),
        nextAction=step(
            "step_8", type="LOOP_ON_ITEMS", firstLoopAction=step("step_9"), nextAction=step("step_10", type="NEW_KIND")
        ),
    ),
)


def test_steps_come_in_reading_order_with_their_places() -> None:
    found = [(node.name, node.depth, node.parent, node.branch, node.branch_index, node.in_loop) for node in walk(TREE)]
    assert found == [
        ("trigger", 0, None, None, None, False),
        ("step_1", 0, "trigger", None, None, False),
        ("step_2", 1, "step_1", "Large", 0, False),
        ("step_3", 1, "step_2", "Large", 0, False),
        ("step_4", 1, "step_1", None, 2, False),
        ("step_5", 2, "step_4", None, 2, True),
        ("step_6", 2, "step_5", None, 2, True),
        ("step_7", 3, "step_6", "In", 0, True),
        ("step_8", 0, "step_1", None, None, False),
        ("step_9", 1, "step_8", None, None, True),
        ("step_10", 0, "step_8", None, None, False),
    ]


def places(trigger: Any) -> list[str | tuple[int, str | None, bool]]:
    """Steps by their names, branches by number and name, and whether steps are in them."""
    return [
        place.name if isinstance(place, Node) else (place.number, place.branch, bool(place.steps))
        for place in in_order(tree(trigger))
    ]


def test_each_branch_comes_before_its_steps_the_empty_ones_too() -> None:
    assert places(TREE)[:9] == [
        "trigger",
        "step_1",
        (1, "Large", True),
        "step_2",
        "step_3",
        (2, "Empty", False),
        (3, None, True),
        "step_4",
        "step_5",
    ]


def test_a_place_that_the_router_does_not_list_counts_only_up_to_the_last_one_with_steps() -> None:
    fork = router("fork", ("A", step("a")))
    fork["children"] += [None, step("b"), None]
    assert places(fork) == ["fork", (1, "A", True), "a", (2, None, False), (3, None, True), "b"]


def test_a_step_knows_its_number_and_what_is_inside_and_around_it() -> None:
    nodes = {node.name: node for node in every_node(TREE)}
    assert [node.name for node in tree(TREE)] == ["trigger", "step_1", "step_8", "step_10"]
    assert [node.name for node in inner(nodes["step_4"])] == ["step_5", "step_6", "step_7"]
    assert [node.name for node in nodes["step_7"].ancestors()] == ["step_6", "step_4", "step_1"]
    assert [node.number for node in nodes.values()] == list(range(1, 12))
    assert [branch.branch for branch in nodes["step_1"].branches] == ["Large", "Empty", None]
    loop = nodes["step_4"].loop
    assert loop is not None
    assert loop.steps == [nodes["step_5"], nodes["step_6"]]


@pytest.mark.slow
def test_a_walk_leaves_nothing_to_the_garbage_collector() -> None:
    gc.collect()
    assert len(list(walk(TREE))) == 11
    assert gc.collect() == 0


def test_the_branch_for_everything_else_is_known_by_its_type() -> None:
    fork = router("fork", ("A", None), ("Rest", None))
    fork["settings"]["branches"][1]["branchType"] = "FALLBACK"
    assert [place.fallback for place in in_order(tree(fork)) if isinstance(place, Branch)] == [False, True]


def test_the_steps_are_the_engines_own_dictionaries() -> None:
    assert steps_by_name(TREE)["step_1"] is TREE["nextAction"]
    assert list(steps_by_name(TREE))[:2] == ["trigger", "step_1"]


def test_of_two_steps_with_one_name_the_first_is_kept_and_nameless_ones_are_left_out() -> None:
    tree = step("trigger", nextAction=step("a", x=1, nextAction=step("a", x=2, nextAction={"type": "CODE"})))
    assert [node.name for node in walk(tree)] == ["trigger", "a", "a", ""]
    assert steps_by_name(tree)["a"]["x"] == 1
    assert list(steps_by_name(tree)) == ["trigger", "a"]


@pytest.mark.parametrize("odd", [None, [], "x", 5, True, {}])
def test_what_is_no_step_has_no_steps(odd: Any) -> None:
    assert list(walk(odd)) == []
    assert steps_by_name(odd) == {}
    assert branch_names(odd) == []


@pytest.mark.parametrize(
    "odd", [None, [], {}, "x", 5, [None, 1, {}], [[{}]], {"branches": 3}, {"branches": [1, None, {"branchName": 5}]}]
)
def test_odd_places_are_passed_over(odd: Any) -> None:
    places = ("name", "settings", "children", "firstLoopAction", "nextAction")
    tree = step("trigger", nextAction=dict.fromkeys(places, odd))
    assert next(iter(walk(tree))).name == "trigger"
    assert "trigger" in steps_by_name(tree)


def test_a_tree_that_bites_its_tail_ends() -> None:
    tree = step("trigger")
    inner = router("a", ("x", tree), nextAction=tree)
    inner["children"].append(inner)
    tree["nextAction"] = inner
    assert [node.name for node in walk(tree)] == ["trigger", "a"]


def test_a_very_deep_tree_needs_no_recursion() -> None:
    tree = step("s0")
    for number in range(1, 5000):
        tree = step(f"s{number}", type="LOOP_ON_ITEMS", firstLoopAction=tree)
    nodes = list(walk(tree))
    assert (len(nodes), nodes[-1].depth, nodes[-1].in_loop) == (5000, 4999, True)


def test_an_absurdly_long_chain_ends() -> None:
    tree = step("s")
    for _ in range(MOST_STEPS + 50):
        tree = step("s", nextAction=tree)
    assert len(list(walk(tree))) == MOST_STEPS


json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["name", "type", "settings", "branches", "branchName", "children", "nextAction", "firstLoopAction"]
            ),
            inner,
        )
    ),
    max_leaves=30,
)


@pytest.mark.slow
@given(json)
def test_anything_that_json_can_hold_is_walked_without_an_error(tree: Any) -> None:
    nodes = every_node(tree)
    assert len({id(node.step) for node in nodes}) == len(nodes)
    assert set(steps_by_name(tree)) == {node.name for node in nodes if node.name}
    main = nodes[0].chain.steps if nodes else []
    assert [place for place in in_order(main) if isinstance(place, Node)] == nodes
