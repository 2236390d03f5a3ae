"""A secret given to a credential is nowhere afterwards: not in pages, logs, audit, messages, cache, mail, or the database in clear."""

import base64
import re
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
import redis
from django.conf import settings
from django.core import mail
from django.core.cache import cache
from django.db import connection
from django.test import Client

from tests import flows
from tests.cast import person
from tests.chaos.scene import Scene
from tests.chaos.stage import until
from workflows_ui.models import Credential, Launch, Workspace
from workflows_ui.services import clients

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(180)]


def forms_of(secret: str) -> list[bytes]:
    """The secret as it could turn up: plain, URL-encoded, and in base64 at each of its three alignments."""
    found = {secret, quote(secret, safe=""), quote_plus(secret)}
    for shift in range(3):
        encoded = base64.b64encode(b"x" * shift + secret.encode()).decode()
        # The first and the last characters depend on the neighbours.
        found.add(encoded[4 if shift else 0 : -4])
    return [form.encode() for form in found]


def hide_and_seek(secret: str, places: dict[str, bytes]) -> list[str]:
    """The names of the places where the secret turns up in any of its forms."""
    return [name for name, content in places.items() for form in forms_of(secret) if form in content]


def database() -> bytes:
    """All of the database as text, table by table, column by column."""
    rows = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            rows += [f"{table} {row!r}" for row in cursor.fetchall()]
    return "\n".join(rows).encode()


def broker(scene: Scene) -> bytes:
    """All that lies in the brokers of this process and of the workers: files, or keys with their prefixes."""
    if not settings.CELERY_BROKER_URL.startswith("redis"):
        folders = [Path(settings.VAR_DIR) / "broker", scene.stage.folder / "broker"]
        files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
        return b"\n".join(_decoded(path.read_bytes()) for path in files)
    server = redis.Redis.from_url(settings.CELERY_BROKER_URL)
    found = []
    # The workers' prefix begins with this process's.
    for key in server.scan_iter(f"{settings.REDIS_PREFIX}*"):
        kind = server.type(key)
        content = server.lrange(key, 0, -1) if kind == b"list" else server.dump(key)
        found.append(_decoded(repr(content).encode()))
    server.close()
    return b"\n".join(found)


def _decoded(message: bytes) -> bytes:
    """A message with its base64 body beside it in clear."""
    bodies = re.findall(rb'"body": ?"([A-Za-z0-9+/=]+)"', message.replace(b"\\", b""))
    return message + b"\n".join(base64.b64decode(body) for body in bodies)


def cached(scene: Scene) -> bytes:
    """What the cache keeps, of this process and of the workers."""
    folders = [Path(settings.VAR_DIR) / "cache", scene.stage.folder / "cache"]
    return b"\n".join(path.read_bytes() for folder in folders if folder.is_dir() for path in folder.rglob("*.djcache"))


@pytest.mark.parametrize("kind", ["bearer_token", "api_key", "access_token"])
def test_a_secret_is_nowhere_after_it_was_added_tested_used_refused_and_looked_around(
    scene: Scene, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    given = scene.engine.credentials
    secret = str(getattr(given, kind))
    mallory = person("mallory")
    browser = Client(raise_request_exception=False)
    browser.force_login(mallory)
    pages: dict[str, bytes] = {}

    def look(place: str, **form: str) -> bytes:
        answer = browser.post(place, form, follow=True) if form else browser.get(place, follow=True)
        assert answer.status_code != 500, place
        pages[f"{place} {form.get('name', '')}"] = answer.content + repr(answer.headers).encode()
        return bytes(answer.content)

    # The workspace of the scene would make this an access request.
    Credential.objects.all().delete()
    Workspace.objects.all().delete()
    engine = {"engine": "activepieces", "address": f"{scene.server.url}/api"}
    if kind != "bearer_token":
        engine = {"engine": "gateway", "address": f"{scene.server.url}/imbrace", "kind": kind}
    look("/credentials/add/", **engine, secret=secret + "broken", name="Refused")
    look("/credentials/add/", **engine | {"address": "http://127.0.0.1:1/api"}, secret=secret, name="Nowhere")
    look("/credentials/add/", **engine, secret=secret, name="Mine")
    credential = Credential.objects.get()
    space = credential.workspace
    assert credential.open("secret") == secret
    flow = flows.make(
        clients.of_credential(credential).workflows, "Quick", flows.code("echo", given="{{trigger.body}}")
    )
    address = f"/w/{space.slug}/flows/{flow}/launch/"
    ticket = re.search(rb'name="ticket" value="([^"]+)"', look(address))
    assert ticket is not None
    look(address, ticket=ticket[1].decode(), payload='{"a": 1}', how="wait")
    launch = Launch.objects.get()
    messages = broker(scene)
    assert launch.pk.encode() in messages
    # The workers listen elsewhere: the sweeper is to ring again at once.
    Launch.objects.update(rung_at=None)
    scene.stage.worker()
    scene.stage.beat()
    until(scene.settled, "the launch ends")
    launch.refresh_from_db()
    assert launch.state == "succeeded", scene.stage.logs()
    for place in (
        f"/w/{space.slug}/credentials/",
        f"/w/{space.slug}/credentials/{credential.pk}/",
        f"/w/{space.slug}/members/",
        f"/w/{space.slug}/settings/",
        f"/w/{space.slug}/flows/",
        f"/w/{space.slug}/flows/{flow}/",
        f"/w/{space.slug}/runs/",
        f"/w/{space.slug}/runs/{launch.run_id}/",
        f"/w/{space.slug}/launches/",
        f"/w/{space.slug}/launches/{launch.pk}/",
        f"/w/{space.slug}/flows/{'Z' * 21}/",
        "/?all=1",
        "/profile/",
    ):
        look(place)
    scene.server.stop()
    look(f"/w/{space.slug}/flows/")
    look(f"/w/{space.slug}/credentials/{credential.pk}/test/", sure="yes")
    places = pages | {
        "database": database(),
        "broker": messages + broker(scene),
        "cache": cached(scene) + repr(cache.get("anything")).encode(),
        "mail": repr([message.message() for message in mail.outbox]).encode(),
        "this process's log": caplog.text.encode(),
        "the workers' logs": scene.stage.logs().encode(),
        "the session": repr(dict(browser.session)).encode() + repr(browser.cookies).encode(),
    }
    assert len(pages) >= 17
    assert hide_and_seek(secret, places) == []
    # The test can fail: what is put there on purpose is found.
    assert hide_and_seek(secret, {"planted": b"x" + base64.b64encode(b"yy" + secret.encode() + b"zz")}) == ["planted"]
