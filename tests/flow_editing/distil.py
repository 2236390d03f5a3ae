"""Distils recordings of a real engine into operations on flows, with the flow before and after each.

`python -m tests.flow_editing.distil FOLDER VERSION` adds those of one version to `recorded.json`. A flow's recordings are put in
the order of its version's `updated`; two that follow each other are a pair. What the engine decides alone (valid, times, samples,
defaults) is left out.
"""

import itertools
import json
import sys
from pathlib import Path
from typing import Any

PAIRS = Path(__file__).with_name("recorded.json")
_FLOW = ("status", "folderId", "publishedVersionId", "metadata", "ownerId", "timeSavedPerRun")
_LEFT_OUT = {
    "lastUpdatedDate",
    "sampleData",
    "propertySettings",
    "errorHandlingOptions",
    "valid",
    "pieceVersion",
    "customLogoUrl",
}


def pairs(folder: Path) -> list[dict[str, Any]]:
    """Name, operation, `before` and `after` of each operation that the engine granted and whose flow was recorded before."""
    found = []
    for path in sorted(folder.glob("*.json")):
        recording = json.loads(path.read_text(encoding="utf-8"))
        asked, answer = recording["request"].get("body"), recording["response"].get("body")
        if isinstance(answer, dict) and isinstance(answer.get("version"), dict) and "trigger" in answer["version"]:
            moments = answer["id"], answer["version"]["updated"], str(answer.get("updated")), recording["name"]
            found.append((moments, recording["response"]["status"], asked if isinstance(asked, dict) else {}, answer))
    found.sort(key=lambda row: row[0])
    return [
        {"name": moments[3], "operation": asked, "before": _trimmed(before), "after": _trimmed(after)}
        for (earlier, _status, _asked, before), (moments, status, asked, after) in itertools.pairwise(found)
        if earlier[0] == moments[0] and status == 200 and asked.get("type")
    ]


def recorded() -> dict[str, list[dict[str, Any]]]:
    """The pairs of `recorded.json` by version."""
    whole = json.loads(PAIRS.read_text(encoding="utf-8"))
    return {
        version: [
            {**pair, **{key: found["flows"][pair[key]] for key in ("before", "after")}} for pair in found["pairs"]
        ]
        for version, found in whole.items()
    }


def _trimmed(flow: dict[str, Any]) -> dict[str, Any]:
    version = flow["version"]
    parts = {key: version[key] for key in ("id", "displayName", "trigger", "notes") if key in version}
    return {**{key: flow[key] for key in _FLOW if key in flow}, "version": _without(parts)}


def _without(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without(inner) for key, inner in value.items() if key not in _LEFT_OUT}
    return [_without(inner) for inner in value] if isinstance(value, list) else value


if __name__ == "__main__":
    whole = json.loads(PAIRS.read_text(encoding="utf-8")) if PAIRS.exists() else {}
    flows: list[dict[str, Any]] = []
    listed = pairs(Path(sys.argv[1]))
    for pair in listed:
        for key in ("before", "after"):
            flows += [] if pair[key] in flows else [pair[key]]
            pair[key] = flows.index(pair[key])
    whole[sys.argv[2]] = {"flows": flows, "pairs": listed}
    PAIRS.write_text(
        json.dumps(whole, ensure_ascii=False, sort_keys=True, separators=(",", ":")) + "\n", encoding="utf-8"
    )
