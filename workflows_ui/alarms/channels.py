"""Channels of a workspace: adding, changing and removing them, and their messages, which are sent until the server accepts them.

A message is a row (announcing.py). It is claimed, sent, and marked as sent: if a worker dies in between, it is sent again with the same id.
"""

import hashlib
import hmac
import secrets
import time
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.urls import reverse

from workflows_ui.alarms import channel_messages
from workflows_ui.alarms.models import TEST, AlarmChannel, AlarmDelivery, ChannelShape
from workflows_ui.audit.services import audit_log
from workflows_ui.audit.services.audit_log import Actor
from workflows_ui.core import clock, database
from workflows_ui.core.crypto import CannotOpen
from workflows_ui.core.lease import backoff
from workflows_ui.engine import AddressRefused, AddressSafety, Timeouts
from workflows_ui.engine.transport import Route, encoded
from workflows_ui.engine.webhooks import NoAnswer, post
from workflows_ui.members.models import Workspace

log = structlog.get_logger(__name__)

#: Longer than a call can take.
LEASE, TIMEOUTS = timedelta(seconds=60), Timeouts(connect=5, read=10, total=15)
#: The pause after the first failure, doubled with each; after so many tries, about a day, a message is given up.
PAUSE, LONGEST, TRIES = timedelta(seconds=30), timedelta(hours=2), 20
#: Messages that are enqueued at once, channels of a workspace, messages on a channel's page; how long messages are kept.
MOST, CHANNELS, SHOWN, KEPT = 50, 20, 20, timedelta(days=30)


def route() -> Route:
    """The route for calls to channels: to private networks only if they are allowed."""
    return Route(
        safety=AddressSafety(allowed_networks=settings.WEBHOOK_PRIVATE_NETWORKS),
        timeouts=TIMEOUTS,
        proxy=settings.ENGINE_PROXY or None,
        ca_bundle=settings.ENGINE_CA_BUNDLE or None,
    )


def of_workspace(workspace: Workspace) -> QuerySet[AlarmChannel]:
    """The channels of a workspace, by name."""
    return AlarmChannel.objects.filter(workspace=workspace).select_related("created_by").order_by("name", "created_at")


def add(actor: Actor, workspace: Workspace, address: str, **values: object) -> tuple[AlarmChannel, str]:
    """Add a channel; return it, and the key that signs its messages ("" for shapes that are not signed), shown only now. Audited."""
    row = AlarmChannel(
        workspace=workspace,
        host=_host(address),
        moves=workspace.moves,
        created_by=actor.user,
        created_at=clock.now(),
        **values,
    )
    key = secrets.token_urlsafe(32) if row.shape == ChannelShape.GENERIC else ""
    row.address, row.signing_key = row.seal("address", address), row.seal("signing_key", key)
    with transaction.atomic():
        row.save(force_insert=True)
        _record(actor, "alarm_channel.add", row, host=row.host, kinds=row.kinds, causes=row.causes)
    return row, key


def change(actor: Actor, row: AlarmChannel, address: str, **values: object) -> None:
    """Change a channel's name, kinds, causes, language or pause, and its address unless that is empty. Audited.

    Raises CannotOpen if another address is entered for a channel whose key does not open.
    """
    if address:
        key = row.open("signing_key")
        row.host, row.moves = _host(address), row.workspace.moves
        row.address, row.signing_key = row.seal("address", address), row.seal("signing_key", key)
    for name, value in values.items():
        setattr(row, name, value)
    with transaction.atomic():
        row.save()
        detail = {"host": row.host, "kinds": row.kinds, "causes": row.causes, "paused": row.paused}
        _record(actor, "alarm_channel.change", row, **detail, **({"address": "changed"} if address else {}))


def remove(actor: Actor, row: AlarmChannel) -> None:
    """Remove a channel with its messages. Audited."""
    with transaction.atomic():
        _record(actor, "alarm_channel.remove", row)
        row.delete()


def send_test(actor: Actor, row: AlarmChannel) -> AlarmDelivery:
    """Enqueue a test message. Audited."""
    now = clock.now()
    with transaction.atomic():
        delivery = AlarmDelivery.objects.create(channel=row, event=TEST, created_at=now, due_at=now)
        _record(actor, "alarm_channel.test", row)
    return delivery


