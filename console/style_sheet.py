"""The style sheet of all pages: of Tabler the rules that a page can use, and after them all of the console's own.

A rule of Tabler is used if every class, id, element and attribute that one of its selectors asks for is a word of a template, a script or
a Python module, or a class that these compose. Custom properties and keyframes are used if a rule that is used mentions them.
tests/web/test_style_sheet.py looks for classes of pages that are left out.
"""

import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import tinycss2

#: The colours of states and workspaces; apps and notes have others, too.
_STATES = ("azure", "blue", "green", "orange", "red", "secondary", "yellow")
_APPS = ("cyan", "indigo", "lime", "pink", "purple", "teal")
#: Classes with a colour that comes from Python, such as `<div class="bg-{{ colour }}-lt">`.
COMPOSED = {
    "bg-{}": (*_STATES, "purple"),
    "bg-{}-lt": (*_STATES, *_APPS),
    "status-{}": _STATES,
    "text-{}": _STATES,
    "alert-{}": ("danger", "info", "warning"),
    "btn-{}": ("danger",),
}
#: Words of the sources that are no classes of the console, though Tabler has such classes.
NO_CLASSES = frozenset({
    *("asc", "blockquote", "calendar", "collapsed", "com", "desc", "figure", "footer", "grid", "h5", "h6", "highlight"),
    *("hr", "invisible", "io", "kbd", "lead", "legend", "loader", "map", "mark", "mention", "min", "net", "org"),
    *("progress", "showing", "signature", "star", "stars", "strong", "tag", "toolbar", "tooltip", "touch", "visible"),
    "w3",
})  # fmt: skip

_WORD = re.compile(r"[\w-]+")
_LICENCE = re.compile(r"/\*!.*?\*/", re.DOTALL)
#: Of these pseudo-classes one argument has to fit; those of others, such as :not(), ask for nothing.
_ANY_OF = frozenset({"is", "where", "has"})
#: Rules around rules.
_AROUND = frozenset({"media", "supports", "container", "layer"})
#: Prefixes that no browser in use needs beside the name without one. In a selector, some make the whole rule invalid.
_PREFIXES = ("-moz-", "-ms-", "-o-")
_GONE = ("-ms-", "-o-")


def words(texts: Iterable[str]) -> set[str]:
    """What may be the name of an element, an id or an attribute in these sources, and, after a dot, of a class."""
    found = {word for text in texts for word in _WORD.findall(text)}
    composed = (form.format(colour) for form, colours in COMPOSED.items() for colour in colours)
    return found.union(f".{name}" for name in itertools.chain(found - NO_CLASSES, composed))


def style_sheet(package: str, own: str, names: set[str]) -> str:
    """The rules of the package that these names can use, and all of the console's own, without what a browser ignores.

    Raises ValueError if there is something that is no rule.
    """
    rules = _without_overridden([*_rules(_parsed(package), names), *_rules(_parsed(own), None)])
    mentioned = _mentioned(rules, {name for name in names if name.startswith("--")})
    return "".join(['@charset "UTF-8";', *_LICENCE.findall(package), *(rule.text(mentioned) for rule in rules)])


@dataclass(frozen=True)
class _Declaration:
    name: str
    value: str
    important: bool
    #: The keyframes and custom properties that the value may mention.
    mentions: frozenset[str]

    def is_used(self, mentioned: set[str]) -> bool:
        return not self.name.startswith("--") or self.name in mentioned


@dataclass(frozen=True)
class _Rule:
    """What applies where the head does: declarations, or rules."""

    head: str
    content: "Sequence[_Declaration | _Rule]"
    #: Its name, if it is keyframes: they apply where they are mentioned.
    keyframes: str = ""

    def declarations(self, mentioned: set[str]) -> Iterator[_Declaration]:
        """What is used, also of the rules in it."""
        if self.keyframes and self.keyframes not in mentioned:
            return
        for node in self.content:
            if isinstance(node, _Rule):
                yield from node.declarations(mentioned)
            elif node.is_used(mentioned):
                yield node

    def text(self, mentioned: set[str]) -> str:
        """The rule without what is not used, or "" if nothing is left."""
        if self.keyframes and self.keyframes not in mentioned:
            return ""
        rules = "".join(node.text(mentioned) for node in self.content if isinstance(node, _Rule))
        values = (node for node in self.content if isinstance(node, _Declaration) and node.is_used(mentioned))
        content = ";".join(f"{node.name}:{node.value}{'!important' * node.important}" for node in values) + rules
        return f"{self.head}{{{content}}}" if content else ""


def _parsed(source: str) -> Any:
    return tinycss2.parse_stylesheet(source, skip_comments=True, skip_whitespace=True)


