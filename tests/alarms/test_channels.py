"""Channels for alarms: who adds them, what a server gets, and what happens if it does not answer. A server of the test stands for Slack."""

import json
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from unittest import mock

import pytest
from django.test import Client
from django.utils import timezone

from tests.alarms.alarm_scene import GAP, HOUR, add_runs, check, every, flow_of, only, quiet, read_again
from tests.alarms.test_alarms import text
from tests.stage import Stage, everything_told, outcomes, stage
from workflows_ui.alarms import channel_messages, channels, services
from workflows_ui.alarms.models import Alarm, AlarmChannel, AlarmDelivery, AlarmEnd, FlowRhythm
from workflows_ui.audit.services.audit_log import Actor
from workflows_ui.core import clock
from workflows_ui.credentials.models import Credential, CredentialShare
from workflows_ui.engine.webhooks import NoAnswer
from workflows_ui.launches.models import Launch, RunRetry
from workflows_ui.launches.services import launches, repairs
from workflows_ui.members.models import Role, Workspace

__all__ = ["stage"]
pytestmark = [
    pytest.mark.both_databases,
    pytest.mark.django_db(transaction=True),
    pytest.mark.parametrize("stage", ["activepieces"], indirect=True),
]
LIST = "/w/sales/alarms/channels/"
PATH = "/hooks/secret-of-the-address-31415"


@dataclass
class Server:
    """A server of channels: what it got, and with which status it answers."""

    url: str = ""
    status: int = 200
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    @property
    def bodies(self) -> list[Any]:
        return [json.loads(body) for _headers, body in self.got]


@pytest.fixture
def server(settings: Any) -> Iterator[Server]:
    found = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            found.got.append(({key.lower(): value for key, value in self.headers.items()}, body))
            self.send_response(found.status)
            if found.status == 302:
                self.send_header("location", f"{found.url}elsewhere")
            self.send_header("content-length", "2")
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, *_arguments: Any) -> None:
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=http.serve_forever, daemon=True).start()
    settings.WEBHOOK_PRIVATE_NETWORKS = ["127.0.0.1/32"]
    found.url = f"http://127.0.0.1:{http.server_port}{PATH}"
    yield found
    http.shutdown()
    http.server_close()


def add(browser: Client, address: str, **values: Any) -> Any:
    """Add a channel on its page; the answer."""
    typed = {"name": "Team", "shape": "slack", "address": address, "kinds": ["quiet", "failing"], "language": "en"}
    return browser.post(f"{LIST}add/", typed | values)


def send_due() -> None:
    """What workers do with the messages that are due."""
    for delivery_id in channels.due():
        channels.send(delivery_id)


def later(hours: float) -> Any:
    return mock.patch.object(clock, "now", return_value=timezone.now() + timedelta(hours=hours))


def test_an_alarm_is_sent_when_it_begins_and_when_it_ends_once_each(stage: Stage, server: Server) -> None:
    alarm = quiet(stage)
    add(stage.browser, server.url)
    add(stage.browser, server.url, name="Other kinds", kinds=["longer"])
    add(stage.browser, server.url, name="Vietnamese", language="vi", shape="discord")
    Alarm.objects.all().delete()
    check(stage)
    send_due()
    send_due()
    first, second = sorted((body.get("text") or body["content"] for body in server.bodies), key=len)
    texts = {first, second}
    slack = next(found for found in texts if "No recent runs" in found)
    assert f"/w/sales/alarms/{Alarm.objects.get().pk}/|Open in the console>" in slack
    assert any("Lâu không chạy" in found for found in texts)
    FlowRhythm.objects.update(alarm_at=None)
    check(stage)
    send_due()
    assert len(server.got) == 4
    assert any("Ended" in found["text"] for found in server.bodies[2:] if "text" in found)
    assert alarm.flow_id


