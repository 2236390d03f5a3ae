"""Engines that say back what they must not: every secret of a workspace in every text of every answer, and in errors of all kinds."""

import itertools
import json
from collections.abc import Sequence
from typing import Any, Self
from urllib.parse import quote

import requests

from tests.attacks.poison import _IDENTITY, _SHAPE, _TOLD
from tests.engine.servers import Recorder, Reply, Seen
from tests.practice_engine.fixtures import Practice
from tests.stub_engine import StubEngine
from workflows_ui.engine.masking import encoded_forms

#: The errors that an engine can end a call with, by their status; `said` stands for everything it should have kept to itself.
ERRORS = (400, 401, 500)


class Echo:
    """Puts secrets into answers: each text gets the next form of the next secret, so that every kind of value meets every form."""

    def __init__(self, secrets: Sequence[str]) -> None:
        self._forms = itertools.cycle([form for secret in secrets for form in sorted(encoded_forms(secret))])
        self.said = " ".join([*secrets, *(quote(secret, safe="") for secret in secrets)])
        self._secrets = itertools.cycle(secrets)
        #: The status of the error with which everything is answered instead; 0 for none.
        self.failing = 0

    def value(self, value: Any, key: str = "") -> Any:
        """A JSON value with a secret in each text and in a key of each object; what engines are known by stays."""
        if isinstance(value, dict):
            masked = {name: self.value(one, name) for name, one in value.items()}
            return masked | (
                {f"echo {next(self._secrets)}": next(self._forms)} if key not in {"", "data", "props"} else {}
            )
        if isinstance(value, list):
            return [self.value(one, key) for one in value]
        if not isinstance(value, str) or key in _SHAPE | _IDENTITY or key.lower().endswith(("id", "ids")):
            return value
        return f"{value} {next(self._secrets)} {next(self._forms)}"

    def reply(self, reply: Reply, asked: Seen) -> Reply:
        """The engine's answer with secrets in body and headers, or an error that tells them all and what was asked."""
        headers = (("x-echo", next(self._secrets)), *reply.headers)
        if not self.failing:
            return Reply(reply.status, self.value(reply.body), headers)
        said = f"{self.said} {asked.headers} {asked.query} {asked.body.decode('utf-8', 'replace')}"
        if self.failing >= 500:
            return Reply(self.failing, f"<html>{said}".encode(), (("content-type", "text/html"), ("retry-after", "0")))
        body = {"code": "VALIDATION", "message": said, "error": said, "params": {"message": said, said[:300]: said}}
        return Reply(self.failing, body, headers)


class EchoingShelf(StubEngine):
    """The stub engine, heard through `echo` where there is one."""

    echo: Echo | None = None

    def __enter__(self) -> Self:
        super().__enter__()
        return self

    def reply(self, seen: Seen) -> Reply:
        found = super().reply(seen)
        return self.echo.reply(found, seen) if self.echo else found


class EchoingPractice(Recorder):
    """The practice engine, heard through `echo` where there is one."""

    def __init__(self, practice: Practice) -> None:
        self.echo: Echo | None = None
        #: Put into each row of a list, by the end of its path: what an engine should not tell there.
        self.planted: dict[str, dict[str, Any]] = {}
        self._practice = practice
        super().__init__(answer=self._pass_on)

    def __enter__(self) -> Self:
        super().__enter__()
        return self

    def _pass_on(self, seen: Seen) -> Reply:
        if self.echo is not None and self.echo.failing:
            return self.echo.reply(Reply(), seen)
        headers = {name: value for name, value in seen.headers.items() if name not in {"host", "content-length"}}
        url = f"{self._practice.url}{seen.path}?{seen.query}"
        answer = requests.request(seen.method, url, data=seen.body, headers=headers, timeout=20, allow_redirects=False)
        kept_headers = tuple((name, value) for name, value in answer.headers.items() if name.lower() in _TOLD)
        try:
            content: Any = json.loads(answer.content)
        except ValueError:
            return Reply(answer.status_code, answer.content, kept_headers)
        rows = content.get("data") if isinstance(content, dict) else None
        for end, more in self.planted.items():
            if seen.path.endswith(end) and isinstance(rows, list):
                content["data"] = [row | more for row in rows]
        reply = Reply(answer.status_code, content, kept_headers)
        return self.echo.reply(reply, seen) if self.echo else reply
