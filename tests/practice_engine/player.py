"""Plays facts against a practice engine: the same request, then the same status and the same shape, or the differences."""

import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests

from practice_engine import run_rows
from practice_engine.ids import is_id
from tests.practice_engine.distil import FACTS, TOLD_HEADERS, outlines, properties
from tests.practice_engine.fixtures import Practice, until

Json = dict[str, Any]
PLACE = re.compile(r"<id:\d+>")
FILE = re.compile(r"<file (?P<name>[^,]+), (?P<type>[^,>]+)(, (?P<size>\d+) bytes)?>")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
FACTS_BY_VERSION: dict[str, dict[str, Json]] = {
    version: {fact["name"]: fact for fact in json.loads((FACTS / f"{version}.json").read_text("utf-8"))}
    for version in ("0.72.4", "0.83.0")
}
# The recorder cut every password, the wrong one too.
WRONG_PASSWORDS = {"sign_in_wrong_password"}
#: What the recorder wrote instead of a long or unreadable body.
CUT_BODIES = {"<26 MiB of JSON>": b'{"x":"' + b"x" * (26 * 1024 * 1024) + b'"}', "<9 bytes of binary>": bytes(range(9))}
WEBHOOK_TRIGGER: Json = {
    "name": "trigger",
    "valid": True,
    "displayName": "Catch Webhook",
    "type": "PIECE_TRIGGER",
    "settings": {
        "propertySettings": {},
        "pieceName": "@activepieces/piece-webhook",
        "pieceVersion": "~0.1.25",
        "triggerName": "catch_webhook",
        "input": {"authType": "none"},
    },
}


def code_step(
    name: str, source: str = "export const code = async (inputs) => { return inputs; };", **values: Any
) -> Json:
    """A code step for what the recordings left out."""
    handling = {"continueOnFailure": {"value": False}, "retryOnFailure": {"value": False}}
    settings = {"sourceCode": {"code": source, "packageJson": "{}"}, "input": values, "errorHandlingOptions": handling}
    return {"name": name, "valid": True, "displayName": name, "type": "CODE", "settings": settings}


