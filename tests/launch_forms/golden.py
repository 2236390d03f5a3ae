"""The form proposed for each known flow: `python -m tests.launch_forms.golden` writes them, for a person to read the difference.

The flows are those of the practice engine and those of recordings of a real engine, which `python -m tests.launch_forms.golden FOLDER`
distils from a folder of recordings into `recorded.json`.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
GOLDEN = HERE / "golden"
RECORDED = HERE / "recorded.json"


def sources() -> dict[str, tuple[Any, list[Any], list[Any]]]:
    """The flows: step tree, payloads and samples by name."""
    from practice_engine.samples import sample_flows

    found: dict[str, tuple[Any, list[Any], list[Any]]] = {}
    for slug, sample in sample_flows().items():
        payloads = [sample.payload] * sample.run_count + sample.other_payloads
        found[f"practice-{slug}"] = (sample.trigger, payloads, [sample.payload] if sample.payload else [])
    for name, flow in json.loads(RECORDED.read_text("utf-8")).items():
        found[f"recorded-{name}"] = (flow["trigger"], flow["payloads"], flow["samples"])
    return found


def proposed() -> dict[str, str]:
    """The text of each golden file, by name."""
    from workflows_ui.form_schema import schema_out
    from workflows_ui.launch_forms.proposal import proposing

    texts = {}
    for name, (trigger, payloads, samples) in sources().items():
        both = {
            "from the steps alone": proposing.propose(trigger),
            "with what was sent before": proposing.propose(trigger, payloads, samples),
        }
        schemas = {how: schema_out.to_schema(form) for how, form in both.items()}
        texts[name] = json.dumps(schemas, ensure_ascii=False, indent=1) + "\n"
    return texts


def write() -> None:
    """Writes all golden files."""
    GOLDEN.mkdir(exist_ok=True)
    for old in GOLDEN.glob("*.json"):
        old.unlink()
    for name, text in proposed().items():
        (GOLDEN / f"{name}.json").write_text(text, "utf-8")


def distil(folder: Path) -> None:
    """Keeps of a folder of recordings the last step tree of every flow, and what its runs and samples were started with."""
    flows: dict[str, dict[str, Any]] = {}
    names: dict[str, str] = {}
    for path in sorted(folder.glob("*.json")):
        for body in _objects(json.loads(path.read_text("utf-8"))["response"].get("body")):
            version = body.get("version")
            trigger = version.get("trigger") if isinstance(version, dict) else None
            if isinstance(version, dict) and isinstance(trigger, dict) and isinstance(body.get("id"), str):
                names[body["id"]] = re.sub(r"[^a-z0-9]+", "-", version["displayName"].lower()).strip("-")
                known = flows.setdefault(body["id"], {"trigger": trigger, "payloads": [], "samples": []})
                if len(json.dumps(trigger)) >= len(json.dumps(known["trigger"])):
                    known["trigger"] = trigger
    for path in sorted(folder.glob("*.json")):
        for body in _objects(json.loads(path.read_text("utf-8"))["response"].get("body")):
            steps, flow = body.get("steps"), flows.get(str(body.get("flowId")))
            if flow is None:
                continue
            if isinstance(steps, dict) and "trigger" in steps:
                _add(flow["payloads"], steps["trigger"].get("output"))
            elif "payload" in body:
                _add(flow["samples"], body["payload"])
    proposable = {names[key]: flow for key, flow in flows.items() if flow["trigger"].get("type") != "EMPTY"}
    RECORDED.write_text(json.dumps(proposable, ensure_ascii=False, indent=1, sort_keys=True) + "\n", "utf-8")


def _add(bodies: list[Any], output: Any) -> None:
    if isinstance(output, dict) and isinstance(output.get("body"), dict) and output["body"]:
        bodies.append(output["body"])


def _objects(body: Any) -> list[dict[str, Any]]:
    data = body.get("data") if isinstance(body, dict) else None
    rows = data if isinstance(data, list) else [body]
    return [row for row in rows if isinstance(row, dict)]


if __name__ == "__main__":
    import os

    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    if len(sys.argv) > 1:
        distil(Path(sys.argv[1]))
    write()