def send_again(actor: Actor, row: AlarmChannel) -> int:
    """Enqueue the messages that were given up; return their number. Audited."""
    given_up = AlarmDelivery.objects.filter(channel=row, sent_at=None, due_at=None)
    with transaction.atomic():
        number = given_up.update(due_at=clock.now(), tries=0)
        if number:
            _record(actor, "alarm_channel.send_again", row, number=number)
    return number


def in_trouble(workspace: Workspace) -> set[object]:
    """The keys of the channels with an unsent message whose last attempt failed."""
    rows = AlarmDelivery.objects.filter(channel__workspace=workspace, sent_at=None).exclude(trouble="")
    return set(rows.values_list("channel_id", flat=True))


def _host(address: str) -> str:
    return (urlsplit(address).hostname or "")[:255]


def _record(actor: Actor, action: str, row: AlarmChannel, **detail: object) -> None:
    audit_log.record(
        actor,
        action,
        workspace=row.workspace,
        object_type="alarm_channel",
        object_id=str(row.pk),
        object_name=row.name,
        detail=detail,
    )


def due() -> list[str]:
    """Ids of the messages to send now. The end of an alarm waits for its beginning."""
    now = clock.now()
    earlier = AlarmDelivery.objects.filter(
        channel=OuterRef("channel"),
        alarm=OuterRef("alarm"),
        due_at__isnull=False,
        created_at__lt=OuterRef("created_at"),
    )
    rows = _sendable(now).filter(AlarmDelivery.lease.free(now))
    rows = rows.exclude(Q(alarm__isnull=False) & Exists(earlier)).order_by("due_at")
    return [str(pk) for pk in rows.values_list("pk", flat=True)[:MOST]]


def _sendable(now: datetime) -> QuerySet[AlarmDelivery]:
    """The messages that are due, of channels that are not paused, and whose workspace was not moved since."""
    rows = AlarmDelivery.objects.filter(due_at__lte=now, channel__paused=False)
    return rows.filter(channel__moves=F("channel__workspace__moves"))


def send(delivery_id: str) -> bool:
    """Send a message once, if it is due; return whether its server accepted it. Safe to call any number of times."""
    with database.turn():
        now = clock.now()
        row = AlarmDelivery.lease.claim(_sendable(now), delivery_id, LEASE, now, ("channel__workspace", "alarm"))
    if row is None:
        return False
    status, trouble = 0, ""
    try:
        with database.turn():
            message = _message(row)
        status = post(*message, route())
    except (AddressRefused, CannotOpen) as problem:
        trouble = type(problem).__name__
    except NoAnswer as problem:
        trouble = str(problem)
    return _finish(row, status, trouble)


def _message(row: AlarmDelivery) -> tuple[str, bytes, dict[str, str]]:
    """Address, body and headers. Raises CannotOpen."""
    channel = row.channel
    address, key = channel.open("address"), channel.open("signing_key")
    slug = channel.workspace.slug
    path = reverse("alarm", args=[slug, row.alarm_id]) if row.alarm_id else reverse("alarms", args=[slug])
    path = str(row.content.get("path") or path)
    body = encoded(channel_messages.build(row, settings.BASE_URL + path))
    headers = {"x-console-delivery": str(row.pk)}
    if key:
        stamp = str(int(time.time()))
        headers |= {"x-console-timestamp": stamp, "x-console-signature": signature(key, stamp, str(row.pk), body)}
    return address, body, headers


def signature(key: str, stamp: str, delivery_id: str, body: bytes) -> str:
    """The signature of a message: `sha256=` and the HMAC of time, id and body, with dots in between."""
    signed = f"{stamp}.{delivery_id}.".encode() + body
    return "sha256=" + hmac.new(key.encode(), signed, hashlib.sha256).hexdigest()


def _finish(row: AlarmDelivery, status: int, trouble: str) -> bool:
    now = clock.now()
    accepted = 200 <= status < 300
    tries = row.tries + 1
    values: dict[str, object] = {"sent_at": now, "due_at": None, "trouble": ""}
    if not accepted:
        pause = None if tries >= TRIES else now + backoff(PAUSE, tries, LONGEST)
        values = {"due_at": pause, "trouble": (trouble or "Status")[:40]}
        log.warning("alarms.not_sent", channel=str(row.channel_id), status=status, error=trouble, again=bool(pause))
    with database.turn():
        AlarmDelivery.lease.finish(row, status=status, tries=tries, **values)
    return accepted


def purge() -> None:
    """Delete old messages that were sent or given up."""
    AlarmDelivery.objects.filter(created_at__lt=clock.now() - KEPT, due_at=None).delete()
