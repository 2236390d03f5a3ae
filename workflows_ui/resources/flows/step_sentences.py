"""A sentence on what a step of a flow does: common actions of common apps have their own, all others "use X".

A sentence is a text with its names marked, so that a page can highlight them and a copy can be plain.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from workflows_ui.resource_admin.resource import pick
from workflows_ui.resources.flows import outline
from workflows_ui.resources.flows.reading import table_of
from workflows_ui.resources.pieces import apps
from workflows_ui.resources.runs import step_values
from workflows_ui.web import formats
from workflows_ui.web.paths import text_at

Parts = tuple[tuple[str, bool], ...]
_HOLE = re.compile(r"%\((\w+)\)s")
_NAME = 80


@dataclass(frozen=True)
class Known:
    """Names for sentences: apps by their pieces' names, connections and tables as (id, name) by the ids in steps."""

    apps: Mapping[str, str] = field(default_factory=dict)
    connections: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    tables: Mapping[str, tuple[str, str]] = field(default_factory=dict)


def fill_template(template: str | Promise, **names: str) -> Parts:
    """Fill in a sentence: (text, whether it is a name). An empty name leaves nothing, and no blanks around it."""
    parts: list[tuple[str, bool]] = []
    end, text = 0, str(template)
    for hole in _HOLE.finditer(text):
        parts.append((text[end : hole.start()], False))
        parts.append((_clean(names.get(hole[1], "")), True))
        end = hole.end()
    parts.append((text[end:], False))
    return tuple((words, name) for words, name in parts if words)


def plain(parts: Parts) -> str:
    return "".join(text for text, _name in parts)


def build_sentence(step: Any, known: Known) -> Parts:
    """What a step other than a loop or router does (api.md 6.3). Accepts malformed steps."""
    if pick(step, "type") == "CODE":
        return fill_template(_("%(title)s (the flow's own code)"), title=outline.title_of(step))
    piece, action = text_at(step, "settings.pieceName"), text_at(step, "settings.actionName")
    short = piece.rpartition("/")[2].removeprefix("piece-")
    particular = _PARTICULAR.get(short)
    sentence = particular(step, action, known) if particular else None
    if sentence:
        return sentence
    templates = _ACCOUNTS.get((short, action)) or _ACCOUNTS.get((short, ""))
    account = _account(step, known)
    if templates:
        with_account, without = templates
        return fill_template(with_account, account=account) if account else fill_template(without)
    if short in _HELPERS:
        return fill_template(_("Prepares data: %(title)s"), title=outline.title_of(step))
    if not piece:
        return fill_template(_("Does a step of its own: %(title)s"), title=outline.title_of(step))
    return fill_template(_("Uses %(app)s: %(title)s"), app=app_of(piece, known), title=outline.title_of(step))


def icon_of(step: Any) -> str:
    """The icon for what a step does, else the icon of its type."""
    short = text_at(step, "settings.pieceName").rpartition("/")[2].removeprefix("piece-")
    return _ICONS.get(short) or str(outline.kind_of(step)[0])


def app_of(piece: str, known: Known) -> str:
    return known.apps.get(piece) or apps.short(piece)


def _account(step: Any, known: Known) -> str:
    """The name of the step's connection; "" without one, or if its name is unknown."""
    external = step_values.external_id(pick(step, "settings.input.auth"))
    return known.connections.get(external, ("", ""))[1] if external else ""


# --- Steps that say more than the account they use --------------------------------------------------


def _delay(step: Any, action: str, _known: Known) -> Parts | None:
    if "until" in action.lower():
        return fill_template(_("Waits until a time that is set"))
    amount, unit = pick(step, "settings.input.delayFor"), str(pick(step, "settings.input.unit")).lower()
    try:
        number = int(amount)
    except (TypeError, ValueError, OverflowError):
        return fill_template(_("Waits for a while"))
    seconds = _UNITS.get(unit)
    if seconds is None or not 0 <= number < 10**7:
        return fill_template(_("Waits for a while"))
    if unit in {"days", "weeks"}:
        days = number * (7 if unit == "weeks" else 1)
        return fill_template(ngettext("Waits %(n)d day", "Waits %(n)d days", days) % {"n": days})
    return fill_template(_("Waits %(time)s"), time=formats.duration(number * seconds * 1000) or _("no time"))


