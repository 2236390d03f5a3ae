"""The faults: operators of cosmic-ray, and six of our own for what it leaves alone, such as the conditions of look-ups.

Left out are numbers (limits and durations, which no test should fix), and comparisons that differ from a kept one in detail only.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import parso
from cosmic_ray import plugins
from cosmic_ray.ast import ast_nodes, get_ast_from_path
from cosmic_ray.mutating import MutationVisitor

_KEPT = re.compile(
    r"core/(ReplaceComparisonOperator_(Eq_NotEq|NotEq_Eq|Lt_LtE|Lt_GtE|LtE_Lt|LtE_Gt|Gt_GtE|Gt_LtE|GtE_Gt|GtE_Lt|Is_IsNot|IsNot_Is)"
    r"|ReplaceBinaryOperator_(Add_Sub|Sub_Add|Mul_Div|Div_Mul|BitOr_BitAnd|BitAnd_BitOr)"
    r"|ReplaceUnaryOperator_Delete_(Not|USub|Invert)|AddNot|ReplaceTrueWithFalse|ReplaceFalseWithTrue"
    r"|ReplaceBreakWithContinue|ReplaceContinueWithBreak|RemoveDecorator|ZeroIterationForLoop)"
)
_parse: Any = parso.parse
#: Lines without faults: what is logged, options of data classes, and declarations of fields, whose migrations a check compares.
_LEFT_OUT = re.compile(r"@dataclass|^\s*log\.|= models\.|\bcondition=Q\(|on_delete=")
#: Calls whose arguments are conditions of a look-up.
_LOOK_UPS = {"filter", "exclude", "get", "Q", "genuine", "waiting"}


class Operator(Protocol):
    """As cosmic-ray's: yields (start, end) for each change that it can make to a node, and makes the one with this index."""

    def mutation_positions(self, node: Any) -> Iterator[tuple[Any, Any]]: ...

    def mutate(self, node: Any, index: int) -> Any: ...


def _leaf(code: str, prefix: str) -> Any:
    """A word as a node, with this space before it."""
    found = _parse(code).get_first_leaf()
    found.prefix = prefix
    return found


class RemoveStatement:
    """Removes a call whose result is not used, and a raise."""

    def mutation_positions(self, node: Any) -> Iterator[tuple[Any, Any]]:
        if node.type == "simple_stmt" and node.children[0].type in {"atom_expr", "power", "raise_stmt"}:
            yield node.start_pos, node.children[0].end_pos

    def mutate(self, node: Any, index: int) -> Any:
        node.children[0] = _leaf("pass", node.get_first_leaf().prefix)
        return node


class RemoveOperand:
    """Removes one operand of `and` or `or`."""

    def mutation_positions(self, node: Any) -> Iterator[tuple[Any, Any]]:
        if node.type in {"and_test", "or_test"}:
            for operand in node.children[::2]:
                yield operand.start_pos, operand.end_pos

    def mutate(self, node: Any, index: int) -> Any:
        prefix = node.get_first_leaf().prefix
        del node.children[max(2 * index - 1, 0) : max(2 * index - 1, 0) + 2]
        node.get_first_leaf().prefix = prefix
        return node


class RemoveCondition:
    """Removes a condition of a look-up in the database."""

    def mutation_positions(self, node: Any) -> Iterator[tuple[Any, Any]]:
        call = node.parent.parent if node.parent is not None and node.parent.type == "arglist" else node.parent
        if call is None or call.type != "trailer" or call.children[0] != "(" or node.type == "operator":
            return
        before = call.parent.children[call.parent.children.index(call) - 1]
        name, method = before.get_last_leaf().value, before.type == "trailer"
        keyword = node.type == "argument" and node.children[1] == "="
        if node.type != "arglist" and name in _LOOK_UPS and (keyword or (method and name in {"filter", "exclude"})):
            yield node.start_pos, node.end_pos

    def mutate(self, node: Any, index: int) -> Any:
        keyword = node.type == "argument" and node.children[1] == "="
        changed = _parse(f"f({node.get_first_leaf().prefix}{'**{}' if keyword else '*()'})")
        return changed.children[0].children[1].children[1]


class RemoveFilter:
    """Removes the condition of a comprehension."""

    def mutation_positions(self, node: Any) -> Iterator[tuple[Any, Any]]:
        if node.type == "comp_if":
            yield node.start_pos, node.end_pos

    def mutate(self, node: Any, index: int) -> Any:
        node.children[1] = _leaf("True", " ")
        return node


class NegateMembership:
    """Turns `in` into `not in` and back."""

    def mutation_positions(self, node: Any) -> Iterator[tuple[Any, Any]]:
        if node.type == "comparison" and node.children[1].get_last_leaf().value == "in":
            yield node.start_pos, node.end_pos

    def mutate(self, node: Any, index: int) -> Any:
        found = node.children[1]
        if found.type == "comp_op":
            found.children[0].value = ""
        else:
            found.value = "not in"
        return node


class RemoveHandler:
    """Makes an `except` catch nothing."""

    def mutation_positions(self, node: Any) -> Iterator[tuple[Any, Any]]:
        if node.type == "except_clause":
            yield node.start_pos, node.end_pos

    def mutate(self, node: Any, index: int) -> Any:
        node.children[1] = _leaf("()", " ").parent
        return node


def _operators() -> dict[str, Operator]:
    found: dict[str, Operator] = {
        name.removeprefix("core/"): plugins.get_operator(name)()
        for name in plugins.operator_names()
        if _KEPT.fullmatch(name)
    }
    own = (RemoveStatement, RemoveOperand, RemoveCondition, RemoveFilter, RemoveHandler, NegateMembership)
    return found | {kind.__name__: kind() for kind in own}


OPERATORS = _operators()


@dataclass(frozen=True)
class Mutant:
    """One fault: the change number `occurrence` that the operator can make to a module.

    `line` is its place, `lines` those of its statement up to there, `inside` whether that is in a function.
    """

    module: str
    operator: str
    occurrence: int
    line: int
    lines: range
    inside: bool

    def code(self, source: str) -> str:
        """The module's code with the fault."""
        return str(MutationVisitor.mutate_code(source, OPERATORS[self.operator], self.occurrence))


def _in_annotation(node: Any) -> bool:
    """Whether a node is part of a parameter or an annotation."""
    while node is not None and node.type not in {"suite", "file_input"}:
        if node.type in {"param", "annassign"} or (
            node.parent is not None and node.parent.type == "funcdef" and node.type != "suite"
        ):
            return True
        node = node.parent
    return False


def _lines(node: Any, end: int) -> range:
    """The lines of a node's statement up to a line; of a decorator those of what it decorates."""
    while node.parent is not None and node.parent.type not in {"suite", "file_input"}:
        node = node.parent
    return range(node.start_pos[0], (node.end_pos[0] if node.type == "decorated" else end) + 1)


def mutants(module: str, lines: str) -> list[Mutant]:
    """All faults of a module on lines that contain the pattern."""
    tree = get_ast_from_path(Path(module))
    source = Path(module).read_text(encoding="utf-8").splitlines()
    found = []
    for name, operator in OPERATORS.items():
        places = ((node, *place) for node in ast_nodes(tree) for place in operator.mutation_positions(node))
        found += [
            Mutant(module, name, number, start[0], _lines(node, end[0]), node.search_ancestor("funcdef") is not None)
            for number, (node, start, end) in enumerate(places)
            if not _in_annotation(node)
            and re.search(lines, source[start[0] - 1])
            and not _LEFT_OUT.search(source[start[0] - 1])
        ]
    return found
