"""A flow's steps as a readable outline, with their settings field by field: values for templates/flows/outline.html."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from django.utils.functional import Promise
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _, gettext_lazy, pgettext

from workflows_ui.core import formats, redaction
from workflows_ui.core.paths import dict_at
from workflows_ui.core.text import Text
from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.engine import flow_tree
from workflows_ui.engine_objects.flows import Branch, Condition, SourceCode, Step, StepSettings
from workflows_ui.flows import step_values
from workflows_ui.flows.reading import SECRETS, pieces_of
from workflows_ui.flows.step_values import Line, Names
from workflows_ui.pieces import inputs
from workflows_ui.web.icons import icon
from workflows_ui.web.markup import NOTHING, markup

#: Deeper nesting is shown at this depth, so that lines stay readable.
DEEPEST = 8
#: Maximum characters of settings in one outline, and of a step's settings as JSON: the rest is in the flow's raw data.
_MOST_SETTINGS, _MOST_RAW = 200_000, 4_000

_KINDS: dict[str, tuple[str, Text]] = {
    "EMPTY": ("zap", gettext_lazy("No trigger chosen yet")),
    "PIECE_TRIGGER": ("zap", gettext_lazy("Trigger")),
    "CODE": ("code", gettext_lazy("Code")),
    "PIECE": ("puzzle", gettext_lazy("App")),
    "LOOP_ON_ITEMS": ("repeat", gettext_lazy("For each item")),
    "ROUTER": ("split", gettext_lazy("Branches")),
    "MULTIPLE_CHOICE": ("list", gettext_lazy("Multiple choice")),
}
#: Settings shown elsewhere (the piece and its action), or only needed by the engine's builder.
_ELSEWHERE = frozenset(
    {
        "actionName",
        "branches",
        "customLogoUrl",
        "errorHandlingOptions",
        "executionType",
        "input",
        "inputUiInfo",
        "items",
        "pieceName",
        "pieceVersion",
        "propertySettings",
        "sampleData",
        "sourceCode",
        "triggerName",
    }
)
_MOST_PIECES = 8
EXECUTION: dict[str, str | Promise] = {
    "EXECUTE_FIRST_MATCH": gettext_lazy("Only the first matching branch"),
    "EXECUTE_ALL_MATCH": gettext_lazy("Every matching branch"),
}
#: Operators of conditions (api.md 6.3), as text between two values or after a single one.
OPERATORS: dict[str, str | Promise] = {
    "TEXT_CONTAINS": gettext_lazy("contains"),
    "TEXT_DOES_NOT_CONTAIN": gettext_lazy("does not contain"),
    "TEXT_EXACTLY_MATCHES": gettext_lazy("is exactly"),
    "TEXT_DOES_NOT_EXACTLY_MATCH": gettext_lazy("is not exactly"),
    "TEXT_START_WITH": gettext_lazy("starts with"),
    "TEXT_DOES_NOT_START_WITH": gettext_lazy("does not start with"),
    "TEXT_ENDS_WITH": gettext_lazy("ends with"),
    "TEXT_DOES_NOT_END_WITH": gettext_lazy("does not end with"),
    "LIST_CONTAINS": gettext_lazy("has in its list"),
    "LIST_DOES_NOT_CONTAIN": gettext_lazy("does not have in its list"),
    "NUMBER_IS_GREATER_THAN": gettext_lazy("is greater than"),
    "NUMBER_IS_LESS_THAN": gettext_lazy("is less than"),
    "NUMBER_IS_EQUAL_TO": gettext_lazy("is equal to"),
    "DATE_IS_BEFORE": gettext_lazy("is before"),
    "DATE_IS_EQUAL": gettext_lazy("is the same time as"),
    "DATE_IS_AFTER": gettext_lazy("is after"),
    "EXISTS": gettext_lazy("is there"),
    "DOES_NOT_EXIST": gettext_lazy("is not there"),
    "BOOLEAN_IS_TRUE": gettext_lazy("is true"),
    "BOOLEAN_IS_FALSE": gettext_lazy("is false"),
    "LIST_IS_EMPTY": gettext_lazy("is an empty list"),
    "LIST_IS_NOT_EMPTY": gettext_lazy("is a list with something in it"),
}
#: Those after a single value.
ALONE = frozenset(
    {"EXISTS", "DOES_NOT_EXIST", "BOOLEAN_IS_TRUE", "BOOLEAN_IS_FALSE", "LIST_IS_EMPTY", "LIST_IS_NOT_EMPTY"}
)

#: Those that may match the case of letters: of texts, and of lists of texts.
WITH_CASE = frozenset(
    {name for name in OPERATORS if name.startswith("TEXT_")} | {"LIST_CONTAINS", "LIST_DOES_NOT_CONTAIN"}
)


def unused(operator: str) -> frozenset[str]:
    """The parts of a condition that a comparison does not have; none of one that the console does not know."""
    if operator in ALONE:
        return frozenset({"secondValue", "caseSensitive"})
    return frozenset({"caseSensitive"} if operator in OPERATORS and operator not in WITH_CASE else ())


#: Labels of fields by piece, then by action or trigger, then by field.
Labels = Mapping[str, Mapping[str, Mapping[str, str]]]


@dataclass(frozen=True)
class Settings:
    """The settings of a step: lines, a sentence on omitted ones, and the same as JSON; `id` is unique in the page."""

    id: str
    lines: list[Line]
    left_out: str
    raw: formats.Pretty

    @property
    def size(self) -> int:
        lengths = (len(item.block) + sum(len(part.text) for part in item.parts) + 100 for item in self.lines)
        return len(self.raw.text) + sum(lengths)


@dataclass(frozen=True)
class Item:
    """A line of the outline: a step, or (`step` False) the heading of a branch. `depth` is 0 to DEEPEST, `number` the step's place in
    reading order, from 1.
    """

    depth: int
    title: str
    kind: str | Promise
    icon: str
    name: str = ""
    about: str = ""
    number: int = 0
    step: bool = True
    skipped: bool = False
    invalid: bool = False
    empty: bool = False
    settings: Settings | None = None


def items(
    trigger: object, names: Names | None = None, known: Labels | None = None, *, most: int = _MOST_SETTINGS
) -> list[Item]:
    """The outline of the step tree that starts at `trigger` (api.md 6.3). Accepts malformed trees.

    With `names` (to resolve references) and `known` (labels of fields), each step has its settings as well, up to
    `most` characters of them in all.
    """
    result: list[Item] = []
    budget = most if names is not None else 0
    indents: dict[flow_tree.Chain, int] = {}
    for place in flow_tree.in_order(flow_tree.tree(trigger)):
        indent = _indent(place if isinstance(place, flow_tree.Chain) else place.chain, indents)
        if isinstance(place, flow_tree.Branch):
            if _headed(place):
                result.append(_branch(place, indent - 1))
            continue
        step = Step(place.step)
        settings = _settings(len(result), step, names, known or {}) if names is not None and budget > 0 else None
        budget -= settings.size if settings else 0
        result.append(_step(place, step, indent, settings, names))
    return result


def _indent(chain: flow_tree.Chain, indents: dict[flow_tree.Chain, int]) -> int:
    """The indent of the steps of a chain: steps in a branch are indented one level more than the branch's heading."""
    if chain not in indents:
        container = chain.container
        indents[chain] = indents[container.chain] + (2 if _headed(chain) else 1) if container else 0
    return indents[chain]


