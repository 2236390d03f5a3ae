"""One object of each resource, for the suite over all of them: a module `<resource>.py` here holds SAMPLE, dashes as underscores."""

import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.engine.servers import Reply
from tests.stub_engine import StubEngine, identity
from workflows_ui.members.models import Flavour
from workflows_ui.resource_admin.resource import Resource

#: What the sample's object is called, unless it is asked for under another name.
NAME = "Order intake"


@dataclass(frozen=True)
class Sample:
    """An object of a resource in the stub engine, and what the suites over all resources need to know of it.

    Attributes:
        path: of the list, below /v1.
        row: a name -> the object as the list gives it.
        calls: what the first look at the list asks for, in order: the list, and at most one call for names.
        late: what the second request, which follows automatically, asks for besides the list: the optional content.
        named: the key of the object's page; the id where it is None.
        filter: a filter that fits nothing, as a query; "" where there are no filters.
        odd_filter: a filter that makes no sense; "" where every value does.
        array: the list is a bare array, not a page (api.md section 5).
        huge: keys that make the object several megabytes large; {} where its page shows no raw data.
        asked: filters that find objects of the sample company for every action, where the bare list would not.
        typed: what the suite of actions types, by action and field, where a value of the field's kind would not do; bytes are a file.
        has_own_call: the engine gives one object by an address of its own; False where it is looked for in the list.
        flavour: of the engine, where only one has such things.
        versions: the version of the engine that has an action, by the action's name, where not every version has it.
        prepared: what has to be done to an object first, by action: (stage, id).
    """

    path: str
    row: Callable[[str], dict[str, Any]]
    calls: Sequence[str]
    late: Sequence[str] = ()
    named: str | None = None
    filter: str = ""
    odd_filter: str = ""
    array: bool = False
    huge: Mapping[str, Any] = field(default_factory=dict)
    asked: Mapping[str, Any] = field(default_factory=dict)
    typed: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    has_own_call: bool = True
    flavour: str = Flavour.ACTIVEPIECES
    versions: Mapping[str, str] = field(default_factory=dict)
    prepared: Mapping[str, Callable[[Any, str], None]] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """The id in the object's address."""
        return self.named or identity(1)

    def fill(self, stub_engine: StubEngine, name: str = NAME, **more: Any) -> None:
        """Puts one object in the stub engine."""
        self.put(stub_engine, self.row(name) | more)

    def put(self, stub_engine: StubEngine, row: dict[str, Any]) -> None:
        """Puts this object in the stub engine, whatever it is."""
        stub_engine.rows[self.path] = [row]
        if self.array:
            stub_engine.arrays.add(self.path)
        if self.has_own_call:
            stub_engine.faults[f"{self.path}/{self.key}"] = Reply(200, row)


def sample_for(resource: Resource) -> Sample:
    """The resource's sample. Fails where nobody has made one: the suite covers every resource."""
    module = importlib.import_module(f"{__name__}.{resource.name.replace('-', '_')}")
    found = module.SAMPLE
    assert isinstance(found, Sample)
    return found
