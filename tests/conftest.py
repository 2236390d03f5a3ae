"""What every test may use, and the rule of what runs where.

Marks: `browser` needs Chromium, `programs` those it names; `postgres` and `redis` run where TEST_ON=servers, and so does, a second
time, what is marked `both_databases`: what depends on locks, constraints, triggers, JSON, collation, paging or Redis. `slow` is left out
by `make test` and run by .ci/run. What is `left_out` is slow and left out there, too, as are most cases of what is `sampled`:
`make test-full` runs them. `chaos` and everything in tests/bench run only when asked for by `-m`. A test whose need is missing is
skipped and named at the end; with CI=true it fails.
"""

import gc
import os
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import hypothesis
import pytest
import redis
from django.conf import settings
from django.db import connection
from django.test.utils import setup_databases, teardown_databases
from playwright.sync_api import expect

from console import garbage
from console.dev import translations
from tests import audit_guard, audit_labels, caches, environment, prerequisites, ready_database
from workflows_ui.core import heartbeat, masking

_TURNED_OFF = (
    # Pages of its own behind the address bar, two in each window, and a process kept in reserve: half of what a window costs.
    "WebUIOmniboxPopup",
    "WebUIOmniboxAimPopup",
    "SpareRendererForSitePerProcess",
    # What Playwright turns off itself: only the last such option holds.
    "AvoidCorsURLLoaderRestartOnRedirect",
    "AvoidUnnecessaryBeforeUnloadCheckSync",
    "DestroyProfileOnBrowserClose",
    "HttpsFirstBalancedModeAutoEnable",
    "HttpsUpgrades",
    "LensOverlay",
    "MediaRouter",
    "NetworkTimeServiceQuerying",
    "OptimizationHints",
    "PaintHolding",
    "PreconnectToSearch",
    "TcpPortRandomizationWin",
    "ThirdPartyStoragePartitioning",
)
#: Chromium without a sandbox (tests may run as root), and without calls to anywhere.
CHROMIUM_ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    f"--disable-features={','.join(_TURNED_OFF)}",
]
#: Milliseconds until a page counts as one that does not show what is expected.
PATIENCE = 30_000
#: New objects after which garbage is looked for; Python's own 2,000 are for programs that hold less.
GARBAGE = 50_000
hypothesis.settings.register_profile(
    # Nothing is said about time, since machines differ.
    "console",
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow, hypothesis.HealthCheck.data_too_large],
)
hypothesis.settings.load_profile("console")
_ONLY_WHEN_ASKED = ("chaos", "bench")
_ON_SERVERS = ("both_databases", "postgres", "redis", *_ONLY_WHEN_ASKED)
_OTHER_PASS = "runs with TEST_ON=servers"
#: Tests in a browser that run at every commit: those of launching. The others are slow.
_QUICK_IN_BROWSER = ("test_launch_browser.py",)
_DATABASE = {"db", "transactional_db", "live_server", "django_db_serialized_rollback"}


def _touches_database(item: pytest.Item) -> bool:
    used = set(getattr(item, "fixturenames", ()))
    return item.get_closest_marker("django_db") is not None or bool(used & _DATABASE)


def _chosen(item: pytest.Item, marks: str) -> bool:
    """Whether an item belongs to this run at all."""
    for name in _ONLY_WHEN_ASKED:
        if item.get_closest_marker(name) and name not in marks:
            return False
    return not environment.ON_SERVERS or any(item.get_closest_marker(name) for name in _ON_SERVERS)


def pytest_configure(config: pytest.Config) -> None:
    """Compiles the translations before any process starts, since a fresh clone has none."""
    if environment.WORKER == "main":
        translations.compile_stale()
    if "bench" not in str(config.getoption("markexpr")):
        # Looking for garbage among all that pytest collected takes a sixth of the time.
        gc.set_threshold(GARBAGE, 20, 50)


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """On servers, files without a test that runs there are not even imported."""
    if environment.ON_SERVERS and collection_path.match("test_*.py") and "bench" not in collection_path.parts:
        source = collection_path.read_text(encoding="utf-8")
        return True if not any(name in source for name in _ON_SERVERS) else None
    return None


