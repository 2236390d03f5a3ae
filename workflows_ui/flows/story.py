"""What a flow will do, from its steps: a sentence per step, with branches and loops inside it, the rest counted.

Common actions of common apps have their own sentences, all others "use X". A sentence is a text with its names marked,
so that a page can highlight them and a copy can be plain.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from django.utils.functional import Promise
from django.utils.translation import gettext, gettext_lazy as _, ngettext

from workflows_ui.core import formats
from workflows_ui.core.readers import as_text, whole_number_of
from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.engine import flow_tree
from workflows_ui.engine_objects.flows import Step
from workflows_ui.flows import outline, step_values
from workflows_ui.flows.reading import connection_names, known_apps, table_names, table_of
from workflows_ui.pieces import apps

#: Maximum sentences and nesting; deeper or later steps are only counted.
MOST, _DEEPEST = 8, 3
#: Maximum steps in one line.
_IN_SHORT = 3
_GENERIC = re.compile(r"(branch|nhánh)?\s*\d*", re.IGNORECASE)
_VALUE = re.compile(r"\{\{(.{1,500}?)\}\}", re.DOTALL)
Parts = tuple[tuple[str, bool], ...]
_HOLE = re.compile(r"%\((\w+)\)s")


@dataclass(frozen=True)
class Known:
    """Names for sentences: apps by their pieces' names, connections and tables as (id, name) by the ids in steps."""

    apps: Mapping[str, str] = field(default_factory=dict)
    connections: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    tables: Mapping[str, tuple[str, str]] = field(default_factory=dict)


def fill_template(template: str | Promise, **names: str) -> Parts:
    """Fill in a sentence: (text, whether it is a name). An empty name leaves nothing, and no blanks around it."""
    texts = enumerate(_HOLE.split(str(template)))
    parts = ((_name(names.get(text, "")), True) if number % 2 else (text, False) for number, text in texts)
    return tuple(part for part in parts if part[0])


@dataclass(frozen=True)
class Branch:
    """What happens in one case: `label` names the case ("" for each item of a list)."""

    label: Parts
    sentences: tuple["Sentence", ...]
    #: Steps in it without a sentence.
    more: int = 0


@dataclass(frozen=True)
class Sentence:
    """What one step does; `inner` are a router's cases, or what a loop does for each item."""

    parts: Parts
    icon: str
    inner: tuple[Branch, ...] = ()


@dataclass(frozen=True)
class Story:
    """What a flow does. `more` counts the steps without a sentence; `empty` is whether it has no steps at all."""

    sentences: tuple[Sentence, ...]
    more: int

    @property
    def empty(self) -> bool:
        return not self.sentences and not self.more


def load_names(session: EngineSession, trigger: object) -> Known:
    """The names for the sentences: cached ones, and (unless the session is quick) those that need a call."""
    steps = [Step(node.step) for node in flow_tree.walk(trigger)]
    uses = any("connections" in str(step.settings.input.get("auth")) for step in steps)
    tables = any(table_of(step) for step in steps)
    return Known(
        {name: apps.title(row) for name, row in known_apps(session).items()},
        connection_names(session) if uses else {},
        table_names(session) if tables else {},
    )


def build_story(trigger: object, names: Known | None = None) -> Story:
    """The story of the steps after `trigger` (api.md 6.3). Skipped steps are left out. Accepts malformed trees."""
    teller = _Builder(names or Known())
    sentences, more = teller.chain(flow_tree.tree(trigger)[1:], 0)
    return Story(sentences, more)


def in_short(trigger: object) -> str:
    """What the first steps after `trigger` do, in one line without answers to the launcher; "" without steps. Accepts malformed trees."""
    nodes = [node for node in flow_tree.tree(trigger)[1:] if not _is_skipped(node)]
    doing = [node for node in nodes if not _is_answer(Step(node.step))] or nodes
    found = [_in_short(node) for node in doing[:_IN_SHORT]]
    if more := len(doing) - len(found):
        found.append(ngettext("%(n)d more step", "%(n)d more steps", more) % {"n": more})
    return " · ".join(found)


