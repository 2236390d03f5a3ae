"""State, clock, settings and runs of a practice engine: all that handlers of requests need."""

from collections.abc import Mapping
from pathlib import Path

from . import catalog, validity
from .accounts import Credentials
from .clock import Clock
from .faults import Faults
from .http import Json
from .ids import Ids
from .journal import Journal
from .runs import Runs
from .settings import Settings
from .state import State
from .validity import Rules
from .versions import Version, parse_version


class Engine:
    """An engine without the handling of requests, which ``engine.PracticeEngine`` adds."""

    def __init__(
        self, clock_scale: float, seed: int | None, state_file: Path | None, given: dict[str, str], settings: Settings
    ) -> None:
        self.ids = Ids(seed)
        self.clock = Clock(clock_scale)
        self.settings = settings
        self.faults = Faults()
        self.journal = Journal()
        self.state = State(self.ids, state_file)
        self.runs = Runs(self.state, self.clock, settings)
        #: Flows whose trigger is being tested: the next request becomes a sample (api.md section 12).
        self.listening: set[str] = set()
        self.loaded = self.state.load()
        self.credentials = Credentials.restored(self.state, given)
        self.credentials.save(self.state)

    @property
    def version(self) -> Version:
        """The version of the Activepieces flavour."""
        return parse_version(self.settings.version)

    def close(self) -> None:
        """Stop the clock and save the state."""
        self.clock.stop()
        self.state.close()

    def flow_id(self, name: str) -> str:
        """Return the id of the flow with this name, in any project. Raises ``KeyError``."""
        with self.state.lock:
            for version in self.state.versions.values():
                if version["displayName"] == name and version["flowId"] in self.state.flows:
                    return str(version["flowId"])
        raise KeyError(name)

    def pieces(self, version: Version) -> Mapping[str, Json]:
        """Return the installed pieces of an engine of this version, by name."""
        missing = self.settings.missing_pieces
        return {name: piece for name, piece in catalog.pieces(version).items() if name not in missing}

    def rules(self, version: Version) -> Rules:
        """Return the rules of this version for steps."""
        return validity.rules_for(version, self.pieces(version), self.state.versions.values())