_UNITS = {"seconds": 1, "minutes": 60, "hours": 3600, "days": 86_400, "weeks": 604_800}


def _table(step: Any, action: str, known: Known) -> Parts | None:
    table_id = table_of(step)
    name = known.tables.get(table_id, ("", ""))[1]
    verb = next((words for part, words in _TABLE_WORDS if part in action.lower()), None)
    if verb is None:
        return None
    with_name, without = verb
    return fill_template(with_name, table=name) if name else fill_template(without)


_TABLE_WORDS: tuple[tuple[str, tuple[str | Promise, str | Promise]], ...] = (
    ("create", (gettext_lazy("Writes to the table %(table)s"), gettext_lazy("Writes to a table"))),
    ("update", (gettext_lazy("Changes rows of the table %(table)s"), gettext_lazy("Changes rows of a table"))),
    ("delete", (gettext_lazy("Deletes rows of the table %(table)s"), gettext_lazy("Deletes rows of a table"))),
    ("clear", (gettext_lazy("Deletes rows of the table %(table)s"), gettext_lazy("Deletes rows of a table"))),
    ("find", (gettext_lazy("Looks something up in the table %(table)s"), gettext_lazy("Looks something up in a table"))),
    ("get", (gettext_lazy("Looks something up in the table %(table)s"), gettext_lazy("Looks something up in a table"))),
)  # fmt: skip


def _http(step: Any, _action: str, _known: Known) -> Parts | None:
    url, method = pick(step, "settings.input.url"), str(pick(step, "settings.input.method")).upper()
    try:
        host = (urlsplit(url).hostname or "") if isinstance(url, str) else ""
    except ValueError:
        host = ""
    if not host or "{" in host:
        return fill_template(_("Calls a web service"))
    return fill_template(_("Asks %(host)s for data") if method == "GET" else _("Sends data to %(host)s"), host=host)


def _webhook(_step: Any, action: str, _known: Known) -> Parts | None:
    if "wait" in action.lower():
        return fill_template(_("Answers, and waits for the next call"))
    return fill_template(_("Answers the launcher")) if action.startswith("return_response") else None


def _approval(_step: Any, action: str, _known: Known) -> Parts | None:
    if "wait" in action.lower():
        return fill_template(_("Waits until somebody approves or refuses"))
    return fill_template(_("Asks for approval"))


def _subflows(step: Any, action: str, _known: Known) -> Parts | None:
    if action.lower() == "returnresponse":
        return fill_template(_("Hands its result back to the flow that called it"))
    return (
        fill_template(_("Starts another flow: %(title)s"), title=outline.title_of(step))
        if "call" in action.lower()
        else None
    )


def _store(_step: Any, action: str, _known: Known) -> Parts | None:
    if action.lower().startswith("get"):
        return fill_template(_("Looks up what it has remembered"))
    return fill_template(_("Forgets a value")) if "remove" in action.lower() else fill_template(_("Remembers a value"))


def _human(_step: Any, action: str, _known: Known) -> Parts | None:
    return (
        fill_template(_("Answers the person who filled in the form")) if action.startswith("return_response") else None
    )


_PARTICULAR: Mapping[str, Callable[[Any, str, Known], Parts | None]] = {
    "delay": _delay,
    "tables": _table,
    "http": _http,
    "webhook": _webhook,
    "approval": _approval,
    "subflows": _subflows,
    "store": _store,
    "forms": _human,
}

# --- Actions of apps, with the account they use and without ------------------------------------------