def _rules(parsed: Iterable[Any], names: set[str] | None) -> Iterator[_Rule]:
    """The rules that these names can use, None for all."""
    for node in parsed:
        if node.type == "error":
            raise _unknown(node)
        if node.type == "qualified-rule":
            selectors = [part for part in _parts(node.prelude) if names is None or _fits(part, names)]
            if selectors:
                yield _Rule(",".join(map(_text, selectors)), list(_declarations(node.content)))
        elif node.lower_at_keyword != "charset":
            yield _at_rule(node, names)


def _at_rule(node: Any, names: set[str] | None) -> _Rule:
    name, prelude = node.lower_at_keyword, _text(node.prelude)
    head = f"@{name} {prelude}"
    if name != "keyframes" and name not in _AROUND:
        raise _unknown(node)
    inside = tinycss2.parse_rule_list(node.content, skip_comments=True, skip_whitespace=True)
    if name == "keyframes":
        return _Rule(head, list(_rules(inside, None)), keyframes=prelude)
    return _Rule(head, list(_rules(inside, names)))


def _unknown(node: Any) -> ValueError:
    return ValueError(f"{node.source_line}:{node.source_column}: a style sheet cannot have this here")


def _declarations(content: Any) -> Iterator[_Declaration]:
    nodes = tinycss2.parse_blocks_contents(content, skip_comments=True, skip_whitespace=True)
    for node in nodes:
        if node.type != "declaration":
            raise _unknown(node)
    last = {node.name: node for node in nodes}
    for node in nodes:
        # Browsers take any value for a custom property: an earlier one is no fallback.
        is_overridden = node.name.startswith("--") and last[node.name] is not node
        is_twin = any(node.name.startswith(prefix) and node.name[len(prefix) :] in last for prefix in _PREFIXES)
        if not is_overridden and not is_twin:
            mentions = frozenset(token.value for token in _all(node.value) if token.type == "ident")
            yield _Declaration(node.name, _text(node.value), node.important, mentions)


def _without_overridden(rules: Sequence[_Rule]) -> list[_Rule]:
    """The rules without the declarations that a later rule for the same elements overrides."""
    kept: list[_Rule] = []
    later: dict[str, dict[str, bool]] = {}
    for rule in reversed(rules):
        if not rule.head.startswith("@"):
            overriding = later.setdefault(rule.head, {})
            values = [part for part in rule.content if isinstance(part, _Declaration)]
            values = [value for value in values if overriding.get(value.name, -1) < value.important]
            overriding.update((value.name, value.important) for value in values)
            rule = replace(rule, content=values)
        kept.append(rule)
    return kept[::-1]


def _mentioned(rules: Sequence[_Rule], names: set[str]) -> set[str]:
    """These names, and the words in the values of what is used: a custom property that is mentioned mentions others."""
    while True:
        found = names.union(*(value.mentions for rule in rules for value in rule.declarations(names)))
        if found == names:
            return names
        names = found


def _fits(selector: Sequence[Any], names: set[str]) -> bool:
    """Whether an element can have all the names that a selector asks for."""
    before = ""
    for token in selector:
        if token.type == "function" and token.lower_name in _ANY_OF:
            if not any(_fits(part, names) for part in _parts(token.arguments)):
                return False
        elif token.type == "ident" and before == ":":
            if token.value.startswith(_GONE):
                return False
        elif (name := _name(token)) and (f".{name}" if before == "." else name) not in names:
            return False
        before = token.value if token.type == "literal" else ""
    return True


def _name(token: Any) -> str:
    """The element, class, id or attribute that a part of a selector asks for, or ""."""
    if token.type == "[] block":
        return str(next(part.value for part in token.content if part.type == "ident"))
    return str(token.value) if token.type in ("ident", "hash") else ""


def _parts(tokens: Iterable[Any]) -> Iterator[list[Any]]:
    """What stands between the commas."""
    part: list[Any] = []
    for value in tokens:
        if value == ",":
            yield part
            part = []
        else:
            part.append(value)
    yield part


def _all(tokens: Iterable[Any]) -> Iterator[Any]:
    """The tokens, and those in their brackets."""
    for token in tokens:
        yield token
        yield from _all(getattr(token, "content", None) or getattr(token, "arguments", None) or ())


def _text(tokens: Iterable[Any]) -> str:
    """The tokens in one line, without what only helps to read them."""
    shown: list[Any] = []
    for token in tokens:
        if token.type == "comment" or (token.type == "whitespace" and (not shown or shown[-1] == ",")):
            continue
        shown.append(token)
    source: str = tinycss2.serialize(shown)
    return " ".join(source.split()) if '"' not in source else source.strip()