@pytest.mark.sampled(4)
@pytest.mark.parametrize(
    ("end", "title"),
    [
        ("muted", "Muted: "),
        ("folded", "Part of an alarm about many flows: "),
        ("off", "Flow is off: "),
        ("over", "Ended: "),
    ],
)
def test_a_message_says_why_there_is_no_alarm_any_more(stage: Stage, server: Server, end: str, title: str) -> None:
    alarm = quiet(stage)
    add(stage.browser, server.url)
    services.end(alarm, AlarmEnd(end))
    send_due()
    (body,) = server.bodies
    assert body["text"].startswith(f"*{title}")


@pytest.mark.slow
def test_a_message_that_is_not_accepted_is_sent_again_with_its_id_and_managers_see_why(
    stage: Stage, server: Server
) -> None:
    quiet(stage)
    page = add(stage.browser, server.url, shape="generic")
    key = re.search(r'<p class="font-monospace long">([\w-]+)</p>', page.content.decode())
    assert key
    channel = AlarmChannel.objects.get()
    url = f"{LIST}{channel.pk}/"
    assert key[1] not in stage.browser.get(url).content.decode()
    server.status = 503
    with mock.patch("workflows_ui.alarms.channel_views.broker.enqueue"):
        stage.browser.post(f"{url}test/")
    send_due()
    assert "The server answered with 503" in text(stage.browser, url)
    assert "Messages do not arrive" in text(stage.browser, LIST)
    send_due()
    assert len(server.got) == 1
    server.status = 200
    with later(1):
        send_due()
        send_due()
    (one, body), (two, again) = server.got
    assert body == again
    assert one["x-console-delivery"] == two["x-console-delivery"] == json.loads(body)["id"]
    stamp = two["x-console-timestamp"]
    assert two["x-console-signature"] == channels.signature(key[1], stamp, two["x-console-delivery"], body)
    assert AlarmDelivery.objects.get().sent_at is not None
    assert "Messages do not arrive" not in text(stage.browser, LIST)
    assert outcomes()[-2:] == [("alarm_channel.add", "done"), ("alarm_channel.test", "done")]


@pytest.mark.slow
def test_messages_that_were_given_up_are_sent_again_by_a_button(stage: Stage, server: Server) -> None:
    quiet(stage)
    add(stage.browser, server.url)
    channel = AlarmChannel.objects.get()
    server.status = 404
    delivery = channels.send_test(Actor(stage.users.owner), channel)
    AlarmDelivery.objects.update(tries=channels.TRIES - 1)
    send_due()
    delivery.refresh_from_db()
    assert (delivery.due_at, delivery.sent_at, delivery.state) == (None, None, "given_up")
    server.status = 200
    stage.browser.post(f"{LIST}{channel.pk}/resend/")
    send_due()
    delivery.refresh_from_db()
    assert delivery.state == "sent"


@pytest.mark.slow
def test_a_worker_that_dies_loses_no_message(stage: Stage, server: Server) -> None:
    quiet(stage)
    add(stage.browser, server.url)
    delivery = channels.send_test(Actor(stage.users.owner), AlarmChannel.objects.get())
    with mock.patch("workflows_ui.alarms.channels.post", side_effect=SystemExit), pytest.raises(SystemExit):
        channels.send(str(delivery.pk))
    assert channels.due() == []
    with later(1):
        send_due()
    assert len(server.got) == 1