_MAIL = (gettext_lazy("Sends an e-mail with %(account)s"), gettext_lazy("Sends an e-mail"))
_WHATSAPP = (gettext_lazy("Sends a WhatsApp message with %(account)s"), gettext_lazy("Sends a WhatsApp message"))
_ZALO = (gettext_lazy("Sends a Zalo message with %(account)s"), gettext_lazy("Sends a Zalo message"))
_SLACK = (gettext_lazy("Sends a message in Slack with %(account)s"), gettext_lazy("Sends a message in Slack"))
_TELEGRAM = (gettext_lazy("Sends a Telegram message with %(account)s"), gettext_lazy("Sends a Telegram message"))
_SHEET = (gettext_lazy("Writes to a Google sheet with %(account)s"), gettext_lazy("Writes to a Google sheet"))
_SHEET_READ = (
    gettext_lazy("Looks something up in a Google sheet with %(account)s"),
    gettext_lazy("Looks something up in a Google sheet"),
)
_ASKS_AI = (gettext_lazy("Asks an AI model with %(account)s"), gettext_lazy("Asks an AI model"))
_ACCOUNTS: Mapping[tuple[str, str], tuple[str | Promise, str | Promise]] = {
    ("gmail", "send_email"): _MAIL,
    ("sendgrid", "send_email"): _MAIL,
    ("smtp", "send-email"): _MAIL,
    ("microsoft-outlook", "send-email"): _MAIL,
    ("whatsapp", ""): _WHATSAPP,
    ("zalo-oa", ""): _ZALO,
    ("telegram-bot", "send_text_message"): _TELEGRAM,
    ("slack", "send_channel_message"): _SLACK,
    ("slack", "send_direct_message"): _SLACK,
    ("discord", "send_message_webhook"): (
        gettext_lazy("Sends a message in Discord with %(account)s"),
        gettext_lazy("Sends a message in Discord"),
    ),
    ("twilio", "send_sms"): (
        gettext_lazy("Sends a text message with %(account)s"),
        gettext_lazy("Sends a text message"),
    ),
    ("google-sheets", "insert_row"): _SHEET,
    ("google-sheets", "update_row"): _SHEET,
    ("google-sheets", "find_rows"): _SHEET_READ,
    ("google-sheets", "get_next_rows"): _SHEET_READ,
    ("google-drive", "upload_file"): (
        gettext_lazy("Saves a file in Google Drive with %(account)s"),
        gettext_lazy("Saves a file in Google Drive"),
    ),
    ("google-calendar", "create_event"): (
        gettext_lazy("Puts an event into the calendar with %(account)s"),
        gettext_lazy("Puts an event into a calendar"),
    ),
    ("openai", "ask_chatgpt"): _ASKS_AI,
    ("openai", "generate_image"): (
        gettext_lazy("Lets an AI model draw a picture with %(account)s"),
        gettext_lazy("Lets an AI model draw a picture"),
    ),
    ("openai", "transcribe"): (
        gettext_lazy("Writes down what is said in a recording, with %(account)s"),
        gettext_lazy("Writes down what is said in a recording"),
    ),
}
_ICONS = {
    "webhook": "reply",
    "forms": "reply",
    "delay": "hourglass-half",
    "tables": "table",
    "approval": "user-check",
    "http": "globe",
    "store": "box",
    "subflows": "diagram-project",
    "gmail": "envelope",
    "sendgrid": "envelope",
    "smtp": "envelope",
    "microsoft-outlook": "envelope",
    "whatsapp": "comment",
    "zalo-oa": "comment",
    "telegram-bot": "comment",
    "slack": "comment",
    "discord": "comment",
    "twilio": "comment",
    "google-sheets": "table",
    "google-drive": "file-arrow-up",
    "google-calendar": "calendar",
    "openai": "robot",
}
_HELPERS = frozenset(
    {"data-mapper", "math-helper", "text-helper", "date-helper", "json", "csv", "xml", "crypto", "image-helper"}
)


def _clean(text: str) -> str:
    text = " ".join(text.encode("utf-8", "replace").decode().split())
    return text if len(text) <= _NAME else f"{text[: _NAME - 1]}…"