def _headed(chain: flow_tree.Chain) -> bool:
    """Whether these are inside a router that lists its branches, which then have headings."""
    return chain.container is not None and bool(Step(chain.container.step).settings.listed_branches)


# The following accept any value in place of a step.


def kind_of(step: object) -> tuple[str, Text]:
    """Icon and label for a step's type; an unknown type is shown as it is."""
    kind = Step(step).type
    return _KINDS.get(kind, ("circle-dot", kind[:40] or _("Step")))


def short_piece(step: object) -> str:
    """The name of a step's piece without its package: `google-sheets`."""
    return Step(step).settings.piece.removeprefix("piece-")


def piece_of(step: object) -> str:
    """The piece and action of a step, without the package's prefix: `webhook: return_response`."""
    settings = Step(step).settings
    short, action = settings.piece.removeprefix("piece-"), settings.operation
    return f"{short}: {action}" if short and action else short


def title_of(step: object) -> str:
    """A step's displayed name, else its own name."""
    return Step(step).title or _("Step without a name")


def _settings(number: int, step: Step, names: Names, known: Labels) -> Settings | None:
    listed, left = lines(step, names, known)
    if not listed:
        return None
    raw = formats.pretty(step.settings.raw, _MOST_RAW)
    return Settings(f"step-{number}", listed, step_values.left_out(left), raw)


