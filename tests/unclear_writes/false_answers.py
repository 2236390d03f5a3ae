"""Answers that something between the console and the engine gives to one write, before or after the engine acts."""

from collections.abc import Callable
from functools import partial
from typing import Any

from practice_engine.faults import Faults


def _play(faults: Faults, acted: bool, kind: str, **more: Any) -> None:
    if kind == "reset":
        kind = "reset_after" if acted else "reset_before"
    else:
        more["act"] = acted
    for method in ("POST", "DELETE"):
        # The options of fields are read by a POST.
        for path in ("/v1/[!p]*", "/v1/projects/*"):
            faults.add(kind, method, path, times=1, **more)


Play = Callable[[Faults, bool], None]


def _status(status: int, body: str = "json", **headers: str) -> Play:
    return partial(_play, kind="status", status=status, body=body, headers=headers)


#: By what a person would call them.
ANSWERS: dict[str, Play] = {
    "401": _status(401),
    "403": _status(403),
    "404": _status(404),
    "404-html": _status(404, "html"),
    "410": _status(410),
    "400": _status(400),
    "409": _status(409),
    "413": _status(413, "gateway"),
    "422": _status(422),
    "429": _status(429),
    "500": _status(500),
    "503": _status(503),
    "502-html": _status(502, "html"),
    "302": _status(302, "empty", location="https://sso.example/"),
    "cut": partial(_play, kind="reset"),
}