def _in_short(node: flow_tree.Node) -> str:
    step = Step(node.step)
    # The titles of code, loops and routers are what their builders say of them; their types say less.
    titled = step.type == "CODE" or bool(node.inside)
    return outline.title_of(step)[:80] if titled else "".join(text for text, _named in build_sentence(step, Known()))


def _is_answer(step: Step) -> bool:
    return outline.short_piece(step) in {"webhook", "forms"} and "return_response" in step.settings.action_name.lower()


class _Builder:
    def __init__(self, names: Known) -> None:
        self._names = names
        self._left = MOST

    def chain(self, steps: Iterable[flow_tree.Node], depth: int) -> tuple[tuple[Sentence, ...], int]:
        """The sentences of one chain of steps, and how many steps in it (at any depth) have none."""
        found, more = [], 0
        for node in steps:
            if _is_skipped(node):
                continue
            if self._left <= 0 or depth > _DEEPEST:
                more += 1 + sum(not _is_skipped(inner) for inner in flow_tree.inner(node))
                continue
            self._left -= 1
            found.append(self._sentence(node, depth))
        return tuple(found), more

    def _sentence(self, node: flow_tree.Node, depth: int) -> Sentence:
        step = Step(node.step)
        # For what the step does, else for its type.
        icon = _ICONS.get(outline.short_piece(step)) or str(outline.kind_of(step)[0])
        if step.type == flow_tree.LOOP or node.loop:
            sentences, more = self.chain(node.loop.steps if node.loop else (), depth + 1)
            items = _values(step.settings.loop_items or "")
            title = _filled((_("For each of %(items)s:"), _("For each item of a list:")), items=items)
            return Sentence(title, icon, (Branch((), sentences, more),) if sentences or more else ())
        if step.type == "ROUTER" or step.children is not None:
            title = fill_template(_("Finds the first case that applies:"))
            if step.settings.execution_type == "EXECUTE_ALL_MATCH":
                title = fill_template(_("Finds every case that applies, and runs the steps of each:"))
            return Sentence(title, icon, tuple(self._branches(node, depth)))
        return Sentence(build_sentence(step, self._names), icon)

    def _branches(self, node: flow_tree.Node, depth: int) -> Iterator[Branch]:
        for branch in node.branches:
            # Without a place for steps, as in a file, there is nothing to say about a case.
            if not branch.placed:
                continue
            sentences, more = self.chain(branch.steps, depth + 1)
            if not sentences and not more:
                sentences = (Sentence(fill_template(_("Nothing more happens here")), "minus"),)
            yield Branch(_case(branch), sentences, more)


def _is_skipped(node: flow_tree.Node) -> bool:
    return Step(node.step).skipped


def _case(branch: flow_tree.Branch) -> Parts:
    """The label of a branch: its name, if a person gave it one, else its conditions."""
    name = (branch.branch or "").strip()
    if branch.fallback:
        own = outline.fallback_name(name)
        return fill_template(_("Otherwise (%(name)s):"), name=own) if own else fill_template(_("Otherwise:"))
    if name and not _GENERIC.fullmatch(name):
        return fill_template(_("If %(name)s:"), name=name)
    text = outline.conditions(branch.settings, _values)
    return fill_template(_("If %(condition)s:"), condition=text or name or str(branch.number))


def _values(text: str) -> str:
    """A text whose `{{references}}` are replaced by the last name in them: `{{trigger['body']['amount']}}` is "amount"."""

    def last(match: re.Match[str]) -> str:
        keys = re.findall(r"[\w$À-ỹ -]+", match[1])
        return str(keys[-1]).strip() if keys else match[0]

    return _VALUE.sub(last, text[:5_000])[:120]


# --- Sentences of steps ------------------------------------------------------------------------------


