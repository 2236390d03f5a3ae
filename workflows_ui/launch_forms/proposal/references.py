"""What a flow reads of its trigger's data: all references in its steps' texts, followed through loops and into code.

Templates are `{{...}}` (api.md 6.3). Inside, `trigger.body.x`, `trigger['body']["x"]`, `trigger?.body?.x`, list indices, several in one
expression, and with surrounding text are all found. With a loop over `{{trigger['body']['items']}}`, `{{step_1['item']['sku']}}` is a path
in each item; with an input that is a single template, `inputs.name.x` in the step's code is a path below it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from workflows_ui.core.json_text import HALF
from workflows_ui.core.paths import dict_at, dicts_in, text_at, text_of
from workflows_ui.core.readers import as_items, mapping_of
from workflows_ui.engine import braces, flow_tree
from workflows_ui.engine_objects.flows import StepSettings
from workflows_ui.form_schema.document import FieldKind
from workflows_ui.launch_forms.proposal import code_reading
from workflows_ui.launch_forms.proposal.code_reading import ITEM, Path, accesses

#: A text that is a template with a single access.
_TEMPLATE_ONLY = re.compile(r"\s*\{\{([\w$.?\[\]'\"\s-]*)\}\}\s*")
_START = re.compile(r"""(?<![\w$.'"\]])([A-Za-z_]\w*)""")
_HINTS = {"NUMBER_": FieldKind.NUMBER, "BOOLEAN_": FieldKind.YES_NO, "DATE_": FieldKind.DATE, "LIST_": FieldKind.LIST}
#: Most characters of one text that are searched, and most references of one flow: far beyond any real flow.
_MOST_LETTERS = 200_000
_MOST = 5_000


@dataclass(frozen=True)
class Reference:
    """A path that a step reads.

    Attributes:
        path: below the body; `ITEM` is any item of a list. `()` is the whole body.
        step: the reading step's display name, else its name.
        hint: the kind suggested by the use: a condition on a number, a loop's list.
    """

    path: Path
    step: str
    hint: FieldKind | None = None


def find_references(trigger: object, *, body_is_output: bool = False) -> list[Reference]:
    """All references of the steps, in the order of the steps, without repetitions.

    `body_is_output`: the trigger's output is the body itself (the forms piece), so that `{{trigger.x}}` reads the body's `x`.
    """
    references: dict[tuple[Path, str, FieldKind | None], Reference] = {}
    loops: dict[str, Path] = {}
    for node in flow_tree.walk(trigger):
        if node.depth == 0 and node.parent is None:
            continue
        for reference in _Step(node.step, loops, body_is_output=body_is_output).references():
            if any(isinstance(key, str) and HALF.search(key) for key in reference.path):
                continue
            references.setdefault((reference.path, reference.step, reference.hint), reference)
        if len(references) > _MOST:
            break
    return list(references.values())


class _Step:
    """The references of one step. Records a loop's list for the steps inside it."""

    def __init__(self, step: dict[str, object], loops: dict[str, Path], *, body_is_output: bool) -> None:
        self.step, self.loops, self.body_is_output = step, loops, body_is_output
        title = text_at(step, "displayName")
        label = title if title.strip() else flow_tree.step_name(step)
        self.label = HALF.sub("\ufffd", label[:200])
        self.settings = dict_at(step, "settings")

    def references(self) -> Iterator[Reference]:
        for text in texts({key: value for key, value in self.settings.items() if key not in _UNREAD}):
            for start, end in braces.spans(text[:_MOST_LETTERS]):
                yield from (Reference(path, self.label) for path in self.in_expression(text[start + 2 : end - 2]))
        yield from self._conditions()
        yield from self._loop()
        yield from self._code()

    def in_expression(self, expression: str) -> Iterator[Path]:
        """The paths that one expression reads."""
        for start in _START.finditer(expression):
            name, path = start[1], None
            if name == "trigger":
                path = self._below_body(accesses(expression, start.end())[0])
            elif name in self.loops:
                path = self._item_path(name, accesses(expression, start.end())[0])
            if path is not None:
                yield path

    def _below_body(self, keys: Path) -> Path | None:
        if keys[:2] == ("output", "body") or keys == ("output",):
            keys = keys[1:]
        if keys[:1] == ("body",):
            return keys[1:]
        if self.body_is_output or not keys:
            return keys
        return None

    def _item_path(self, loop: str, keys: Path) -> Path | None:
        if keys[:1] == ("output",):
            keys = keys[1:]
        return (*self.loops[loop], ITEM, *keys[1:]) if keys[:1] == ("item",) else None

    def _single_path(self, value: object) -> Path | None:
        """The path of an input that is a single template and nothing else; None for any other."""
        match = _TEMPLATE_ONLY.fullmatch(text_of(value))
        paths = list(self.in_expression(match[1])) if match else []
        return paths[0] if len(paths) == 1 else None

    def _loop(self) -> Iterator[Reference]:
        name, path = flow_tree.step_name(self.step), self._single_path(self.settings.get("items"))
        if name and path is not None:
            self.loops[name] = path
            yield Reference(path, self.label, FieldKind.LIST)

    def _conditions(self) -> Iterator[Reference]:
        branches = StepSettings(self.settings).branches
        for condition in (found for branch in branches for group in branch.conditions for found in dicts_in(group)):
            operator, path = condition.get("operator"), self._single_path(condition.get("firstValue"))
            hint = next((kind for start, kind in _HINTS.items() if str(operator).startswith(start)), None)
            if path is not None and hint is not None:
                yield Reference(path, self.label, hint)

    def _code(self) -> Iterator[Reference]:
        """Paths below inputs that are passed to the code unchanged."""
        code = text_at(self.settings, "sourceCode.code")
        paths = {name: self._single_path(value) for name, value in dict_at(self.settings, "input").items()}
        known = {name: path for name, path in paths.items() if path is not None}
        if known:
            yield from (Reference(path, self.label) for path in code_reading.find_paths(code[:_MOST_LETTERS], known))


#: Parts of a step's settings without references: code sees only its inputs, and the others are internal to the engine.
_UNREAD = frozenset({"sourceCode", "sampleData", "propertySettings", "customLogoUrl", "errorHandlingOptions"})


def texts(value: object) -> Iterator[str]:
    """All texts with templates in a value and in the keys of its objects, in order."""
    waiting = [value]
    while waiting:
        inner = waiting.pop()
        if text := text_of(inner):
            if "{{" in text:
                yield text
        elif listed := as_items(inner):
            waiting.extend(reversed(listed))
        else:
            for key, content in reversed(list(mapping_of(inner).items())):
                waiting.extend((content, key))
