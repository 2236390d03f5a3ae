"""Messages to channels as Slack, Microsoft Teams, Discord and other servers expect them, in the language of the channel.

Names of flows come from the engine: what would be a link, a mention or formatting there is sent as text.
"""

import re
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from workflows_ui.alarms.messages import sentence
from workflows_ui.alarms.models import TEST, AlarmDelivery, AlarmEnd, AlarmKind, ChannelShape
from workflows_ui.web import formats

#: What has a meaning in Markdown.
_MARKDOWN = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~@:])")
_LONGEST = 120


def build(row: AlarmDelivery, url: str) -> dict[str, Any]:
    """The body of a message; `url` is the page of the alarm."""
    channel = row.channel
    with translation.override(channel.language), timezone.override(ZoneInfo(settings.TIME_ZONE)):
        title, text = _texts(row)
        link = _("Open in the console")
    if channel.shape == ChannelShape.SLACK:
        return {"text": f"*{_slack(title)}*\n{_slack(text)}\n<{_slack(url)}|{_slack(link)}>", "unfurl_links": False}
    if channel.shape == ChannelShape.DISCORD:
        content = f"**{_markdown(title)}**\n{_markdown(text)}\n<{url}>"
        return {"content": content[:2000], "allowed_mentions": {"parse": []}}
    if channel.shape == ChannelShape.TEAMS:
        return _card(title, text, url, link)
    content = row.content
    return {
        "id": str(row.pk),
        "event": row.event.partition(":")[0],
        "workspace": channel.workspace.slug,
        "alarm": row.alarm_id,
        "kind": content.get("kind", ""),
        "flow": {"id": content.get("flow", ""), "name": content.get("name", "")},
        "since": content.get("since"),
        "title": title,
        "text": text,
        "url": url,
    }


def _texts(row: AlarmDelivery) -> tuple[str, str]:
    workspace = formats.cut(row.channel.workspace.name, _LONGEST)
    if row.event == TEST:
        return _("Test message"), _("Alarms of the workspace “%(name)s” are sent to this channel.") % {
            "name": workspace
        }
    content = row.content
    kind, end = str(content.get("kind")), content.get("end")
    values = {
        "workspace": workspace,
        "flow": formats.cut(str(content.get("name") or content.get("flow")), _LONGEST),
        "alarm": AlarmKind(kind).label if kind in AlarmKind.values else kind,
    }
    if row.event.startswith("ended"):
        reason = AlarmEnd(end).label if end in AlarmEnd.values else ""
        return _("Ended: %(flow)s: %(alarm)s (%(workspace)s)") % values, str(reason)
    return _("%(flow)s: %(alarm)s (%(workspace)s)") % values, sentence(kind, content.get("facts"))


def _slack(text: str) -> str:
    """Text for Slack, where angle brackets are links and mentions."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _markdown(text: str) -> str:
    return _MARKDOWN.sub(r"\\\1", " ".join(text.split()))


def _card(title: str, text: str, url: str, link: str) -> dict[str, Any]:
    """An adaptive card, as the workflows of Teams accept it."""
    body = [
        {"type": "TextBlock", "text": _markdown(title), "weight": "bolder", "wrap": True},
        {"type": "TextBlock", "text": _markdown(text), "wrap": True},
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