def _mark_unsampled(items: list[pytest.Item]) -> None:
    """Leaves cases out of .ci/run, as their mark `sampled` says.

    Each test begins with another case, so that each object is met by some test.
    """
    cases: dict[str, list[pytest.Item]] = {}
    for item in items:
        if item.get_closest_marker("sampled") and not item.get_closest_marker("slow"):
            cases.setdefault(item.nodeid.partition("[")[0], []).append(item)
    for name, found in cases.items():
        mark = found[0].get_closest_marker("sampled")
        assert mark is not None
        every = min(mark.args[0], len(found))
        for number, item in enumerate(found):
            if (number + zlib.crc32(name.encode())) % every:
                item.add_marker("left_out")


def _patience(item: pytest.Item) -> float:
    """Seconds that an item says it may take; 0 where it says nothing."""
    mark = item.get_closest_marker("timeout")
    return float(mark.args[0]) if mark is not None else 0.0


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves out what does not belong to this run, and keeps together what uses a console that takes long to start."""
    _mark_unsampled(items)
    for item in items:
        if "bench" in item.path.parts:
            item.add_marker("bench")
            # Slow is what a measure is there to find, not a fault of it.
            item.add_marker(pytest.mark.timeout(900))
        if item.get_closest_marker("browser") and item.path.name not in _QUICK_IN_BROWSER:
            item.add_marker("slow")
        if item.get_closest_marker("left_out"):
            item.add_marker("slow")
        if "desk" in getattr(item, "fixturenames", ()) and item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.xdist_group("desk"))
    marks = str(config.getoption("markexpr"))
    chosen = [item for item in items if _chosen(item, marks)]
    if len(chosen) < len(items):
        config.hook.pytest_deselected(items=[item for item in items if not _chosen(item, marks)])
        items[:] = chosen


def pytest_collection_finish() -> None:
    """What was collected stays until the end: it is never looked through for garbage, as in a console's processes."""
    garbage.keep_loaded()


def _length(item: pytest.Item) -> tuple[bool, float, bool]:
    """An estimate of how long an item takes: whether it runs in a group, its time-out, whether it is slow."""
    return (
        item.get_closest_marker("xdist_group") is not None,
        _patience(item),
        item.get_closest_marker("slow") is not None,
    )