def build_sentence(step: Step, known: Known) -> Parts:
    """What a step other than a loop or router does (api.md 6.3)."""
    title, settings = outline.title_of(step), step.settings
    if step.type == "CODE":
        return fill_template(_("%(title)s (custom code)"), title=title)
    piece, action = settings.piece_name, settings.action_name
    short = outline.short_piece(step)
    particular = _PARTICULAR.get(short)
    sentence = particular(step, action, known) if particular else None
    if sentence:
        return sentence
    template = next((text for part, text in _BY_ACTION.get(short, ()) if part in action.lower()), None)
    if template:
        return fill_template(template, title=title)
    templates = _ACCOUNTS.get((short, action)) or _ACCOUNTS.get((short, ""))
    if templates:
        external = step_values.external_id(settings.input.get("auth"))
        return _filled(templates, account=known.connections.get(external, ("", ""))[1])
    if short in _HELPERS:
        return fill_template(_("Prepares data: %(title)s"), title=title)
    if not piece:
        return fill_template(_("Runs a custom step: %(title)s"), title=title)
    return fill_template(_("Uses %(app)s: %(title)s"), app=known.apps.get(piece) or apps.short(piece), title=title)


def _filled(templates: tuple[str | Promise, str | Promise], **names: str) -> Parts:
    """The first template with the names, the second if they are empty."""
    return fill_template(templates[0 if any(names.values()) else 1], **names)


# --- Steps that say more than the account they use --------------------------------------------------


def _delay(step: Step, action: str, _known: Known) -> Parts | None:
    if "until" in action.lower():
        return fill_template(_("Waits until a time that is set"))
    given = step.settings.input
    number, unit = whole_number_of(given.get("delayFor")), str(given.get("unit")).lower()
    seconds = _UNITS.get(unit)
    if number is None or seconds is None or not 0 <= number < 10**7:
        return fill_template(_("Waits for a while"))
    if unit in {"days", "weeks"}:
        days = number * (7 if unit == "weeks" else 1)
        return fill_template(ngettext("Waits %(n)d day", "Waits %(n)d days", days) % {"n": days})
    return fill_template(_("Waits %(time)s"), time=formats.duration(number * seconds * 1000) or gettext("no time"))


_UNITS = {"seconds": 1, "minutes": 60, "hours": 3600, "days": 86_400, "weeks": 604_800}


def _table(step: Step, action: str, known: Known) -> Parts | None:
    name = known.tables.get(table_of(step), ("", ""))[1]
    templates = next((templates for verb, templates in _TABLE_ACTIONS if verb in action.lower()), None)
    return _filled(templates, table=name) if templates else None


_DELETES = (_("Deletes rows of the table %(table)s"), _("Deletes rows of a table"))
_LOOKS_UP = (_("Looks something up in the table %(table)s"), _("Looks something up in a table"))
_TABLE_ACTIONS: tuple[tuple[str, tuple[str | Promise, str | Promise]], ...] = (
    ("create", (_("Writes to the table %(table)s"), _("Writes to a table"))),
    ("update", (_("Changes rows of the table %(table)s"), _("Changes rows of a table"))),
    ("delete", _DELETES),
    ("clear", _DELETES),
    ("find", _LOOKS_UP),
    ("get", _LOOKS_UP),
)


def _http(step: Step, _action: str, _known: Known) -> Parts | None:
    given = step.settings.input
    method = str(given.get("method")).upper()
    try:
        host = urlsplit(as_text(given.get("url"))).hostname or ""
    except ValueError:
        host = ""
    if not host or "{" in host:
        return fill_template(_("Calls a web service"))
    return fill_template(_("Asks %(host)s for data") if method == "GET" else _("Sends data to %(host)s"), host=host)


