"""Every action that the code writes into the audit log has words. The actions are found in the code itself, so that none is forgotten."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests import audit_labels
from workflows_ui.audit import messages as audit_messages
from workflows_ui.resources import RESOURCES

# In one process, which parses the code once.
pytestmark = pytest.mark.xdist_group("words of actions")
ROOT = Path(__file__).resolve().parents[2] / "workflows_ui"
#: Functions of audit/services/audit_log.py that take the action as their second argument.
WRITERS = {"record", "begin"}
ACTION = re.compile(r"[a-z_-]+\.[a-z_-]+")
#: Texts with holes: where they are, and what may stand in them.
KNOWN_PARTS = {"{}.{}", "job.{}", "{}.export", "{}.restore", "{}.reveal"}


@cache
def _trees() -> list[tuple[str, ast.Module]]:
    return [
        (str(file.relative_to(ROOT)), ast.parse(file.read_text(encoding="utf-8")))
        for file in sorted(ROOT.rglob("*.py"))
        if not {"engine", "migrations"} & set(file.parts)
    ]


def _name(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def _writes(call: ast.Call) -> bool:
    """Whether it is a call of audit.record or audit.begin."""
    owner = call.func.value if isinstance(call.func, ast.Attribute) else None
    return _name(call) in WRITERS and isinstance(owner, ast.Name) and owner.id == "audit_log"


@cache
def _wrappers(tree: ast.Module) -> dict[str, int]:
    """Functions of a module that hand their own parameter on as the action, and which parameter that is."""
    found = {}
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef):
            continue
        names = [argument.arg for argument in function.args.args]
        for call in ast.walk(function):
            if isinstance(call, ast.Call) and _writes(call) and len(call.args) > 1:
                second = call.args[1]
                if isinstance(second, ast.Name) and second.id in names:
                    found[function.name] = names.index(second.id)
    return found


def _text(node: ast.expr) -> str:
    """A text, with {} for what is only known when it runs."""
    if isinstance(node, ast.Subscript):
        return _text(node.value)
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join("{}" if isinstance(part, ast.FormattedValue) else _text(part) for part in node.values)
    return ""


def _named_actions() -> Iterator[tuple[str, str]]:
    trees = _trees()
    every = {Path(file).stem: _wrappers(tree) for file, tree in trees}
    for file, tree in trees:
        wrappers = _wrappers(tree)
        for call in ast.walk(tree):
            if not isinstance(call, ast.Call):
                continue
            if _writes(call):
                places = [1]
            elif isinstance(call.func, ast.Name) and call.func.id in wrappers:
                places = [wrappers[call.func.id]]
            elif isinstance(call.func, ast.Attribute) and isinstance(call.func.value, ast.Name):
                # A function of another module that hands its parameter on.
                found = every.get(call.func.value.id, {})
                if call.func.attr not in found:
                    continue
                places = [found[call.func.attr]]
            else:
                continue
            for place in places:
                if len(call.args) > place:
                    for node in _choices(call.args[place]):
                        if _text(node):
                            yield file, _text(node)


def _choices(node: ast.expr) -> list[ast.expr]:
    return [node.body, node.orelse] if isinstance(node, ast.IfExp) else [node]


def _job_verbs() -> set[str]:
    """What stands in the hole of `job.{}`: the literal verbs that services/jobs.note is called with."""
    found = set()
    for _file, tree in _trees():
        for call in ast.walk(tree):
            if isinstance(call, ast.Call) and _name(call) == "note" and len(call.args) > 2:
                found |= {_text(node) for node in _choices(call.args[2])}
    return found - {""}


@pytest.mark.slow
def test_every_action_in_the_code_has_words() -> None:
    named = list(_named_actions())
    assert {"launch.ask", "credential.add", "member.remove", "mcp.reveal", "audit.prune"} <= {
        action for _file, action in named
    }
    without = [
        (file, action)
        for file, action in named
        if "{}" not in action and ACTION.fullmatch(action) and action not in audit_messages.ACTIONS
    ]
    assert without == [], "give them words in audit/messages.py"
    unknown = {(file, action) for file, action in named if "{}" in action and action not in KNOWN_PARTS}
    assert unknown == set(), "say in this test what stands in their holes"


def test_every_verb_about_jobs_has_words() -> None:
    verbs = _job_verbs()
    assert {"ask", "begin", "download", "end", "stop"} <= verbs
    assert {f"job.{verb}" for verb in verbs} <= set(audit_messages.ACTIONS)


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda one: str(one.name))
def test_everything_that_a_resource_declares_has_words(resource: object) -> None:
    names = {f"{resource.name}.{action.name}" for action in resource.actions}  # type: ignore[attr-defined]
    assert names <= set(audit_messages.ACTIONS)
    assert audit_messages.kind(resource.name) == resource.label  # type: ignore[attr-defined]


def test_every_field_of_a_form_of_an_action_has_a_label() -> None:
    named = {
        (f"{resource.name}.{action.name}", name)
        for resource in RESOURCES
        for action in (*resource.actions, *resource.job_actions)
        for name in (action.form.base_fields if action.form else ())
    }
    # Fields that are made for one object.
    made = re.compile(r'self\.fields\["(\w+)"\] =')
    folders = ("deleted_objects", "flow_editing", "pieces", "resources", "runs", "tables")
    sources = (file.read_text(encoding="utf-8") for folder in folders for file in (ROOT / folder).rglob("*.py"))
    named |= {("", name) for source in sources for name in made.findall(source)}
    assert {("flows.new", "folder"), ("", "target")} <= named
    assert {found for found in named if audit_messages.field(found[1], found[0]) == found[1]} == set()


def test_a_detail_without_a_label_is_found_in_every_test_that_makes_the_code_write_it() -> None:
    detail = {"odd_key": 1, "holder_kind": "team", "values": {"anything": 1}, "after": {"colour": 1, "odd_field": 2}}
    assert audit_labels.unlabelled("team.change", detail) == {"odd_key", "odd_field"}
    assert audit_messages.field("second2", "flows.branch-conditions") == "Second value 2"


def test_every_kind_of_object_in_the_code_has_words() -> None:
    kinds = set()
    for _file, tree in _trees():
        for call in ast.walk(tree):
            if isinstance(call, ast.Call):
                kinds |= {
                    _text(keyword.value)
                    for keyword in call.keywords
                    if keyword.arg == "object_type" and _text(keyword.value)
                }
    assert {"launch", "person", "launch_right"} <= kinds
    assert kinds - set(audit_messages.KINDS) == set()


def test_what_has_no_words_stays_as_it_is() -> None:
    assert audit_messages.action("never.heard") == "never.heard"
    assert audit_messages.kind("unheard") == "unheard"
    assert audit_messages.outcome("odd").word == "odd"