@pytest.hookimpl(trylast=True, specname="pytest_collection_modifyitems")
def pytest_longest_first(items: list[pytest.Item]) -> None:
    """What takes longest begins first, as one process alone would have to be waited for at the end."""
    items.sort(key=_length, reverse=True)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """A test whose need is missing is skipped, or fails where CI=true."""
    if not environment.ON_SERVERS and any(item.get_closest_marker(name) for name in ("postgres", "redis")):
        pytest.skip(_OTHER_PASS)
    wanted: list[Callable[[], str]] = [
        partial(prerequisites.program, name) for mark in item.iter_markers("programs") for name in mark.args
    ]
    if item.get_closest_marker("browser"):
        wanted.append(prerequisites.chromium)
    for need in wanted:
        try:
            need()
        except prerequisites.Missing as missing:
            if os.environ.get("CI", "").lower() == "true":
                pytest.fail(f"needed with CI=true: {missing}", pytrace=False)
            pytest.skip(str(missing))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Lists what was not run and why; tests.run collects the lines of both passes. Parallel processes leave it to the first."""
    if environment.WORKER != "main":
        return
    reasons: Counter[str] = Counter()
    for report in terminalreporter.stats.get("skipped", []):
        reason = str(report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr)
        reasons[reason.removeprefix("Skipped: ")] += 1
    lines = [f"{count} x {reason}" for reason, count in sorted(reasons.items())]
    if lines:
        terminalreporter.section("Not run")
        terminalreporter.write_line("\n".join(lines))
    collected = os.environ.get("TEST_NOT_RUN_FILE", "")
    if collected:
        with Path(collected).open("a", encoding="utf-8") as file:
            file.writelines(f"{line}\n" for line in lines if not line.endswith(_OTHER_PASS))


def pytest_sessionfinish() -> None:
    """Takes what this process borrowed off the servers: its keys in Redis, and at the end the database that was copied."""
    if environment.ON_SERVERS:
        if environment.WORKER == "main":
            ready_database.forget()
        with redis.Redis.from_url(prerequisites.redis_server()) as server:
            for key in server.scan_iter(match=f"{settings.REDIS_PREFIX}*", count=1000):
                server.delete(key)


@pytest.fixture(scope="session", autouse=True)
def _audit_rows_have_labels() -> None:
    """Whatever test makes the code write a row of the audit log, its details have words."""
    audit_labels.watch()


@pytest.fixture(autouse=True)
def _no_old_mail(request: pytest.FixtureRequest) -> None:
    """Tests that carry out queued mails find none of the tests before them."""
    if mailbox := getattr(request.module, "mailbox", None):
        mailbox.forget()


@pytest.fixture(autouse=True)
def _fresh_cache(request: pytest.FixtureRequest) -> Iterator[None]:
    """No remembered answer or known secret reaches the next test; what is in the database does not anyway."""
    masking.clear()
    yield
    if "db" in request.fixturenames or "transactional_db" in request.fixturenames or "client" in request.fixturenames:
        caches.forget_answers()


@pytest.fixture(autouse=True)
def _worker_is_heard(request: pytest.FixtureRequest, _fresh_cache: None) -> None:
    """As in a console that runs: without it pages say that nothing works in the background."""
    if _touches_database(request.node):
        request.getfixturevalue("_django_db_helper")
        heartbeat.beat()


@pytest.fixture(scope="session")
def django_db_setup(
    django_test_environment: None, django_db_blocker: Any, django_db_modify_db_settings: None
) -> Iterator[None]:
    """The test database, in place of pytest-django's: a copy, since each process would otherwise apply all migrations."""
    with django_db_blocker.unblock(), ready_database.copied():
        found = setup_databases(verbosity=0, interactive=False, serialized_aliases=set(), keepdb=True)
    yield
    with django_db_blocker.unblock():
        teardown_databases(found, verbosity=0)


@pytest.fixture(scope="session", autouse=True)
def _audit_log_can_be_emptied_after_a_test() -> Iterator[None]:
    """Its triggers refuse what Django does between tests that commit, so they are away for just that moment."""
    operations = type(connection.ops)
    usual = operations.sql_flush

    def sql_flush(self: Any, style: Any, tables: list[str], **options: Any) -> list[str]:
        before, after = audit_guard.away_and_back(self.connection)
        if not environment.ON_SERVERS:
            return [*before, *usual(self, style, tables, **options), *after]
        # PostgreSQL empties a table by new files, on which it waits for the disk: deleting a few rows is faster.
        rows = [f"DELETE FROM {self.quote_name(table)};" for table in tables]
        return [*before, *rows, "SET CONSTRAINTS ALL IMMEDIATE;", *after]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(operations, "sql_flush", sql_flush)
        yield


@pytest.fixture
def child_environment(transactional_db: None) -> dict[str, str]:
    """Environment variables for a process of the console (worker, web server, command) that opens this test's own database."""
    test = connection.settings_dict
    if environment.ON_SERVERS:
        address, _, _ = prerequisites.postgres().rpartition("/")
        database = f"{address}/{test['NAME']}"
    else:
        database = f"sqlite:///{test['NAME']}"
    return os.environ | {"DATABASE_URL": database, "DJANGO_SETTINGS_MODULE": "console.settings"}


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, object]:
    """How Playwright starts the Chromium of this machine, which may be busy: what is expected is waited for longer than usual."""
    expect.set_options(timeout=PATIENCE)
    return {"executable_path": prerequisites.chromium(), "args": CHROMIUM_ARGS}


@pytest.fixture(scope="session")
def browser_context_args() -> dict[str, object]:
    """A window of a desk's usual size, in English."""
    return {"viewport": {"width": 1280, "height": 900}, "locale": "en-US"}
