"""The servers and programs that some tests need: PostgreSQL, Redis, RabbitMQ, Chromium, nginx, HAProxy.

They are looked for at TEST_DATABASE_URL, TEST_REDIS_URL, TEST_AMQP_URL and TEST_CHROMIUM, else at the usual places of this machine.
"""

import os
import shutil
from functools import cache

import kombu
import psycopg
import redis

_POSTGRES = ("postgres:///postgres", "postgres://127.0.0.1:5432/postgres")
_REDIS = "redis://127.0.0.1:6379"
_RABBITMQ = "amqp://guest:guest@127.0.0.1:5672//"
#: The shell draws the same pages without the windows around them, for a third less time.
_CHROMIUM = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")


class Missing(Exception):
    """A prerequisite is missing; the text says what was tried."""


@cache
def postgres() -> str:
    """The URL of a PostgreSQL on which databases may be created. Raises Missing."""
    given = os.environ.get("TEST_DATABASE_URL", "")
    problems = []
    for address in (given,) if given else _POSTGRES:
        try:
            psycopg.connect(address, connect_timeout=3).close()
        except psycopg.Error as problem:
            problems.append(f"{address}: {str(problem).strip().splitlines()[0]}")
        else:
            return address
    raise Missing("no PostgreSQL (" + "; ".join(problems) + ")")


@cache
def redis_server() -> str:
    """The URL of a Redis, without a database number. Raises Missing."""
    address = os.environ.get("TEST_REDIS_URL", "") or _REDIS
    try:
        with redis.Redis.from_url(address, socket_connect_timeout=3) as server:
            server.ping()
    except (redis.RedisError, ValueError) as problem:
        raise Missing(f"no Redis ({address}: {problem})") from problem
    return address.rstrip("/")


@cache
def rabbitmq() -> str:
    """The URL of a RabbitMQ. Raises Missing."""
    address = os.environ.get("TEST_AMQP_URL", "") or _RABBITMQ
    try:
        with kombu.Connection(address, connect_timeout=3) as server:
            server.connect()
    except OSError as problem:
        raise Missing(f"no RabbitMQ ({address.rpartition('@')[2]}: {problem})") from problem
    return address


@cache
def chromium(*, complete: bool = False) -> str:
    """The path of a Chromium; `complete`: rather one with windows, which has a back/forward cache. Raises Missing."""
    given = os.environ.get("TEST_CHROMIUM", "")
    names = (*_CHROMIUM[1:], _CHROMIUM[0]) if complete else _CHROMIUM
    for name in (given,) if given else names:
        found = shutil.which(name)
        if found:
            return found
    raise Missing(f"no Chromium ({given or ', '.join(_CHROMIUM)}: not found)")


@cache
def program(name: str) -> str:
    """The path of a server that tests start themselves, such as nginx. Raises Missing."""
    # Debian's folder for servers is on the PATH of root only.
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")
    if not found:
        raise Missing(f"no {name}")
    return found
