"""References to earlier steps in the texts of a flow: `{{step_1['total']}}`, as the engine's own editor writes them.

The engine evaluates what is between the braces as JavaScript. Here only paths are understood: `step.a.b`, `step['a'][0]`.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from workflows_ui.core.json_values import JsonType, json_type
from workflows_ui.core.paths import text_of
from workflows_ui.core.readers import as_items, mapping_of
from workflows_ui.engine import braces, flow_tree, references
from workflows_ui.engine.flow_tree import LOOP, Step

Path = tuple[str | int, ...]


class Missing:
    """A value that does not exist, unlike null; it is false."""

    def __bool__(self) -> bool:
        return False


MISSING: Final = Missing()
#: Roots of references that are not steps.
CONNECTIONS: Final = "connections"
_IDENTIFIER = r"[^\W\d][\w$]*|\$[\w$]*"
_QUOTED = r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*\""""
#: A text in JavaScript.
QUOTED = re.compile(_QUOTED, re.DOTALL)
_KEY = rf"\.\s*(?:{_IDENTIFIER})|\[\s*(?:{_QUOTED}|\d{{1,9}})\s*\]"
_KEYS = re.compile(_KEY, re.DOTALL)
_REFERENCE = re.compile(rf"\s*({_IDENTIFIER})((?:\s*(?:{_KEY}))*)\s*", re.DOTALL)
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|u\{([0-9a-fA-F]{1,6})\}|x([0-9a-fA-F]{2})|(.))", re.DOTALL)
_WORD = re.compile(r"\b\w+\b")
_CONTROLS = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f", "v": "\v", "0": "\0", "\n": ""}
#: Characters that would end the quoted text, or the expression, too early.
_UNSAFE = re.compile(r"[\\'{}\x00-\x1f\u2028\u2029]")
#: Longer expressions are not read.
_LONGEST = 5_000


@dataclass(frozen=True)
class Expression:
    """An expression in a text. `root` and `path` are those of a reference by path; `root` is "" for any other expression."""

    raw: str
    root: str = ""
    path: Path = ()


@dataclass(frozen=True)
class EarlierStep:
    """A step that another one may refer to. `around`: it is a loop, and the other step is inside it."""

    step: flow_tree.Step
    around: bool = False

    @property
    def name(self) -> str:
        return flow_tree.step_name(self.step)


def parse(text: str) -> Iterator[str | Expression]:
    """The parts of a text: plain text, and expressions."""
    end = 0
    for start, following in braces.spans(text):
        if start > end:
            yield text[end:start]
        yield _expression(text[start:following], text[start + 2 : following - 2])
        end = following
    if end < len(text):
        yield text[end:]


def reference(root: str, path: Path = ()) -> str:
    """The expression for a value, in the notation of the engine's own editor (recordings: `{{trigger['body']['items']}}`)."""
    keys = (f"[{key}]" if isinstance(key, int) else f"['{_UNSAFE.sub(_escaped, key)}']" for key in path)
    return f"{{{{{root}{''.join(keys)}}}}}"


def value_at(value: object, path: Path) -> object:
    """The value at a path inside a JSON value, as JavaScript finds it; MISSING without one."""
    for key in path:
        members, items = mapping_of(value), as_items(value)
        if key == "length" and json_type(value) in (JsonType.LIST, JsonType.TEXT):
            value = len(items or text_of(value))
        elif str(key) in members:
            value = members[str(key)]
        elif str(key).isdecimal() and len(str(key)) < 10 and int(key) < len(items):
            value = items[int(key)]
        else:
            return MISSING
    return value


def steps_before(trigger: object, name: str, *, inclusive: bool = False) -> list[EarlierStep] | None:
    """The steps whose values are known when a step begins, the trigger first: those before it and around it, not those inside other
    loops and branches. `inclusive`: also the step itself. None for an unknown step.
    """
    nodes: dict[str, flow_tree.Node] = {}
    for node in flow_tree.walk(trigger):
        nodes.setdefault(node.name, node)
    current = nodes.get(name)
    if current is None:
        return None
    found = [EarlierStep(current.step)] if inclusive else []
    while current.parent in nodes:
        before = nodes.pop(current.parent)
        around = before.depth < current.depth and before.step.get("type") == LOOP
        found.append(EarlierStep(before.step, around))
        current = before
    return [step for step in reversed(found) if step.name]


def steps_before_place(trigger: object, location: str, parent: str) -> list[EarlierStep] | None:
    """The same for a new step at a place (places.read_place)."""
    found = steps_before(trigger, parent, inclusive=True)
    if found and location == "INSIDE_LOOP":
        found[-1] = EarlierStep(found[-1].step, around=True)
    return found


def _expression(raw: str, inner: str) -> Expression:
    match = _REFERENCE.fullmatch(inner) if len(inner) <= _LONGEST else None
    return Expression(raw, match[1], tuple(_key(key) for key in _KEYS.findall(match[2]))) if match else Expression(raw)


def _key(text: str) -> str | int:
    if text.startswith("."):
        return text[1:].strip()
    inner = text[1:-1].strip()
    return int(inner) if inner.isdecimal() else _ESCAPE.sub(_unescaped, inner[1:-1])


def _unescaped(match: re.Match[str]) -> str:
    code = match[1] or match[2] or match[3]
    if code is None:
        return _CONTROLS.get(match[4], match[4])
    return chr(int(code, 16)) if int(code, 16) <= 0x10FFFF else match[0]


def _escaped(match: re.Match[str]) -> str:
    character = match[0]
    return f"\\{character}" if character in "\\'" else f"\\u{ord(character):04x}"


def used_steps(steps: Mapping[str, Step], step: Step) -> Iterator[Step]:
    """Those of the steps, by name, whose values the expressions of a step name; not the step itself."""
    texts = references.texts_in(flow_tree.without_steps(step))
    inside = (text[start:end] for text in texts for start, end in braces.spans(text))
    words = {word for expression in inside for word in _WORD.findall(expression)}
    return (other for name, other in steps.items() if name in words and name != flow_tree.step_name(step))