#: Sentences by piece, for actions whose names contain a text.
_BY_ACTION: Mapping[str, Sequence[tuple[str, Promise]]] = {
    "webhook": (
        ("wait", _("Answers, and waits for the next call")),
        ("return_response", _("Answers the launcher")),
    ),
    "approval": (
        ("wait", _("Waits until someone approves or declines")),
        ("", _("Asks for approval")),
    ),
    "subflows": (
        ("returnresponse", _("Hands its result back to the flow that called it")),
        ("call", _("Starts another flow: %(title)s")),
    ),
    "store": (
        ("get", _("Looks up what it has remembered")),
        ("remove", _("Forgets a value")),
        ("", _("Remembers a value")),
    ),
    "forms": (("return_response", _("Answers the person who filled in the form")),),
}
_PARTICULAR: Mapping[str, Callable[[Step, str, Known], Parts | None]] = {
    "delay": _delay,
    "tables": _table,
    "http": _http,
}

# --- Actions of apps, with the account they use and without ------------------------------------------

_MAIL = (_("Sends an email with %(account)s"), _("Sends an email"))
_SLACK = (_("Sends a message in Slack with %(account)s"), _("Sends a message in Slack"))
_SHEET = (_("Writes to a Google sheet with %(account)s"), _("Writes to a Google sheet"))
_SHEET_READ = (_("Looks something up in a Google sheet with %(account)s"), _("Looks something up in a Google sheet"))
_ACCOUNTS: Mapping[tuple[str, str], tuple[str | Promise, str | Promise]] = {
    ("gmail", "send_email"): _MAIL,
    ("sendgrid", "send_email"): _MAIL,
    ("smtp", "send-email"): _MAIL,
    ("microsoft-outlook", "send-email"): _MAIL,
    ("whatsapp", ""): (_("Sends a WhatsApp message with %(account)s"), _("Sends a WhatsApp message")),
    ("zalo-oa", ""): (_("Sends a Zalo message with %(account)s"), _("Sends a Zalo message")),
    ("telegram-bot", "send_text_message"): (
        _("Sends a Telegram message with %(account)s"),
        _("Sends a Telegram message"),
    ),
    ("slack", "send_channel_message"): _SLACK,
    ("slack", "send_direct_message"): _SLACK,
    ("discord", "send_message_webhook"): (
        _("Sends a message in Discord with %(account)s"),
        _("Sends a message in Discord"),
    ),
    ("twilio", "send_sms"): (_("Sends a text message with %(account)s"), _("Sends a text message")),
    ("google-sheets", "insert_row"): _SHEET,
    ("google-sheets", "update_row"): _SHEET,
    ("google-sheets", "find_rows"): _SHEET_READ,
    ("google-sheets", "get_next_rows"): _SHEET_READ,
    ("google-drive", "upload_file"): (
        _("Saves a file in Google Drive with %(account)s"),
        _("Saves a file in Google Drive"),
    ),
    ("google-calendar", "create_event"): (
        _("Puts an event into the calendar with %(account)s"),
        _("Puts an event into a calendar"),
    ),
    ("openai", "ask_chatgpt"): (_("Asks an AI model with %(account)s"), _("Asks an AI model")),
    ("openai", "generate_image"): (
        _("Lets an AI model draw a picture with %(account)s"),
        _("Lets an AI model draw a picture"),
    ),
    ("openai", "transcribe"): (
        _("Transcribes a recording with %(account)s"),
        _("Transcribes a recording"),
    ),
}
_APPS_BY_ICON = {
    "reply": ("webhook", "forms"),
    "hourglass": ("delay",),
    "table": ("tables", "google-sheets"),
    "user-check": ("approval",),
    "globe": ("http",),
    "box": ("store",),
    "workflow": ("subflows",),
    "mail": ("gmail", "sendgrid", "smtp", "microsoft-outlook"),
    "message-square": ("whatsapp", "zalo-oa", "telegram-bot", "slack", "discord", "twilio"),
    "file-up": ("google-drive",),
    "calendar": ("google-calendar",),
    "bot": ("openai",),
}
_ICONS = {app: icon for icon, listed in _APPS_BY_ICON.items() for app in listed}
_HELPERS = frozenset(
    {"data-mapper", "math-helper", "text-helper", "date-helper", "json", "csv", "xml", "crypto", "image-helper"}
)


def _name(text: str) -> str:
    return formats.cut(" ".join(text.encode("utf-8", "replace").decode().split()), 80)