class Player:
    """Plays one story of one version. Ids of the recording are bound to ids of this engine when they are first seen."""

    #: What every story begins with: it binds the ids of project, user and platform.
    OPENING = {"0.72.4": ("users_project_current", "users_me"), "0.83.0": ("sign_in", "project_get")}

    def __init__(self, practice: Practice, version: str) -> None:
        self.practice = practice
        self.facts = FACTS_BY_VERSION[version]
        self.bound: dict[str, str] = {}
        self.cursors: Json = {}
        #: What else stands for something of this engine: part of an address, a token that the recorder cut.
        self.words: dict[str, str] = {}
        #: Tokens of people who signed up in this story, by what facts call them (``colleague``, ``stranger``).
        self.tokens: dict[str, str] = {}
        self.invitation = ""
        practice.engine.settings.version = version
        for name in self.OPENING[version]:
            self.play(name)

    def play(self, name: str) -> None:
        """Play one fact. Raises ``AssertionError`` with every difference."""
        fact = self.facts[name]
        response = self._send(fact)
        wrong = list(self._compare_head(fact, response))
        if "shape" in fact and not wrong:
            wrong += self.differences(fact["shape"], response.json(), "body")
            wrong += self._compare_trees(fact, response.json())
            wrong += self._compare_properties(fact, response.json())
        elif (
            "shape" not in fact
            and "body" not in fact.get("told", {})
            and response.status_code == 204
            and response.content
        ):
            wrong.append("a body where none was recorded")
        assert not wrong, f"{name}: {wrong}\n{response.text[:1500]}"
        if isinstance(fact.get("shape"), dict):
            self._remember(fact, response.json())

    def sign_up(self, person: str, role: str) -> None:
        """Somebody is invited to the platform and signs up, where that was not recorded: ``colleague`` or ``stranger`` of the facts."""
        email = f"{person}@example.com"
        self.invite({"email": email, "type": "PLATFORM", "platformRole": role})
        self.also("POST", "/v1/user-invitations/accept", {"invitationToken": self.invitation})
        who = {"email": email, "password": "a password", "firstName": person, "lastName": "Somebody"}
        self.tokens[person] = self.also("POST", "/v1/authentication/sign-up", who).json()["token"]

    def invite(self, asked: Json) -> None:
        """An invitation that was not recorded; the next fact that accepts one is about it."""
        self.invitation = _token(self.also("POST", "/v1/user-invitations", asked).json()["link"])

    def also(self, method: str, path: str, body: Any = None, headers: Json | None = None) -> requests.Response:
        """A request that the recordings left out; ``path`` and ``body`` may name ids of the recording."""
        more: Json = {} if body is None else {"json": self.fill(body)}
        response = self.practice.call(method, self.fill(path), headers=headers or {}, **more)
        assert response.status_code < 400, response.text
        return response

    def operate(self, fact: str, kind: str, request: Any) -> None:
        """An operation that the recordings left out, on the flow that ``fact`` is about."""
        self.also("POST", self.flow_path(fact), {"type": kind, "request": request})

    def flow_path(self, fact: str) -> str:
        """The path of the flow that a fact is about."""
        found = self.facts[fact]
        place = PLACE.findall(found["path"]) or [found["shape"]["id"]]
        return f"/v1/flows/{place[0]}"

    def make_flow(self, fact: str, folder: bool = False, name: str = "unrecorded") -> None:
        """Make the flow that ``fact`` works on, whose making was not recorded."""
        body: Json = {"displayName": name, "projectId": self.practice.credentials.project_id}
        if folder:
            made = self.also("POST", "/v1/folders", {"displayName": "F", "projectId": body["projectId"]})
            body["folderId"] = made.json()["id"]
        place = self.flow_path(fact).rpartition("/")[2]
        self.bound[place] = self.also("POST", "/v1/flows", body).json()["id"]

    def bind_run(self, fact: str, status: str, flow: str, where: Callable[[Json], bool] = lambda run: True) -> None:
        """Wait for a run of the flow of the fact ``flow`` in this state, and bind the id of the run that ``fact`` asks for."""
        identity = self.fill(self.flow_path(flow)).rpartition("/")[2]
        place = PLACE.findall(self.facts[fact]["path"])[0]

        def look() -> str:
            for run in self.practice.runs(identity):
                whole = self.practice.call("GET", f"/v1/flow-runs/{run['id']}").json()
                if run["status"] == status and where(whole):
                    return str(run["id"])
            return ""

        self.bound[place] = until(look)

    def settle(self) -> None:
        """Wait until every run can be seen, and has ended or pauses."""

        def settled() -> bool:
            with self.practice.engine.state.lock:
                rows = list(self.practice.engine.state.runs.values())
            return all(run_rows.visible(row) and row["status"] not in ("QUEUED", "RUNNING") for row in rows)

        until(settled)

    def fill(self, value: Any) -> Any:
        """``value`` with the ids of the recording replaced by those of this engine. Raises ``KeyError`` for an unbound one."""
        if isinstance(value, dict):
            return {self.fill(key): self.fill(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [self.fill(inner) for inner in value]
        if not isinstance(value, str):
            return value
        for word, text in self.words.items():
            value = value.replace(word, text)
        return PLACE.sub(lambda found: self.bound[found[0]], value)

    def _send(self, fact: Json) -> requests.Response:
        headers = dict(fact.get("headers", {}))
        body = fact.get("body")
        more: Json = {}
        # 0.72.4's recorder left the type of its form out.
        form = fact["name"] == "webhook_form" or "x-www-form" in headers.get("content-type", "")
        if body is not None and isinstance(body, str):
            more["data"] = CUT_BODIES.get(body) or body.encode()
            headers.setdefault("content-type", "application/json")
        elif body is not None and form:
            more["data"] = body
        elif isinstance(body, dict) and any(FILE.fullmatch(str(value)) for value in body.values()):
            more["files"] = [(name, _part(value)) for name, value in self.fill(body).items()]
        elif body is not None:
            more["json"] = self._with_secrets(fact, self.fill(body))
        query = self.fill(fact.get("query", {}))
        if "cursor" in query:
            query["cursor"] = self.cursors.get(str(query["cursor"]).strip("<>"), query["cursor"])
        credential = self._credential(fact)
        return self.practice.call(
            fact["method"], self.fill(fact["path"]), credential=credential, headers=headers, params=query, **more
        )

    def _with_secrets(self, fact: Json, body: Any) -> Any:
        """What the recorder cut out of a body about signing in or up, and whose address it was."""
        if not isinstance(body, dict) or fact["credential"] != "none":
            return body
        own = self.practice.credentials
        password = "not the password" if fact["name"] in WRONG_PASSWORDS else own.password
        given = {"owner@example.com": own.email, "<password>": password, "<token>": self.invitation}
        return {name: given.get(value, value) if isinstance(value, str) else value for name, value in body.items()}

    def _remember(self, fact: Json, body: Json) -> None:
        """Keep what later facts need: cursors, the token of an invitation, that of who signed up."""
        if "next" in fact["shape"]:
            self.cursors = body
        if "link" in fact["shape"]:
            self.invitation = _token(body["link"])
        if fact["name"].startswith("sign_up"):
            self.tokens["colleague"] = body.get("token", "")

    def _compare_trees(self, fact: Json, body: Any) -> list[str]:
        expected, came = fact.get("outlines", []), outlines(body)
        return [] if expected == came else [f"the tree is {came} instead of {expected}: {json.dumps(body)}"]

    def _compare_properties(self, fact: Json, body: Any) -> list[str]:
        expected, came = fact.get("properties", {}), properties(body)
        return [] if expected == came else [f"properties are {came} instead of {expected}"]

    def _credential(self, fact: Json) -> Json:
        token = self.practice.credentials.bearer_token
        if fact["credential"] == "none":
            return {}
        given = {
            "owner": f"Bearer {token}",
            "lower": f"bearer {token}",
            "tampered": f"Bearer {token[:-3]}xyz",
            "raw": token,
        }
        given["sk"] = f"Bearer sk-{'0' * 64}"
        given["colleague"] = f"Bearer {self.practice.credentials.bearer_token_colleague}"
        given["stranger"] = f"Bearer {self.practice.credentials.bearer_token_stranger}"
        given |= {person: f"Bearer {own}" for person, own in self.tokens.items()}
        return {"Authorization": given.get(fact["credential"], "Bearer not.a.jwt")}

    def _compare_head(self, fact: Json, response: requests.Response) -> list[str]:
        wrong = []
        if response.status_code != fact["status"]:
            wrong.append(f"status {response.status_code} instead of {fact['status']}")
        for name in sorted(TOLD_HEADERS):
            expected, came = fact["told"].get(name), response.headers.get(name)
            if (expected is None) != (came is None) or (expected and expected != came):
                wrong.append(f"header {name}: {came!r} instead of {expected!r}")
        return wrong

    def differences(self, shape: Any, value: Any, where: str) -> list[str]:
        """What is different between a shape and a value."""
        if isinstance(shape, dict) and "[]" in shape:
            return [] if value == [] and "?" in shape else self._list(shape["[]"], value, where)
        if isinstance(shape, dict):
            return self._object(shape, value, where)
        if any(self._leaf(word, value) for word in shape.split("|")):
            return []
        return [f"{where}: {str(value)[:60]!r} is not {shape}"]

    def _list(self, inner: Any, value: Any, where: str) -> list[str]:
        if not isinstance(value, list) or (inner is None) != (value == []):
            return [f"{where}: {str(value)[:60]!r} instead of {'an empty' if inner is None else 'a'} list"]
        return [
            wrong for number, item in enumerate(value) for wrong in self.differences(inner, item, f"{where}[{number}]")
        ]

    def _object(self, shape: Json, value: Any, where: str) -> list[str]:
        if not isinstance(value, dict):
            return [f"{where}: {str(value)[:60]!r} instead of an object"]
        wrong: list[str] = []
        rest = dict(value)
        for key, inner in shape.items():
            name, general = key.rstrip("?"), key.startswith("<")
            found = [one for one in rest if self._named(name, one)] if general else [one for one in rest if one == name]
            if not found and not key.endswith("?"):
                wrong.append(f"{where}: no {name}")
            for one in found:
                wrong += self.differences(inner, rest.pop(one), f"{where}.{one}")
        return wrong + [f"{where}: {name} is not in the recording" for name in rest]

    def _named(self, general: str, key: str) -> bool:
        fits: dict[str, bool] = {
            "<id>": is_id(key),
            "<date>": re.fullmatch(r"\d{4}-\d\d-\d\d", key) is not None,
            "<piece>": key.startswith("@activepieces/"),
        }
        return fits.get(general, True)

    def _leaf(self, word: str, value: Any) -> bool:
        if PLACE.fullmatch(word):
            return is_id(value) and self.bound.setdefault(word, value) == value
        if word.startswith("="):
            return bool(json.loads(word[1:]) == value)
        fits: dict[str, bool] = {
            "null": value is None,
            "boolean": isinstance(value, bool),
            "number": isinstance(value, int | float) and not isinstance(value, bool),
            "empty": value == "",
            "string": isinstance(value, str) and value != "",
            "time": isinstance(value, str) and TIME.fullmatch(value) is not None,
            "id": is_id(value),
            "object": isinstance(value, dict),
            "array": isinstance(value, list),
        }
        return fits[word]


def _token(link: str) -> str:
    """The token in the link of an invitation."""
    return parse_qs(urlsplit(link).query)["token"][0]


def _part(value: str) -> tuple[str | None, bytes | str] | tuple[str, bytes, str]:
    """A recorded value as a part of a multipart body: a file of the recorded size, or a text."""
    found = FILE.fullmatch(value)
    if found is None:
        return None, value
    return found["name"], b"x" * int(found["size"] or 16), found["type"]
