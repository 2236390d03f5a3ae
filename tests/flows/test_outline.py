"""A flow's outline: loops and branches indented, empty branches named, odd trees survived."""

import re
from typing import Any

from django.utils import translation
from hypothesis import given, strategies as st

from workflows_ui.flows import outline


def step(name: str, kind: str = "CODE", **more: Any) -> dict[str, Any]:
    return {"name": name, "displayName": name.title(), "type": kind, "valid": True, "settings": {}} | more


def router(name: str, branches: list[str], children: list[Any], **more: Any) -> dict[str, Any]:
    settings = {"branches": [{"branchName": branch} for branch in branches]}
    return step(name, "ROUTER", settings=settings, children=children) | more


def lines(trigger: Any) -> list[str]:
    return [
        f"{'  ' * item.depth}{'' if item.step else '? '}{item.title}{' (empty)' if item.empty else ''}"
        for item in outline.items(trigger)
    ]


def test_loops_and_branches_are_indented_in_reading_order() -> None:
    inner = router("inner", ["A", "B"], [None, step("deep")])
    loop = step("loop", "LOOP_ON_ITEMS", firstLoopAction=step("each", nextAction=step("each2")), nextAction=step("end"))
    trigger = step(
        "trigger",
        "PIECE_TRIGGER",
        nextAction=router("route", ["Big", "Small", "Otherwise"], [inner, None, step("other")], nextAction=loop),
    )
    assert lines(trigger) == [
        "Trigger",
        "Route",
        "  ? Big",
        "    Inner",
        "      ? A (empty)",
        "      ? B",
        "        Deep",
        "  ? Small (empty)",
        "  ? Otherwise",
        "    Other",
        "Loop",
        "  Each",
        "  Each2",
        "End",
    ]


def test_the_branch_for_everything_else_is_not_called_a_condition() -> None:
    route = router("r", ["Large", ""], [None, None])
    for name, english, vietnamese in (
        ("Otherwise", "<strong>Otherwise", "<strong>Còn lại"),
        ("Còn lại", "Otherwise <strong>Còn lại", "<strong>Còn lại"),
        ("The rest", "Otherwise <strong>The rest", "Còn lại <strong>The rest"),
        ("", "<strong>Otherwise", "<strong>Còn lại"),
    ):
        route["settings"]["branches"][1] = {"branchName": name, "branchType": "FALLBACK"}
        for language, heading in (("en", english), ("vi", vietnamese)):
            with translation.override(language):
                *_rows, large, rest = [before for before, _item, _after in outline.rows(outline.items(route))]
            assert f"</svg>{heading}</strong>" in re.sub(r'<div class="min-w-0 long">\s*', "", rest), rest
            assert {"en": "If <strong>Large", "vi": "Nếu <strong>Large"}[language] in large


def test_a_router_at_the_end_shows_its_empty_branches() -> None:
    assert lines(step("trigger", nextAction=router("r", ["A", "B"], [None, None]))) == [
        "Trigger",
        "R",
        "  ? A (empty)",
        "  ? B (empty)",
    ]


def test_a_branch_without_a_name_has_its_number() -> None:
    trigger = step("trigger", "ROUTER", settings={"branches": [{}]}, children=[step("x")])
    assert lines(trigger) == ["Trigger", "  ? Branch 1", "    X"]


def test_skipped_and_incomplete_steps_are_marked() -> None:
    (item,) = outline.items(step("trigger", skip=True, valid=False))
    assert item.skipped
    assert item.invalid


def test_a_piece_is_shown_without_its_packages_name() -> None:
    settings = {"pieceName": "@activepieces/piece-google-sheets", "actionName": "insert_row"}
    assert outline.piece_of({"settings": settings}) == "google-sheets: insert_row"


def test_an_unknown_type_is_its_own_word() -> None:
    (item,) = outline.items(step("trigger", "SOMETHING_NEW"))
    assert item.kind == "SOMETHING_NEW"


def test_nesting_beyond_what_can_be_read_stays_on_the_page() -> None:
    tree = step("last")
    for number in range(50):
        tree = step(f"loop{number}", "LOOP_ON_ITEMS", firstLoopAction=tree)
    assert max(item.depth for item in outline.items(tree)) == outline.DEEPEST
    assert len(outline.items(tree)) == 51


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["name", "type", "settings", "branches", "children", "nextAction", "firstLoopAction", "branchName"]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=30,
)


@given(_json)
def test_no_tree_breaks_the_outline(tree: Any) -> None:
    assert all(0 <= item.depth <= outline.DEEPEST for item in outline.items(tree))
