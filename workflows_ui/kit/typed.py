"""What a person had typed into a form whose POST was refused, so that the page which says so can give it back."""

import re
from dataclasses import dataclass

from django.http import HttpRequest

_SECRET = re.compile(r"secret|password|token|key|code|ticket", re.IGNORECASE)
_LONGEST = 200_000
_MOST = 100


@dataclass(frozen=True)
class Typed:
    """One field: its name as the form has it, and its text."""

    name: str
    text: str


def values(request: HttpRequest) -> list[Typed]:
    """The posted fields that hold something, without secrets (they never come back to a page) and without machinery."""
    found = []
    for name, texts in list(request.POST.lists())[:_MOST]:
        if _SECRET.search(name) or name == "next" or name.startswith("_"):
            continue
        text = "\n".join(str(text) for text in texts)
        if text.strip():
            found.append(Typed(name, text[:_LONGEST]))
    return found
