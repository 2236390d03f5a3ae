"""The practice engine behind a hand that puts attacks into each string, key and header which it sends."""

import json
from collections.abc import Callable
from typing import Any, Self
from urllib.parse import quote, quote_plus

import requests

from tests.engine.servers import Recorder, Reply, Seen
from tests.practice_engine.fixtures import Practice

#: Breaks out of text, attributes in either quotes, comments, scripts, titles and text fields; without a slash, so that it fits into ids.
BREAK_OUT = '"\'><xss1337 onxss1337=1 x=y>--><img src=x onerror=alert(1337)>{{ "1337"|add:"ssti" }}'
#: The same, and the ends of elements that hold plain text.
BREAK_OUT_OF_ALL = "</script></textarea></title></style></noscript></template>]]>" + BREAK_OUT
#: Whole values that a link must not take.
LINKS = (
    "javascript:alert(1337)",
    "JaVaScRiPt:alert(1337)//",
    "\tjavascript:alert(1337)",
    "data:text/html,<xss1337>",
    "vbscript:x(1337)",
)
HEADER = ("x-\"'><xss1337", "\"'><xss1337 onxss1337=1>")

#: Without these no page is made of an answer; web/test_lying_engine.py has every oddity in each of them.
_SHAPE = {
    "projectId",
    "projectIds",
    "status",
    "type",
    "state",
    "next",
    "previous",
    "cursor",
    "environment",
    "operationStatus",
    "created",
    "updated",
}
#: In the place of these no other word can stand at all.
_IDENTITY = {
    "name",
    "pieceName",
    "pieceVersion",
    "triggerName",
    "actionName",
    "version",
    "role",
    "branchType",
    "externalId",
    "cronExpression",
}
_TOLD = {"content-type", "x-webhook-id", "date", "retry-after", "location"}


def suffixed(value: Any, key: str = "") -> Any:
    """Each string with the attack behind it, each object with a key that is one; ids too."""
    if isinstance(value, dict):
        poisoned = {name: suffixed(one, name) for name, one in value.items()}
        return poisoned | ({BREAK_OUT_OF_ALL: BREAK_OUT_OF_ALL} if key not in {"", "data"} else {})
    if isinstance(value, list):
        return [suffixed(one, key) for one in value]
    if not isinstance(value, str) or key in _SHAPE:
        return value
    identity = key in _IDENTITY or key.lower().endswith(("id", "ids"))
    return value + (BREAK_OUT if identity else BREAK_OUT_OF_ALL)


def replaced(value: Any, key: str = "") -> Any:
    """Each word by a link that must not be taken; ids stay."""
    if isinstance(value, dict):
        return {name: replaced(one, name) for name, one in value.items()}
    if isinstance(value, list):
        return [replaced(one, key) for one in value]
    if not isinstance(value, str) or key in _SHAPE | _IDENTITY or key.lower().endswith(("id", "ids")):
        return value
    return LINKS[len(key) % len(LINKS)]


class PoisonedEngine(Recorder):
    """Passes each request on to the practice engine, and gives its answer back as `poison` makes it; `failing` is answered instead."""

    def __init__(self, practice: Practice, poison: Callable[[Any], Any]) -> None:
        self.failing: Reply | None = None
        self.poison = poison
        self._practice = practice
        super().__init__(answer=self._pass_on)

    def __enter__(self) -> Self:
        super().__enter__()
        return self

    def _pass_on(self, seen: Seen) -> Reply:
        if self.failing is not None:
            return self.failing
        headers = {name: value for name, value in seen.headers.items() if name not in {"host", "content-length"}}
        url = f"{self._practice.url}{_clean(seen.path)}?{_clean(seen.query)}"
        body = seen.body.replace(json.dumps(BREAK_OUT)[1:-1].encode(), b"")
        answer = requests.request(seen.method, url, data=body, headers=headers, timeout=20, allow_redirects=False)
        kept_headers = [(name, value) for name, value in answer.headers.items() if name.lower() in _TOLD]
        try:
            content: Any = self.poison(answer.json())
        except ValueError:
            content = answer.content
        return Reply(answer.status_code, content, (*kept_headers, HEADER))


def _clean(text: str) -> str:
    for spelling in (quote(BREAK_OUT, safe=""), quote(BREAK_OUT), quote_plus(BREAK_OUT)):
        text = text.replace(spelling, "")
    return text
