"""Walks through the console as a person with every link would, and looks at each page for what an attack has made of it."""

import functools
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urldefrag, urljoin, urlsplit

from django.http.response import HttpResponseBase
from django.test import Client
from django.urls import Resolver404, resolve

MARK = "xss1337"
_LINKS = {
    "href",
    "src",
    "action",
    "formaction",
    "poster",
    "data",
    "srcdoc",
    "xlink:href",
    "hx-get",
    "hx-post",
    "hx-delete",
}
_SCHEME = re.compile(r"^[\x00-\x20]*(javascript|vbscript|data)[\x00-\x20]*:", re.IGNORECASE)
_VOID = re.compile(r"[\t\r\n]")
_ENDING = ("account_logout",)


class _Look(HTMLParser):
    """Gathers links and faults of one page."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.faults: list[str] = []
        self.links: list[tuple[str, str]] = []
        self._script = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if MARK in tag:
            self.faults.append(f"an element of the attack: {tag}")
        for name, value in given.items():
            if MARK in name or name.startswith(("on", "hx-on", "data-hx-on")):
                self.faults.append(f"an attribute of the attack: <{tag} {name}>")
            if name in _LINKS and _SCHEME.match(_VOID.sub("", value)) and not (tag == "img" and name == "src"):
                self.faults.append(f"a link that runs: <{tag} {name}={value[:40]!r}>")
            if name in {"hx-vals", "hx-headers"} and value.lstrip().startswith(("js:", "javascript:")):
                self.faults.append(f"values that run: <{tag} {name}>")
        if tag == "base" or (tag == "meta" and "evil" in given.get("content", "")):
            self.faults.append(f"an element that leads elsewhere: {tag}")
        if tag in {"script", "style"}:
            self._script = given.get("type", "text/javascript")
        if tag == "a" and "href" in given:
            self.links.append((given["href"], ""))
        if "hx-get" in given:
            target = given.get("hx-target", "") or f"#{given.get('id', '')}"
            self.links.append((given["hx-get"], target.lstrip("#")))

    def handle_endtag(self, tag: str) -> None:
        if tag in {"script", "style"}:
            self._script = ""

    def handle_data(self, data: str) -> None:
        if self._script and self._script != "application/json" and MARK in data:
            self.faults.append("a script that holds the attack")
        if "1337ssti" in data:
            self.faults.append("a template that was run")


def look(answer: HttpResponseBase) -> _Look:
    """What one answer holds: links, and whatever an attack has made of it."""
    found = _Look()
    content = getattr(answer, "content", b"")
    kind = answer.get("Content-Type", "")
    if kind.startswith("text/html"):
        found.feed(content.decode("utf-8", "replace"))
        found.close()
    elif content and answer.status_code == 200:
        # Plain text stays plain text where a browser may not guess.
        plain = kind.startswith("text/plain") and answer.get("X-Content-Type-Options") == "nosniff"
        is_download = answer.get("Content-Disposition", "").startswith("attachment")
        if not is_download and not plain and b"<" in content:
            found.faults.append(f"{kind} is shown, not kept")
        # A workbook's type has "xml" in its name, but it is a package that no browser shows.
        is_workbook = is_download and kind.startswith("application/vnd.openxmlformats-officedocument.spreadsheetml.")
        if re.search(r"html|svg|xml|javascript", kind) and not is_workbook:
            found.faults.append(f"{kind} is run by browsers")
    for name, value in answer.headers.items():
        if MARK in name or "\r" in value or "\n" in value:
            found.faults.append(f"a header of the attack: {name}")
    return found


@dataclass(frozen=True)
class Step:
    """One request of a walk: what was answered, and the page whose link it followed, "" for the first."""

    url: str
    kind: str
    origin: str
    answer: HttpResponseBase
    found: _Look


def steps(browser: Client, starts: Iterable[str], *, each: int = 1, from_each: bool = False) -> Iterator[Step]:
    """Follows every link, each kind of address so many times; with `from_each`, so many times from each kind of page."""
    waiting = [(start, "", "") for start in starts]
    seen: Counter[str] = Counter()
    followed: set[tuple[str, str]] = set()
    while waiting:
        url, target, origin = waiting.pop(0)
        kind = _kind(url)
        counted = f"{kind} {target} {_kind(origin) if from_each else ''}"
        if not kind or kind in _ENDING or (url, target) in followed or seen[counted] >= each:
            continue
        followed.add((url, target))
        seen[counted] += 1
        headers: dict[str, Any] = {"HX-Request": "true", "HX-Target": target} if target else {}
        answer = browser.get(url, headers=headers)
        found = look(answer)
        yield Step(url, kind, origin, answer, found)
        here = str(url)
        waiting += [(urldefrag(urljoin(here, link))[0], its, here) for link, its in found.links]
        if answer.has_header("Location"):
            waiting.append((urljoin(here, answer["Location"]), "", here))


def walk(browser: Client, starts: Iterable[str], *, each: int = 1) -> tuple[dict[str, list[str]], Counter[str]]:
    """Follows every link, each kind of address so many times; faults by address, and how often each kind was answered with a page."""
    shown: Counter[str] = Counter()
    faults: dict[str, list[str]] = {}
    for step in steps(browser, starts, each=each):
        assert step.answer.status_code != 500, step.url
        shown[step.kind] += step.answer.status_code == 200
        if step.found.faults:
            faults[step.url] = sorted(set(step.found.faults))
    return faults, shown


@functools.cache
def _kind(url: str) -> str:
    """The name of an address, with its resource, action, tab and what it asks for, places in lists aside; "" for one that is not ours."""
    parts = urlsplit(url)
    if parts.netloc not in {"", "testserver"} or parts.scheme not in {"", "http"}:
        return ""
    try:
        found = resolve(parts.path)
    except Resolver404:
        return ""
    named = [str(found.kwargs.get(name, "")) for name in ("resource", "action", "kind")]
    return " ".join(
        [
            str(found.url_name),
            *named,
            *sorted({*re.findall(r"(\w+)=", parts.query)} - {"rows", "at"}),
            *re.findall(r"\btab=([\w-]+)", parts.query),
        ]
    ).strip()
