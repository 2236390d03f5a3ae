"""Why a step failed, in plain words: reads what a step said, and finds it in the table of failure_kinds.py."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from workflows_ui.kit import show
from workflows_ui.kit.failure_kinds import ENDS, KINDS, UNKNOWN, Cure, Kind
from workflows_ui.kit.words import Words

#: Characters of an error that are looked at, of what the service said that are shown, and levels of its JSON that are searched.
_READ, _SHOWN, _DEEPEST = 40_000, 400, 6


@dataclass(frozen=True)
class Failure:
    """A failure in words. `said` is the service's own sentence, "" where it said none; `status` its HTTP status, where it is told.

    `known` is False where nothing in the table fits.
    """

    words: Words
    cure: Cure
    said: str = ""
    status: int | None = None
    known: bool = True


_STATUS = (
    re.compile(r"status code:? ?(\d{3})\b", re.IGNORECASE),
    re.compile(r"""["']?\bstatus(?:code)?["']?\s*[:=]\s*["']?(\d{3})\b""", re.IGNORECASE),
    re.compile(r"\bHTTP(?:/\d(?:\.\d)?)?[ :]+(?:error )?(\d{3})\b", re.IGNORECASE),
    re.compile(
        r"\b(4\d\d|5\d\d) (?:unauthorized|forbidden|not found|bad request|too many|internal|bad gateway|service|gateway|conflict)",
        re.IGNORECASE,
    ),
)
#: Where services put their sentence, the best first.
_MESSAGES = (
    "message", "error_description", "errorMessage", "detail", "details", "title", "description", "reason", "msg", "error", "errors", "body",
    "response", "data",
)  # fmt: skip
_HIDDEN = frozenset({"request", "config", "headers", "stack"})
_ERROR_NAME = re.compile(r"^(?:Uncaught |Axios|Http|HTTP)?(?:\w*Error|Exception):\s*")


def of(text: str, run_status: str = "") -> Failure | None:
    """What a step's error means (`errorMessage`, api.md 8.1: a text, JSON in it or not); None where nothing failed or was said.

    Secrets must be masked before. `run_status` is the run's end in the engine's word.
    """
    text = text[:_READ].strip()
    if run_status in ENDS and run_status != "FAILED" and not text:
        cure, helps = ENDS[run_status]
        return Failure(Words("", "", helps), cure, known=False)
    if not text:
        return None
    value = _embedded(text)
    said, status = _said(value, text), _status(value, text)
    kind = _kind(said, status, _without_request(value, text))
    return Failure(kind.words, kind.cure, said, status, kind is not UNKNOWN)


def _kind(said: str, status: int | None, text: str) -> Kind:
    """The particular words first (an e-mail address inside of a 400), then the status, then words anywhere."""
    by_status = next((kind for kind in KINDS if status in kind.statuses), None) if status else None
    by_words = next((kind for kind in KINDS if kind.pattern and kind.pattern.search(said)), None)
    if by_status is None:
        anywhere = text if not said else f"{said}\n{text[:4000]}"
        return by_words or next((kind for kind in KINDS if kind.pattern and kind.pattern.search(anywhere)), UNKNOWN)
    # A 400 or a 500 says little: services put quotas, missing things and wrong addresses into both.
    general = by_status.statuses & {400, 500}
    return by_words if general and by_words else by_status


def _embedded(text: str) -> Any:
    """The JSON in an error, which may stand behind some words; None where there is none."""
    for start in [match.start() for match in re.finditer(r"[{\[]", text)][:3]:
        try:
            value, _end = json.JSONDecoder().raw_decode(text[start:])
        except (ValueError, RecursionError):
            continue
        if isinstance(value, dict) and value:
            return value
    return None


def _status(value: Any, text: str) -> int | None:
    for found in _walk(value, 0):
        for key in ("status", "statusCode", "status_code", "code", "httpStatusCode"):
            number = found.get(key)
            number = int(number) if isinstance(number, str) and re.fullmatch(r"\d{3}", number) else number
            if isinstance(number, int) and not isinstance(number, bool) and 400 <= number < 600:
                return number
    for pattern in _STATUS:
        match = pattern.search(text)
        if match and 400 <= int(match[1]) < 600:
            return int(match[1])
    return None


def _walk(value: Any, depth: int) -> Iterator[Mapping[str, Any]]:
    """Every object in an error, the outer ones first; not the request that was sent."""
    if depth > _DEEPEST:
        return
    if isinstance(value, dict):
        yield value
        for key, inner in list(value.items())[:50]:
            if key not in _HIDDEN:
                yield from _walk(_opened(inner), depth + 1)
    elif isinstance(value, list):
        for inner in value[:5]:
            yield from _walk(inner, depth + 1)


def _opened(value: Any) -> Any:
    """JSON inside of a text, as services wrap what other services said."""
    if isinstance(value, str) and value[:1] in "{[" and len(value) < _READ:
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            return value
    return value


def _said(value: Any, text: str) -> str:
    """The sentence in an error; "" where it holds none."""
    found = _sentence(value, 0) if value is not None else ""
    line = found or show.first_line(text if value is None else text.partition("{")[0])
    line = _ERROR_NAME.sub("", " ".join(line.split())).strip(" :")
    return line[:_SHOWN]


def _sentence(value: Any, depth: int) -> str:
    value = _opened(value)
    if isinstance(value, str):
        return value if show.visible(value) else ""
    if depth > _DEEPEST:
        return ""
    if isinstance(value, list):
        return next((told for inner in value[:3] if (told := _sentence(inner, depth + 1))), "")
    if not isinstance(value, dict):
        return ""
    nested = [key for key in _MESSAGES if isinstance(_opened(value.get(key)), dict | list)]
    plain = [key for key in _MESSAGES if isinstance(value.get(key), str) and key not in nested]
    inner = next((told for key in nested if (told := _sentence(value[key], depth + 1))), "")
    own = next((value[key] for key in plain if show.visible(value[key])), "")
    # What the inner service said is nearer to the cause than "Request failed with status code 400" around it.
    return inner if inner and (not own or " " in inner) else own


def _without_request(value: Any, text: str) -> str:
    """The error without what was sent, whose words are not the service's; nor the stack, which names files."""
    if isinstance(value, dict):
        kept = {key: inner for key, inner in value.items() if key not in _HIDDEN}
        return json.dumps(kept, ensure_ascii=False, default=str)
    return "\n".join(line for line in text.splitlines() if not re.match(r"\s+at ", line))