def _step(node: flow_tree.Node, step: Step, depth: int, settings: Settings | None, names: Names | None) -> Item:
    icon, word = kind_of(step)
    detail = piece_of(step)
    if step.type == flow_tree.LOOP:
        listed = step.settings.loop_items or ""
        parts = step_values.parts(listed[:300], names) if names else ()
        detail = "".join(part.text for part in parts) or listed
    return Item(
        depth=min(depth, DEEPEST),
        title=title_of(step),
        kind=word,
        icon=icon,
        name=node.name,
        about=detail,
        number=node.number,
        skipped=step.skipped,
        invalid=step.is_incomplete,
        settings=settings,
    )


def _branch(branch: flow_tree.Branch, depth: int) -> Item:
    """The heading of a branch."""
    title, kind = branch.branch or _("Branch %(number)d") % {"number": branch.number}, _("If")
    if branch.fallback:
        own, otherwise = fallback_name(branch.branch), pgettext("branch", "Otherwise")
        title, kind = (own, otherwise) if own else (otherwise, "")
    return Item(min(depth, DEEPEST), title, kind, "arrow-right", step=False, empty=not branch.steps)


def fallback_name(name: str | None) -> str:
    """The name that a person gave to the branch for everything else; "" for the engine's, and for the console's in this language."""
    name = (name or "").strip()
    return "" if name.casefold() in {"otherwise", pgettext("branch", "Otherwise").casefold()} else name


# --- HTML --------------------------------------------------------------------------------------------

#: What is before the settings of a step, with its title, kind and marks; the link to its page; the heading of a branch.
_STEP = (
    '<li id="step-at-{}" class="outline-step depth-{}{}">{}<div class="min-w-0 flex-fill"><div class="long">{}{}{}</div>'
    '<div class="small text-secondary long">{}{}{}</div>'
)
_LINK = (
    '<a class="btn btn-icon flex-shrink-0 btn-ghost-secondary" href="{}{}/" data-panel data-step="{}"'
    ' aria-label="{}: {}" title="{}">{}</a>'
)
_BRANCH = '<li class="outline-branch depth-{}">{}<div class="min-w-0 long">{}<strong>{}</strong>{}</div></li>'


def rows(
    items: Sequence[Item], *, step_url: str = "", edits: bool = False
) -> Iterator[tuple[SafeString, Item, SafeString]]:
    """Each line with the HTML before and after its settings, for templates/flows/outline.html.

    Args:
        step_url: what the pages of the steps begin with; "" without links to them.
        edits: whether the person edits the steps there.
    """
    skipped = markup(' <span class="badge bg-secondary-lt">{}</span>', _("Skipped"))
    warning, incomplete = icon("triangle-alert", "me-1"), _("Not complete")
    invalid = markup(' <span class="badge bg-orange-lt">{}{}</span>', warning, incomplete)
    nothing = markup(' <span class="text-secondary">{}</span>', _("– nothing happens"))
    words, sign = (_("Edit"), icon("pencil")) if edits else (_("Show"), icon("chevron-right"))
    for item in items:
        mark = icon(item.icon, "outline-icon")
        if not item.step:
            title, empty = formats.cut(item.title, 200), nothing if item.empty else NOTHING
            kind = f"{item.kind} " if item.kind else ""
            yield markup(_BRANCH, item.depth, mark, kind, title, empty), item, NOTHING
            continue
        opening = markup(
            _STEP,
            item.number,
            item.depth,
            " outline-skipped" if item.skipped else "",
            mark,
            formats.cut(item.title, 300),
            skipped if item.skipped else NOTHING,
            invalid if item.invalid else NOTHING,
            item.kind,
            f" · {formats.cut(item.about, 120)}" if item.about else "",
            markup(" · <code>{}</code>", formats.cut(item.name, 60)) if item.name else NOTHING,
        )
        link: SafeString = NOTHING
        if step_url and item.name:
            name, title = quote(item.name, safe=""), formats.cut(item.title, 80)
            link = markup(_LINK, step_url, name, item.name, words, title, words, sign)
        yield opening, item, markup("</div>{}</li>", link)


