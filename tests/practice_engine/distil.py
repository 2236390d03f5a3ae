"""Distils recordings of a real engine into facts: ``python tests/practice_engine/distil.py FOLDER VERSION`` writes ``facts/VERSION.json``.

A recording is a JSON file ``{name, request: {method, path, query, headers, body}, response: {status, headers, body}}``. A fact
keeps what was asked and the shape of what came back: keys and types, the difference between null, an empty text and a text,
and the values of code-like keys. It keeps no prose of the engine, no token and no real id: each id becomes ``<id:N>``, the
same N wherever it occurs, so that a replay can tell that the answer speaks of the same thing.
"""

import base64
import hashlib
import json
import re
import sys
from pathlib import Path
from typing import Any

FACTS = Path(__file__).with_name("facts")
ID = re.compile(r"(?<![0-9A-Za-z])[0-9A-Za-z]{21}(?![0-9A-Za-z])")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
NOBODY = "A" * 21
# Keys whose values are part of the contract.
TELLING = {
    "code",
    "statusCode",
    "status",
    "state",
    "operationStatus",
    "environment",
    "type",
    "valid",
    "evaluation",
    "scope",
}
TELLING |= {
    "entityType",
    "branchType",
    "branchIndex",
    "index",
    "executionType",
    "respond",
    "responseType",
    "testStrategy",
}
TELLING |= {"cronExpression", "timezone", "packageType", "pieceType", "platformRole", "pieceVersion", "line", "routed"}
# Parts whose inside differs from piece to piece: only their type is kept.
# ``i18n`` holds a piece's prose, in its keys too.
OPAQUE = {"i18n", "auth", "props", "suggestedActions", "errorHandlingOptions", "sourceCode"}
KEPT_HEADERS = {"content-type", "ap-parent-run-id", "ap-fail-parent-on-failure", "api-key", "x-api-key"}
KEPT_HEADERS |= {"ap-raw-payload", "x-console-launch-id", "x-key"}
TOLD_HEADERS = {"content-type", "x-webhook-id", "location", "x-order-total", "x-activepieces-resume-webhook-url"}
TOLD_HEADERS |= {
    "content-disposition",
    "retry-after",
    *(f"x-ratelimit-{word}" for word in ("limit", "remaining", "reset")),
}
# The recorder cut the tokens, so what was wrong with them, or whose they were, is known by name only.
CREDENTIALS = {"err_lowercase_bearer": "lower", "err_tampered_token": "tampered", "err_raw_token_no_bearer": "raw"}
CREDENTIALS |= {f"err_bearer_sk_invalid{route}": "wrong" for route in ("", "_flow_runs")}
CREDENTIALS |= {"err_bad_token_flow_runs": "wrong", "err_bad_token_pieces": "wrong", "err_api_key_header": "none"}
CREDENTIALS |= {f"token_sk_{route}": "sk" for route in ("flows", "projects")}
PEOPLE = {
    "second_user_": "colleague",
    "two_users_02_": "colleague",
    "member_": "stranger",
    "no_membership_": "stranger",
}
PEOPLE |= {"session_revoked_": "revoked", "session_inactive_": "inactive", "token_": "wrong"}