@pytest.mark.slow
def test_addresses_of_private_networks_and_redirects_are_not_followed(
    stage: Stage, server: Server, settings: Any
) -> None:
    quiet(stage)
    for address in (
        "http://10.0.0.1/x",
        "https://169.254.169.254/x",
        "https://user:pw@example.com/",
        "ftp://example.com/",
        "x",
    ):
        assert add(stage.browser, address).status_code == 422, address
    settings.WEBHOOK_PRIVATE_NETWORKS = []
    for address in (server.url, "http://example.com/x", "ftp://example.com/", "example.com/x"):
        answer = add(stage.browser, address)
        assert answer.status_code == 422
        assert "begins with https://" in answer.content.decode(), address
    assert not AlarmChannel.objects.exists()
    settings.WEBHOOK_PRIVATE_NETWORKS = ["127.0.0.1/32"]
    add(stage.browser, server.url)
    channel = AlarmChannel.objects.get()
    server.status = 302
    channels.send_test(Actor(stage.users.owner), channel)
    send_due()
    assert len(server.got) == 1
    assert "The server answered with 302" in text(stage.browser, f"{LIST}{channel.pk}/")
    settings.WEBHOOK_PRIVATE_NETWORKS = []
    with later(1):
        send_due()
    assert len(server.got) == 1
    assert "may not call this address" in text(stage.browser, f"{LIST}{channel.pk}/")