# --- Settings ----------------------------------------------------------------------------------------


def names_of(trigger: object, connections: Mapping[str, tuple[str, str]], slug: str, older: object = None) -> Names:
    """Names to resolve references in this tree, secrets masked; steps that only the `older` tree has keep their names from there."""
    steps = flow_tree.steps_by_name(older) | flow_tree.steps_by_name(trigger)
    titles = redaction.step([step.get("displayName") or name for name, step in steps.items()], secrets=SECRETS)
    return Names(dict(zip(steps, map(str, titles), strict=True)), connections, slug)


def labels(session: EngineSession, trigger: object) -> Labels:
    """The labels of the fields of the first eight pieces in this tree. Others have their names made readable."""
    pieces = pieces_of(node.step for node in flow_tree.walk(trigger))
    return {name: dict_at(inputs.of_piece(session, name), "labels") for name in pieces[:_MOST_PIECES]}


def lines(step: object, names: Names, known: Labels, most: int = step_values.MOST) -> tuple[list[Line], int]:
    """All settings of a step, and how many fields are left out. Accepts any value in place of a step."""
    settings = Step(step).settings
    all_lines: list[Line] = []
    if (items := settings.loop_items) is not None:
        all_lines.append(step_values.line(("items",), items, names, {"items": _("For each item in")}))
    if (execution := settings.execution_type) is not None:
        text = str(EXECUTION.get(execution, execution))
        all_lines.append(step_values.line(("executionType",), text, names, {"executionType": _("Runs")}))
    all_lines += [
        step_values.line(("branches", name), text, names, {"branches": _("Branch")})
        for name, text in _branches(settings)
    ]
    field_labels = {"auth": _("Connection"), **known.get(settings.piece_name, {}).get(settings.operation, {})}
    inner, left = step_values.lines(settings.raw.get("input"), names, field_labels, most=most)
    all_lines += inner
    all_lines += _code(settings.source_code, names)
    for key, value in settings.raw.items():
        if key not in _ELSEWHERE:
            more, also = step_values.lines(value, names, at=(str(key)[:80],), most=most)
            all_lines, left = all_lines + more, left + also
    for key, label, is_set in (
        ("continueOnFailure", _("The flow continues if it fails"), settings.continues_on_failure),
        ("retryOnFailure", _("It is retried if it fails"), settings.retries_on_failure),
    ):
        if is_set:
            all_lines.append(step_values.line((key,), True, names, {key: label}))
    return all_lines, left


def condition(found: object) -> str:
    """One condition as text, its values as the engine has them. Accepts any value."""
    compared = Condition(found)
    operator = compared.operator
    first, second = step_values.plain(compared.first), step_values.plain(compared.second)
    parts = [
        first or _("(nothing)"),
        str(OPERATORS.get(operator, operator[:60])),
        "" if operator in ALONE else second,
    ]
    return " ".join(part for part in parts if part)


def _branches(settings: StepSettings) -> list[tuple[str, str]]:
    """(name, conditions as text) of a router's branches."""
    branches = []
    for number, branch in enumerate(map(Branch, settings.listed_branches), start=1):
        text = conditions(branch) or _("No condition is set")
        if branch.type == flow_tree.FALLBACK:
            text = _("If no other branch matches")
        branches.append((branch.name or str(number), text))
    return branches


def conditions(branch: object, change: Callable[[str], str] = str) -> str:
    """The conditions of a branch as text; `change` is applied to the text of each. Accepts any value in place of a branch."""
    groups = Branch(branch).filled_groups
    return _(", or ").join(_(" and ").join(change(condition(item)) for item in group) for group in groups)


def _code(source: SourceCode | None, names: Names) -> list[Line]:
    if source is None:
        return []
    code_lines = [step_values.line(("sourceCode",), source.code, names, {"sourceCode": _("Code")})]
    if source.packages.strip() not in ("", "{}"):
        code_lines.append(step_values.line(("packageJson",), source.packages, names, {"packageJson": _("Packages")}))
    return code_lines