class Numbers:
    """Gives each id its number."""

    def __init__(self) -> None:
        self.known: dict[str, str] = {}

    def hide(self, value: Any) -> Any:
        """``value`` with every id in it replaced."""
        if isinstance(value, dict):
            # A name of letters alone may happen to be as long as an id: connectionExternalIds.
            return {key if key.isalpha() else self.hide(key): self.hide(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [self.hide(inner) for inner in value]
        if not isinstance(value, str):
            return value
        return ID.sub(lambda found: self._one(found[0]), value)

    def _one(self, text: str) -> str:
        if text == NOBODY:
            return text
        return self.known.setdefault(text, f"<id:{len(self.known) + 1}>")


def shape(value: Any, key: str = "") -> Any:
    """The shape of a value: a word for a leaf, ``{key: shape}`` for an object, ``{"[]": shape or None}`` for a list.

    A list that was once empty and once not has ``"?"`` beside it.
    """
    if value is None:
        return "null"
    if isinstance(value, dict):
        return _object(value, key)
    if isinstance(value, list):
        if key in OPAQUE:
            return "array"
        found = None
        for item in value:
            found = shape(item) if found is None else merged(found, shape(item))
        return {"[]": found}
    telling = key in TELLING and "export const" not in str(value)
    if telling and value != "":
        return f"={json.dumps(value)}"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    return _text(value)


def merged(one: Any, two: Any) -> Any:
    """A shape that fits both."""
    if one == two:
        return one
    if isinstance(one, dict) and isinstance(two, dict) and ("[]" in one) == ("[]" in two):
        if "[]" in one:
            inner = [shaped for shaped in (one["[]"], two["[]"]) if shaped is not None]
            found: dict[str, Any] = {"[]": merged(inner[0], inner[-1]) if inner else None}
            return found if len(inner) == 2 and not ("?" in one or "?" in two) else {**found, "?": "empty"}
        return _merged_objects(one, two)
    words = sorted({word for side in (one, two) for word in _words(side)})
    return "|".join(words)


def _merged_objects(one: dict[str, Any], two: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    first = {key.rstrip("?"): key for key in one}
    second = {key.rstrip("?"): key for key in two}
    for key in [*first, *(key for key in second if key not in first)]:
        if key in first and key in second:
            optional = first[key].endswith("?") or second[key].endswith("?")
            found[f"{key}?" if optional else key] = merged(one[first[key]], two[second[key]])
        else:
            found[f"{key}?"] = one[first[key]] if key in first else two[second[key]]
    return found


def _words(side: Any) -> list[str]:
    if isinstance(side, dict):
        return ["array" if "[]" in side else "object"]
    return ["id" if word.startswith("<id:") else _typed(word) for word in str(side).split("|")]


def _typed(word: str) -> str:
    """A recorded value as its type, once two values differ."""
    if not word.startswith("="):
        return word
    value = json.loads(word[1:])
    return "boolean" if isinstance(value, bool) else "number" if isinstance(value, int | float) else "string"


def _object(value: dict[str, Any], key: str) -> Any:
    if key in OPAQUE:
        return "object"
    if key == "headers" and all(isinstance(inner, str) for inner in value.values()):
        return {"<any>?": "empty|string"}
    found: dict[str, Any] = {}
    for name, inner in value.items():
        general = _general(name)
        one = shape(inner, name)
        found[general] = merged(found[general], one) if general in found else one
    return found


def _general(name: str) -> str:
    if name.startswith("<id:"):
        return "<id>"
    if re.fullmatch(r"\d{4}-\d\d-\d\d", name):
        return "<date>"
    return "<piece>" if name.startswith("@activepieces/") else name


def _text(value: str) -> str:
    if value == "":
        return "empty"
    if re.fullmatch(r"<id:\d+>", value):
        return value
    return "time" if TIME.fullmatch(value) else "string"


def distil(recording: dict[str, Any], numbers: Numbers) -> dict[str, Any]:
    """The fact in a recording."""
    asked, came = recording["request"], recording["response"]
    headers = {name.lower(): text for name, text in asked["headers"].items()}
    fact: dict[str, Any] = {
        "name": recording["name"],
        "method": asked["method"],
        "path": numbers.hide(asked["path"]),
        "credential": _credential(recording["name"], headers.get("authorization", "")),
        "status": came["status"],
        "told": {name: _told(name, text) for name, text in came["headers"].items() if name in TOLD_HEADERS},
    }
    known_headers = {name: text for name, text in headers.items() if name in KEPT_HEADERS}
    query = {key: _cursor(text) if key == "cursor" else text for key, text in (asked["query"] or {}).items()}
    for name, value in (("query", query), ("headers", known_headers), ("body", asked["body"])):
        if value not in (None, {}):
            fact[name] = numbers.hide(value)
    if "body" in came:
        fact["shape"] = shape(numbers.hide(came["body"]))
        _without_trees(fact["shape"])
        if outlined := outlines(came["body"]):
            fact["outlines"] = outlined
        if listed := properties(came["body"]):
            fact["properties"] = listed
    return fact


def _without_trees(found: Any) -> None:
    """Rows of the run list mix many flows: of the version of each, the tree is only a tree (0.83.0 shows it twice)."""
    rows = found.get("data", {}).get("[]") if isinstance(found, dict) and isinstance(found.get("data"), dict) else None
    if isinstance(rows, dict) and "flowVersion_trigger" in rows:
        rows["flowVersion"]["trigger"] = rows["flowVersion_trigger"] = "object"


def properties(body: Any) -> dict[str, str]:
    """The properties in a piece's metadata: ``{"put.key": "SHORT_TEXT!"}``, with ``!`` where required and what it is refreshed by."""
    if not isinstance(body, dict) or not isinstance(body.get("actions"), dict):
        return {}
    return {
        f"{operation['name']}.{name}": _property(prop)
        for kind in ("actions", "triggers")
        for operation in body[kind].values()
        for name, prop in operation["props"].items()
    }


def _property(prop: dict[str, Any]) -> str:
    inner = [f"{name} {_property(one)}" for name, one in prop.get("properties", {}).items()]
    settings = ", ".join([*prop.get("refreshers", []), *inner])
    return f"{prop['type']}{'!' if prop['required'] else ''}{f' ({settings})' if settings else ''}"


def outlines(body: Any) -> list[str]:
    """The step trees in an answer, each as a line with a digest of all it holds: of a flow, of a template, of a file with several."""
    if not isinstance(body, dict):
        return []
    flows = body["flows"] if isinstance(body.get("flows"), list) else [body.get("version"), body.get("template")]
    found = [flow["trigger"] for flow in flows if isinstance(flow, dict) and isinstance(flow.get("trigger"), dict)]
    return [f"{outline(trigger)} #{digest(trigger)}" for trigger in found]


def digest(trigger: dict[str, Any]) -> str:
    """Ten letters that are the same for two trees only if every value in them is, but for ids and times."""
    return hashlib.sha256(json.dumps(timeless(trigger), sort_keys=True).encode()).hexdigest()[:10]


def timeless(value: Any) -> Any:
    """A tree without what differs from one engine to the next."""
    if isinstance(value, dict):
        return {key: timeless(inner) for key, inner in value.items() if key != "lastUpdatedDate"}
    if isinstance(value, list):
        return [timeless(inner) for inner in value]
    if isinstance(value, str) and (TIME.fullmatch(value) or ID.fullmatch(value)):
        return "<id or time>"
    return value


def outline(step: dict[str, Any] | None) -> str:
    """A tree in a line: ``trigger:EMPTY > step_1:LOOP_ON_ITEMS(step_2:CODE) > step_3:ROUTER[Yes=step_4:CODE | Otherwise=]``.

    ``!`` marks an invalid step, ``~`` a skipped one, ``?`` a branch without a name or a list of steps without its branch.
    """
    steps = []
    while step:
        mark = ("" if step.get("valid") else "!") + ("~" if step.get("skip") else "")
        steps.append(f"{step['name']}:{step['type']}{mark}{_inside(step)}")
        step = step.get("nextAction")
    return " > ".join(steps)


def _inside(step: dict[str, Any]) -> str:
    if "children" not in step and "branches" not in step["settings"]:
        return f"({outline(step['firstLoopAction'])})" if step.get("firstLoopAction") else ""
    names = [branch.get("branchName", "?") for branch in step["settings"].get("branches", [])]
    lists = [outline(child) for child in step.get("children", [])]
    number = max(len(names), len(lists))
    names += ["?"] * (number - len(names))
    lists += ["?"] * (number - len(lists))
    return f"[{' | '.join(f'{name}={inner}' for name, inner in zip(names, lists, strict=True))}]"


def _cursor(text: str) -> str:
    """A cursor as the direction it leads; an invalid one stays as it is."""
    try:
        direction = base64.b64decode(text, validate=True)[:5]
    except ValueError:
        return text
    return {b"next_": "<next>", b"prev_": "<previous>"}.get(direction, text)


def _told(name: str, text: str) -> str:
    return text if name == "content-type" else ""


def _credential(name: str, authorization: str) -> str:
    if name in CREDENTIALS:
        return CREDENTIALS[name]
    if not authorization:
        return "none"
    for beginning, person in PEOPLE.items():
        if name.startswith(beginning):
            return person
    return "owner" if authorization == "Bearer <token>" else "wrong"


def main(folder: Path, version: str) -> None:
    """Write the facts of all recordings in ``folder``, made with that version of the engine."""
    numbers = Numbers()
    facts = [distil(json.loads(file.read_text("utf-8")), numbers) for file in sorted(folder.glob("*.json"))]
    lines = ",\n".join(json.dumps(fact, ensure_ascii=False) for fact in facts)
    (FACTS / f"{version}.json").write_text(f"[\n{lines}\n]\n", "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
