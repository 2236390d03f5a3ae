"""Messages to channels as Slack, Microsoft Teams, Discord and other servers expect them, in the language of the channel.

Names of flows and messages of steps come from the engine: what would be a link, a mention or formatting there is sent as text.
"""

import html
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils import timezone, translation
from django.utils.translation import gettext as _, gettext_lazy

from workflows_ui.alarms import failure_posts
from workflows_ui.alarms.messages import reason, sentence
from workflows_ui.alarms.models import TEST, AlarmDelivery, AlarmEnd, AlarmKind, ChannelShape
from workflows_ui.core import formats
from workflows_ui.core.text import Text
from workflows_ui.notification_mails.causes import latest_cause

#: Characters with a meaning in Markdown.
_MARKDOWN = re.compile(r"([\\`*_\[\]()<>#~|])")
_LONGEST = 120
#: The title of a message about an alarm that is no more: a problem that was muted, or became part of another alarm, may last.
_ENDED: Mapping[str, Text] = {
    AlarmEnd.OVER: gettext_lazy("Ended: %(flow)s: %(alarm)s (%(workspace)s)"),
    AlarmEnd.OFF: gettext_lazy("Flow is off: %(flow)s: %(alarm)s (%(workspace)s)"),
    AlarmEnd.MUTED: gettext_lazy("Muted: %(flow)s: %(alarm)s (%(workspace)s)"),
    AlarmEnd.FALSE: gettext_lazy("False alarm: %(flow)s: %(alarm)s (%(workspace)s)"),
    AlarmEnd.FOLDED: gettext_lazy("Part of an alarm about many flows: %(flow)s: %(alarm)s (%(workspace)s)"),
}


def build(row: AlarmDelivery, url: str) -> dict[str, Any]:
    """The body of a message; `url` is the page of the alarm."""
    channel = row.channel
    escape = _ESCAPES.get(channel.shape, str)
    with translation.override(channel.language), timezone.override(ZoneInfo(settings.TIME_ZONE)):
        title, text = _texts(row, escape)
        link = _("Open in the console")
    if channel.shape == ChannelShape.SLACK:
        return {"text": f"*{title}*\n{text}\n<{url}|{link}>", "unfurl_links": False}
    if channel.shape == ChannelShape.DISCORD:
        return {"content": f"**{title}**\n{text}"[: 1990 - len(url)] + f"\n<{url}>", "allowed_mentions": {"parse": []}}
    if channel.shape == ChannelShape.TEAMS:
        return _card(title, text, url, link)
    content = row.content
    return {
        "id": str(row.pk),
        "event": row.event.partition(":")[0],
        "reason": content.get("end", ""),
        "workspace": channel.workspace.slug,
        "alarm": row.alarm_id,
        "kind": content.get("kind", ""),
        "flow": {"id": content.get("flow", ""), "name": content.get("name", "")},
        "since": content.get("since"),
        "title": title,
        "text": text,
        "url": url,
        **(failure_posts.facts(content) if row.event == failure_posts.FAILURE else {}),
    }


def _texts(row: AlarmDelivery, escape: Callable[[str], str]) -> tuple[str, str]:
    """Title and text; names, which come from people and the engine, are escaped."""
    workspace = escape(formats.cut(row.channel.workspace.name, _LONGEST))
    if row.event == TEST:
        return _("Test message"), _("Alarms of the workspace “%(name)s” are sent to this channel.") % {
            "name": workspace
        }
    content = row.content
    if row.event == failure_posts.FAILURE:
        title, text = failure_posts.texts(content, workspace, escape, _LONGEST)
        # The cause names the step, too.
        return title, "\n".join(_cause(row, escape) or [text])
    kind = str(content.get("kind"))
    values = {
        "workspace": workspace,
        "flow": escape(formats.cut(str(content.get("name") or content.get("flow") or _("Many flows")), _LONGEST)),
        "alarm": AlarmKind(kind).label if kind in AlarmKind.values else kind,
    }
    if row.event.startswith("ended"):
        end = str(content.get("end"))
        return str(_ENDED.get(end, _ENDED[AlarmEnd.OVER])) % values, reason(kind, end)
    facts = content.get("facts")
    if isinstance(facts, dict) and isinstance(facts.get("names"), list):
        facts = facts | {"names": [escape(formats.cut(str(name), _LONGEST)) for name in facts["names"]]}
    lines = [sentence(kind, facts), *(_cause(row, escape) if kind == AlarmKind.FAILING else ())]
    return _("%(flow)s: %(alarm)s (%(workspace)s)") % values, "\n".join(lines)


def _cause(row: AlarmDelivery, escape: Callable[[str], str]) -> list[str]:
    """Sentences about the cause of failures, where the channel names it: looked up now, since it is not stored with the message."""
    if not row.channel.causes:
        return []
    latest = latest_cause(row.channel.workspace, str(row.content.get("flow")))
    return replace(latest, step=escape(latest.step), message=escape(latest.message)).sentences if latest else []


def _slack(name: str) -> str:
    """A name for Slack, where angle brackets are links and mentions, and addresses are links, too."""
    return html.escape(_plain(name), quote=False)


def _markdown(name: str) -> str:
    return _MARKDOWN.sub(r"\\\1", _plain(name))


def _plain(name: str) -> str:
    """A name in one line, in which no server recognizes an address."""
    return formats.unlinked(" ".join(name.split()))


def _card(title: str, text: str, url: str, link: str) -> dict[str, object]:
    """An adaptive card, as the workflows of Teams accept it."""
    body = [
        {"type": "TextBlock", "text": title, "weight": "bolder", "wrap": True},
        *({"type": "TextBlock", "text": line, "wrap": True} for line in text.split("\n")),
    ]
    content = {
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": body,
        "actions": [{"type": "Action.OpenUrl", "title": link, "url": url}],
    }
    return {
        "type": "message",
        "attachments": [{"contentType": "application/vnd.microsoft.card.adaptive", "content": content}],
    }


_ESCAPES: Mapping[str, Callable[[str], str]] = {
    ChannelShape.SLACK: _slack,
    ChannelShape.TEAMS: _markdown,
    ChannelShape.DISCORD: _markdown,
}
