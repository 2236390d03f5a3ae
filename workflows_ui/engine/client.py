"""The entry point of the package: `Client(...).workflows`."""

import time
from collections.abc import Callable

from .auth import Anonymous, Credential
from .calls import Bases, Owned
from .errors import AddressRefused
from .masking import Mask
from .operations.connections import Connections
from .operations.flows import Flows
from .operations.folders import Folders
from .operations.mcp import McpServers
from .operations.people import People
from .operations.runs import Runs
from .operations.sign_in import SignIn
from .operations.tables import Tables
from .operations.triggers import Triggers
from .safety import AddressSafety
from .transport import LARGEST_ANSWER, Route, Timeouts, Transport
from .trigger import TriggerWire

# api.md section 1.
ENVIRONMENTS: dict[str, str] = {
    "develop": "https://app-gateway.dev.imbrace.co",
    "sandbox": "https://app-gateway.sandbox.imbrace.co",
    "stable": "https://app-gatewayv2.imbrace.co",
    "prodv2": "https://app-gatewayv2.imbrace.co",
}


class Workflows(Flows, Triggers, Runs, Folders, Connections, Tables, McpServers, People, SignIn):
    """Every operation of the engine, each a method that takes and returns decoded JSON. Thread-safe.

    Names, arguments and answers are those of the vendor's Python SDK 1.3.1 if it has the operation; arguments beyond the SDK's are
    keyword-only. A method's docstring gives its route and its peculiarities.
    """


class Client:
    """One credential at one engine. Cheap to create: all clients of an engine share their connections, which outlive the client.

    Args:
        env: a name of `ENVIRONMENTS`;
        gateway: or the address of any Imbrace gateway;
        engine_url: or the address of a plain Activepieces, without `/v1` (`https://host/api`). Exactly one of the three.
        auth: `ApiKey`, `AccessToken` or `BearerToken`.
        project_id: the project of the credential, if known; it is added to the calls that take one.
        owned: the ids that are known to belong to that project, for callers that pass on ids from requests: any other id is checked
            before a call uses it. Without it ids are not checked; they must come from the console's own rows.
        mask: the secrets to mask in every answer; by default those of `auth`.
        safety: the addresses that are allowed; by default no private and no loopback ones.
        timeouts: for all calls but triggers, which take a deadline.
        proxy: `http://[user:password@]host:port`. The peer is then the proxy: see `AddressSafety.check_host_behind_proxy`.
        ca_bundle: a PEM file of certificates to trust instead of certifi's.
        looks: whether a write is looked for if its answer proves nothing (writes.py), which takes a read before most writes.
        largest_answer: bytes; a larger answer is cut off with `TooLarge`, a trigger's with `TriggerAnswer.truncated`.
        on_no_route: called after each `NoRoute`: the engine may have been replaced by another version.
        clock, sleep: for tests of the retries of reads.

    Raises:
        ValueError: not exactly one address, or an unknown environment.
        AddressRefused: the address is malformed or not allowed. Host names are checked when connecting.
    """

    def __init__(
        self,
        *,
        env: str | None = None,
        gateway: str | None = None,
        engine_url: str | None = None,
        auth: Credential,
        project_id: str | None = None,
        owned: Owned | None = None,
        looks: bool = False,
        mask: Mask | None = None,
        safety: AddressSafety | None = None,
        timeouts: Timeouts | None = None,
        proxy: str | None = None,
        ca_bundle: str | None = None,
        largest_answer: int = LARGEST_ANSWER,
        on_no_route: Callable[[], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        if [env, gateway, engine_url].count(None) != 2:
            raise ValueError("Give exactly one of env, gateway and engine_url.")
        if env is not None and env not in ENVIRONMENTS:
            raise ValueError(f"There is no environment {env!r}; there are: {', '.join(ENVIRONMENTS)}.")
        self._bases = _bases(ENVIRONMENTS[env] if env is not None else gateway, engine_url)
        route = Route(
            safety=safety or AddressSafety(),
            timeouts=timeouts or Timeouts(),
            proxy=proxy,
            ca_bundle=ca_bundle,
            largest_answer=largest_answer,
        )
        transport = Transport(
            self._bases.gateway or self._bases.engine,
            auth,
            route,
            mask=mask,
            on_no_route=on_no_route,
            session_url=f"{self._bases.engine}/v1/projects",
            clock=clock,
            sleep=sleep,
        )
        # A plain Activepieces needs no credential for a trigger (recordings `webhook_*`), and keeps each header with the run, where the
        # author of the flow can read it. A gateway needs one.
        session = auth if self._bases.gateway is not None else Anonymous(auth.secrets())
        self.workflows = Workflows(self._bases, transport, TriggerWire(session, route, mask), project_id, owned, looks)

    @property
    def flavour(self) -> str:
        """ "imbrace" or "activepieces"."""
        return self._bases.flavour

    def __repr__(self) -> str:
        return f"<Client {self.flavour} {self._bases.engine}>"


def _bases(gateway: str | None, engine_url: str | None) -> Bases:
    given = (gateway if gateway is not None else engine_url or "").strip().rstrip("/")
    if "?" in given or "#" in given:
        raise AddressRefused("The address must end with its path.", code="BAD_ADDRESS", sent=False)
    return Bases(engine=f"{given}/activepieces", gateway=given) if gateway is not None else Bases(given, None)