@pytest.mark.slow
def test_the_address_is_sealed_and_is_on_no_page_and_in_no_log(
    stage: Stage, server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    quiet(stage)
    add(stage.browser, server.url)
    channel = AlarmChannel.objects.get()
    server.status = 500
    channels.send_test(Actor(stage.users.owner), channel)
    send_due()
    with mock.patch("workflows_ui.alarms.channels.post", side_effect=NoAnswer("ConnectionError")), later(1):
        send_due()
    invalid = stage.browser.post(f"{LIST}add/", {"address": server.url, "name": "", "shape": "slack"})
    pages = [stage.browser.get(path).content.decode() for path in (LIST, f"{LIST}{channel.pk}/")]
    rows = repr(list(AlarmChannel.objects.values())) + repr(list(AlarmDelivery.objects.values()))
    for told in (*pages, invalid.content.decode(), rows, everything_told(), caplog.text):
        assert "secret-of-the-address" not in told
    # A row that was changed in the database is not used.
    AlarmChannel.objects.update(host="evil.example")
    with later(3):
        send_due()
    assert len(server.got) == 1
    assert "changed outside of the console" in text(stage.browser, f"{LIST}{channel.pk}/")


@pytest.mark.slow
def test_names_of_flows_are_no_links_and_mentions_in_channels(stage: Stage, server: Server) -> None:
    quiet(stage)
    Alarm.objects.update(flow_name="<!channel> [x](http://evil.example) @everyone")
    FlowRhythm.objects.update(alarm_at=None)
    for shape in ("slack", "teams", "discord", "generic"):
        add(stage.browser, server.url, name=shape, shape=shape)
    check(stage)
    send_due()
    found = {
        row.channel.shape: channel_messages.build(row, "https://console.example/")
        for row in AlarmDelivery.objects.all()
    }
    assert sorted(map(json.dumps, found.values())) == sorted(
        json.dumps(body).replace(
            re.findall(r"http://[^|>\"]+/w/[^|>\"]+", json.dumps(body))[0], "https://console.example/"
        )
        for body in server.bodies
    )
    assert "<!channel>" not in found["slack"]["text"]
    assert "&lt;!channel&gt; [x](http:\u200b//evil.\u200bexample)" in found["slack"]["text"]
    card = json.dumps(found["teams"], ensure_ascii=False)
    assert "[x](" not in card
    assert "http:/" not in card
    assert "[x](" not in found["discord"]["content"]
    assert found["discord"]["allowed_mentions"] == {"parse": []}
    assert found["generic"]["flow"]["name"] == "<!channel> [x](http://evil.example) @everyone"


@pytest.mark.slow
def test_a_channel_names_the_cause_of_failures_only_where_a_manager_chose_it(stage: Stage, server: Server) -> None:
    flow, now = flow_of(stage)["id"], datetime.now(UTC)
    only(stage, flow, every(GAP, now - 3 * HOUR))
    check(stage)
    assert "can then read the message of the step" in text(stage.browser, f"{LIST}add/")
    add(stage.browser, server.url, name="Numbers only")
    add(stage.browser, server.url, name="Causes", causes="on")
    add(stage.browser, server.url, name="Vietnamese", causes="on", language="vi", shape="teams")
    added = add_runs(stage, flow, [now - timedelta(minutes=minutes) for minutes in range(10, 15)], status="FAILED")
    failed = stage.practice.engine.state.runs[added[0]]["failedStep"]
    failed["message"] = "Error: <!channel> see http://evil.example, password=hunter2-hunter2 is wrong"
    read_again(stage)
    assert check(stage) == [("failing", flow)]
    send_due()
    plain, cause = sorted((body["text"] for body in server.bodies if "text" in body), key=len)
    (card,) = (json.dumps(body, ensure_ascii=False) for body in server.bodies if "text" not in body)
    assert "” failed: " not in plain
    assert "” failed: " in cause
    assert "” thất bại: " in card
    for sent in (cause, card):
        assert "hunter2" not in sent
        assert "http://evil" not in sent
    assert "&lt;!channel&gt;" in cause
    rows = repr(list(AlarmDelivery.objects.values())) + everything_told()
    assert "evil.example" not in rows

    def names_cause() -> bool:
        row = AlarmDelivery.objects.get(channel__name="Causes")
        return "” failed: " in channel_messages.build(row, "https://console.example/")["text"]

    assert names_cause()
    # Messages of a launch's run, and of a retry of it, may repeat what was sent with it in any form.
    launched = Launch(workspace=stage.users.workspace, user=stage.users.colleague, ticket=launches.ticket())
    launched.flow_id, launched.payload_digest, launched.run_id = flow, "0" * 64, added[0]
    launched.asked_at = launched.not_before = launched.send_by = timezone.now()
    launched.save(force_insert=True)
    assert not names_cause()
    Launch.objects.update(run_id=added[1])
    assert names_cause()
    repairs.record(stage.users.workspace, stage.users.owner.pk, added[1], added[0])
    assert not names_cause()
    RunRetry.objects.all().delete()
    shares = list(CredentialShare.objects.all())
    CredentialShare.objects.all().delete()
    assert not names_cause()
    CredentialShare.objects.bulk_create(shares)
    assert names_cause()
    # The index has the cause: nothing is called with the credential, so its secret need not open.
    Credential.objects.update(secret="")
    assert names_cause()
    # A workspace that leaves causes out of mails leaves them out of channels, too.
    Workspace.objects.update(causes_in_notices=False)
    assert not names_cause()


def test_only_managers_who_see_the_index_reach_channels(stage: Stage, server: Server) -> None:
    quiet(stage)
    add(stage.browser, server.url)
    channel = AlarmChannel.objects.get()
    manager = stage.as_role(Role.MANAGER)
    CredentialShare.objects.all().delete()
    for path in (LIST, f"{LIST}add/", f"{LIST}{channel.pk}/"):
        assert "You cannot see alarms in this workspace yet" in text(manager, path)
    for name in ("test", "again", "remove"):
        manager.post(f"{LIST}{channel.pk}/{name}/")
    assert add(manager, server.url).status_code == 200
    assert AlarmChannel.objects.get() == channel
    assert not AlarmDelivery.objects.exists()
    assert stage.as_role(Role.BUILDER).get(LIST).status_code == 403
    changed = {"name": "Renamed", "kinds": ["missed"], "language": "vi", "address": "", "paused": "on"}
    stage.browser.post(f"{LIST}{channel.pk}/", changed)
    channel.refresh_from_db()
    assert (channel.name, channel.kinds, channel.paused, channel.open("address")) == (
        "Renamed",
        ["missed"],
        True,
        server.url,
    )
    stage.browser.post(f"{LIST}{channel.pk}/remove/")
    assert not AlarmChannel.objects.exists()
    assert [action for action, _outcome in outcomes()[-2:]] == ["alarm_channel.change", "alarm_channel.remove"]
