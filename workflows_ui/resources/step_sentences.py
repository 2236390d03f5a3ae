"""What one step of a flow does, as a sentence for people: the common actions of common apps have their own, all others "use X".

A sentence is a text with the names in it told apart, so that a page can set them off and a copy can be plain.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from workflows_ui.kit import show
from workflows_ui.kit.resource import pick
from workflows_ui.resources import apps, outline, step_values
from workflows_ui.resources.flow_reading import table_of

Parts = tuple[tuple[str, bool], ...]
_HOLE = re.compile(r"%\((\w+)\)s")
_NAME = 80


@dataclass(frozen=True)
class Known:
    """What names are told by: apps by their pieces' names, connections and tables as (id, name) by what steps call them."""

    apps: Mapping[str, str] = field(default_factory=dict)
    connections: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    tables: Mapping[str, tuple[str, str]] = field(default_factory=dict)


def told(template: str | Promise, **names: str) -> Parts:
    """A sentence with its holes filled: (text, whether it is a name). An empty name leaves nothing, and no blanks around it."""
    parts: list[tuple[str, bool]] = []
    end, text = 0, str(template)
    for hole in _HOLE.finditer(text):
        parts.append((text[end : hole.start()], False))
        parts.append((_clean(names.get(hole[1], "")), True))
        end = hole.end()
    parts.append((text[end:], False))
    return tuple((words, name) for words, name in parts if words)


def plain(parts: Parts) -> str:
    """The sentence as text."""
    return "".join(text for text, _name in parts)


def of(step: Any, known: Known) -> Parts:
    """What a step that is no loop and no router does (api.md 6.3), whatever is missing or odd in it."""
    if pick(step, "type") == "CODE":
        return told(_("%(title)s (the flow's own code)"), title=outline.title_of(step))
    piece, action = _text(step, "settings.pieceName"), _text(step, "settings.actionName")
    short = piece.rpartition("/")[2].removeprefix("piece-")
    particular = _PARTICULAR.get(short)
    found = particular(step, action, known) if particular else None
    if found:
        return found
    sentence = _ACCOUNTS.get((short, action)) or _ACCOUNTS.get((short, ""))
    account = _account(step, known)
    if sentence:
        with_account, without = sentence
        return told(with_account, account=account) if account else told(without)
    if short in _HELPERS:
        return told(_("Prepares data: %(title)s"), title=outline.title_of(step))
    if not piece:
        return told(_("Does a step of its own: %(title)s"), title=outline.title_of(step))
    return told(_("Uses %(app)s: %(title)s"), app=app_of(piece, known), title=outline.title_of(step))


def icon_of(step: Any) -> str:
    """The icon of what a step does; that of its kind where there is no particular one."""
    short = _text(step, "settings.pieceName").rpartition("/")[2].removeprefix("piece-")
    return _ICONS.get(short) or str(outline.kind_of(step)[0])


def app_of(piece: str, known: Known) -> str:
    """What an app is called."""
    return known.apps.get(piece) or apps.short(piece)


def _account(step: Any, known: Known) -> str:
    """The name of the connection that a step uses; "" where it has none, or its name is not known."""
    external = step_values.external_id(pick(step, "settings.input.auth"))
    return known.connections.get(external, ("", ""))[1] if external else ""


# --- Steps that say more than which account they use -----------------------------------------------


def _delay(step: Any, action: str, _known: Known) -> Parts | None:
    if "until" in action.lower():
        return told(_("Waits until a time that is set"))
    amount, unit = pick(step, "settings.input.delayFor"), str(pick(step, "settings.input.unit")).lower()
    try:
        number = int(amount)
    except (TypeError, ValueError, OverflowError):
        return told(_("Waits for a while"))
    seconds = _UNITS.get(unit)
    if seconds is None or not 0 <= number < 10**7:
        return told(_("Waits for a while"))
    if unit in {"days", "weeks"}:
        days = number * (7 if unit == "weeks" else 1)
        return told(ngettext("Waits %(n)d day", "Waits %(n)d days", days) % {"n": days})
    return told(_("Waits %(time)s"), time=show.duration(number * seconds * 1000) or _("no time"))


_UNITS = {"seconds": 1, "minutes": 60, "hours": 3600, "days": 86_400, "weeks": 604_800}


def _table(step: Any, action: str, known: Known) -> Parts | None:
    named = table_of(step)
    name = known.tables.get(named, ("", ""))[1]
    verb = next((words for part, words in _TABLE_WORDS if part in action.lower()), None)
    if verb is None:
        return None
    with_name, without = verb
    return told(with_name, table=name) if name else told(without)


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
        return told(_("Calls a web service"))
    return told(_("Asks %(host)s for data") if method == "GET" else _("Sends data to %(host)s"), host=host)


def _webhook(_step: Any, action: str, _known: Known) -> Parts | None:
    if "wait" in action.lower():
        return told(_("Answers, and waits for the next call"))
    return told(_("Answers whoever launched it")) if action.startswith("return_response") else None


def _approval(_step: Any, action: str, _known: Known) -> Parts | None:
    if "wait" in action.lower():
        return told(_("Waits until somebody approves or refuses"))
    return told(_("Asks for approval"))


def _subflows(step: Any, action: str, _known: Known) -> Parts | None:
    if action.lower() == "returnresponse":
        return told(_("Hands its result back to the flow that called it"))
    return told(_("Starts another flow: %(title)s"), title=outline.title_of(step)) if "call" in action.lower() else None


def _store(_step: Any, action: str, _known: Known) -> Parts | None:
    if action.lower().startswith("get"):
        return told(_("Looks up what it has remembered"))
    return told(_("Forgets a value")) if "remove" in action.lower() else told(_("Remembers a value"))


def _human(_step: Any, action: str, _known: Known) -> Parts | None:
    return told(_("Answers whoever filled in the form")) if action.startswith("return_response") else None


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


def _text(step: Any, path: str) -> str:
    found = pick(step, path)
    return found if isinstance(found, str) else ""


def _clean(text: str) -> str:
    text = " ".join(text.encode("utf-8", "replace").decode().split())
    return text if len(text) <= _NAME else f"{text[: _NAME - 1]}…"
