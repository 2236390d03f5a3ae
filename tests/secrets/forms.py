"""The forms of a page, filled in as a person would who has something to hide: each password field gets a secret of its own."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

#: What is typed into a field that must not stay empty, by its type; anything else is a text.
_TYPED = {
    "email": "somebody@example.com",
    "number": "3",
    "url": "https://example.com/",
    "date": "2030-01-01",
    "datetime-local": "2030-01-01T10:00",
}
_UNSENT = {"submit", "button", "reset", "image", "file"}


@dataclass
class Form:
    """One form: where it goes, and its values; those in `secret` were made up and are nowhere else."""

    action: str
    values: dict[str, Any] = field(default_factory=dict)
    secret: set[str] = field(default_factory=set)


class _Forms(HTMLParser):
    def __init__(self, here: str, named: str) -> None:
        super().__init__()
        self.here, self.named = here, named
        self.found: list[Form] = []
        self._form: Form | None = None
        self._select = self._text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._form = Form(given.get("action") or self.here)
            if given.get("method", "get").lower() == "post":
                self.found.append(self._form)
        elif self._form is not None and "disabled" not in given:
            self._field(tag, given, self._form)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None
        if tag == "select":
            self._select = ""
        if tag == "textarea":
            self._text = ""

    def handle_data(self, data: str) -> None:
        if self._text and self._form is not None:
            self._form.values[self._text] = self._form.values.get(self._text, "") + data.lstrip("\n")

    def _field(self, tag: str, given: dict[str, str], form: Form) -> None:
        name, kind = given.get("name", ""), given.get("type", "text")
        if tag == "textarea" and name:
            self._text = name
            if "required" in given:
                form.values[name] = ""
        elif tag == "select" and name:
            self._select = name
        elif tag == "option" and self._select and ("selected" in given or not form.values.get(self._select)):
            form.values[self._select] = given.get("value", "")
        elif tag == "input" and name and kind not in _UNSENT:
            self._input(name, kind, given, form)

    def _input(self, name: str, kind: str, given: dict[str, str], form: Form) -> None:
        if kind == "password":
            form.values[name] = f"{self.named}-{len(form.secret)}-/+&<ß"
            form.secret.add(form.values[name])
        elif kind in {"checkbox", "radio"}:
            if "checked" in given or ("required" in given and name not in form.values):
                form.values[name] = given.get("value", "on")
        elif given.get("value") or "required" in given or name == "reason":
            form.values[name] = given.get("value") or _TYPED.get(kind, "Something new")


def filled(page: str, here: str, named: str) -> Iterator[Form]:
    """The forms of a page that write, filled in; `named` is in each secret that is typed."""
    found = _Forms(here, named)
    found.feed(page)
    found.close()
    for form in found.found:
        for name, value in form.values.items():
            if value == "":
                form.values[name] = "Something new"
        yield form
