"""Writes the table of operations into docs/operations.md: `python -m tests.operations.table`. A test fails when it is stale."""

import json
import os
import re
import sys
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
DOCUMENT = ROOT / "docs" / "operations.md"
_MARKS = re.compile(r"(<!-- operations -->\n).*(<!-- end of operations -->)", re.DOTALL)
#: What the pages of their own are called in the table, by the name of their address.
_PAGES = {
    "flow_launch": "Flow → “Launch”",
    "flow_trigger_test": "Flow → “Samples of the trigger”",
    "flow_trigger_cancel": "Samples of the trigger → “Stop waiting”",
    "flow_export": "Flow → “Export as a file”",
    "credential_add": "“Add a credential”",
    "connection_new": "Connections → “New connection”",
    "table_records": "Table → its records",
    "table_records_do": "Records → add",
    "table_record": "Record → its page",
    "table_record_do": "Record → edit, delete",
    "table_records_many": "Table → its records → delete those that are ticked",
    "piece_options": "App → “Show the choices”",
    "table_field_do": "Table → a column → rename, delete",
}


def operations() -> list[dict[str, str]]:
    """Operation, method and path of everything in the vendor's OpenAPI file."""
    found: list[dict[str, str]] = json.loads(Path(__file__).with_name("openapi.json").read_text(encoding="utf-8"))
    return found


def methods() -> list[str]:
    """The public methods of the vendor's SDK."""
    from imbrace.resources.workflows import WorkflowsResource

    return sorted(name for name in vars(WorkflowsResource) if not name.startswith("_"))


def camel(method: str) -> str:
    """An SDK method's name as the OpenAPI file writes it."""
    first, *rest = method.split("_")
    return first + "".join(part.title() for part in rest)


def of_method(method: str) -> tuple[str, ...]:
    """The places of an SDK method. Raises KeyError where nobody has said."""
    from tests.operations.places import METHODS, OPERATIONS

    found = METHODS.get(method, camel(method))
    return OPERATIONS[found] if isinstance(found, str) else found


def place_labels(places: Iterable[str]) -> list[str]:
    """The places as people find them. Raises LookupError at one that the console does not have."""
    from django.urls import get_resolver
    from django.utils import translation

    with translation.override("en"):
        known = {name: _PAGES[name] for name in get_resolver("workflows_ui.urls").reverse_dict if name in _PAGES}
        found = {f"url:{name}": words for name, words in known.items()} | _declared()
        return list(dict.fromkeys(found[place] for place in places))


def _declared() -> dict[str, str]:
    """What declared resources have: their lists, objects and actions, by place."""
    from workflows_ui.resources import RESOURCES

    found: dict[str, str] = {}
    for resource in RESOURCES:
        one, many = resource.label, resource.label_plural
        found |= {f"{resource.name}:list": f"{many} → the list", f"{resource.name}:object": f"{one} → its page"}
        for action in resource.actions:
            found[f"{resource.name}.{action.name}"] = f"{many if action.collection else one} → “{action.label}”"
    return found


def lines() -> list[str]:
    """The table's rows, and what is open. Raises KeyError for an operation that neither has a place nor is named as open."""
    from tests.operations.places import MORE, OPEN, OPERATIONS, REASONS

    rows, missing = [], []

    def add(kind: str, name: str, places: Iterable[str]) -> None:
        where = "; ".join(place_labels(places)) or REASONS.get(name, "")
        if not where:
            missing.append(name)
        rows.append(f"| {kind} | `{name}` | {where or f'**open**: {OPEN[name]}'} |")

    for found in operations():
        add("operation", found["operation"], OPERATIONS[found["operation"]])
    for method in methods():
        add("SDK", method, of_method(method))
    for name, places in MORE.items():
        add("more", name, places)
    head = ["| from | what | where in the console |", "|---|---|---|"]
    subjects = list(dict.fromkeys(OPEN[name] for name in missing))
    listed = (
        f"{subject} ({', '.join(f'`{name}`' for name in missing if OPEN[name] == subject)})" for subject in subjects
    )
    return [*head, *rows, "", f"Open, {len(missing)} in all: {'; '.join(listed)}." if missing else "Open: nothing."]


def drawn(document: str) -> str:
    """The document with today's table in it."""
    return _MARKS.sub(lambda marks: marks[1] + "\n" + "\n".join(lines()) + "\n\n" + marks[2], document)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    import django

    django.setup()
    before = DOCUMENT.read_text(encoding="utf-8")
    DOCUMENT.write_text(drawn(before), encoding="utf-8")
    sys.stdout.write(f"docs/operations.md {'is up to date' if drawn(before) == before else 'was changed'}.\n")
