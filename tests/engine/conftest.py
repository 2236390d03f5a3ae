"""Fixtures of the engine's tests: certificates made once, pools closed after each test."""

from collections.abc import Iterator

import pytest

from workflows_ui.engine import close_pools

from . import servers


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> servers.Certificates:
    return servers.certificates(tmp_path_factory.mktemp("tls"))


@pytest.fixture(autouse=True)
def _no_kept_connections() -> Iterator[None]:
    yield
    close_pools()
