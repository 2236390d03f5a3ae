"""Apps as pages call them: the engine's pieces (api.md section 11), asked for once and remembered; their names, and initials for a logo.

Logos lie on other people's servers, which would learn who looks at what: no page loads them.
"""

from dataclasses import dataclass
from typing import Any

from workflows_ui.engine import NotFound
from workflows_ui.kit import show
from workflows_ui.kit.caller import Caller
from workflows_ui.kit.resource import Column, Row

#: Seconds for which the list of pieces, and each piece, is remembered: they change when somebody installs one.
REMEMBERED = 600
_COLOURS = ("blue", "azure", "indigo", "purple", "pink", "red", "orange", "yellow", "lime", "green", "teal", "cyan")
_KEPT = ("id", "name", "displayName", "description", "version", "categories", "pieceType", "updated")
_LONGEST = 2000


@dataclass(frozen=True)
class Mark:
    """An app's name with what stands for its logo: one or two letters on a colour of Tabler's."""

    text: str
    initials: str
    colour: str

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class MarkColumn(Column):
    """A column whose value is a Mark."""

    @property
    def template(self) -> str:
        """Initials and name."""
        return "pieces/mark.html"


def catalogue(caller: Caller) -> list[dict[str, Any]]:
    """All pieces by name, in one call at most (the engine gives them whole, recording `pieces_limit_param_ignored`).

    Each has `name`, `displayName`, `description`, `version`, `categories`, `actions` and `triggers` (counts), `auth` (a list of the
    kinds of connection it takes). Raises EngineError.
    """
    return caller.remember("pieces", REMEMBERED, lambda: _listed(caller))


def catalogue_or_none(caller: Caller) -> list[dict[str, Any]]:
    """As `catalogue`, for names only: empty where the engine does not give it."""
    nothing: list[dict[str, Any]] = []
    return caller.remember_or(nothing, "pieces", REMEMBERED, lambda: _listed(caller))


def piece(caller: Caller, name: str) -> dict[str, Any]:
    """As `asked`, remembered: for the schema of its connection."""
    return caller.remember(f"piece:{name}", REMEMBERED, lambda: asked(caller, name))


def asked(caller: Caller, name: str) -> dict[str, Any]:
    """One piece with its actions, triggers and the schema of its connection. Raises EngineError."""
    if not all(part.strip(" .") for part in name.split("/")):
        raise NotFound("No piece has such a name.", code="ENTITY_NOT_FOUND")
    return dict(caller.workflows.get_piece(name))


def names(caller: Caller) -> dict[str, str]:
    """Display names by the pieces' whole names; empty where the engine does not give them."""
    return {row["name"]: title(row) for row in catalogue_or_none(caller)}


def title(row: Row) -> str:
    """What an app is called; a short form of its whole name where it has no other."""
    found = row.get("displayName")
    return found if show.visible(found) else short(row.get("name"))


def short(name: object) -> str:
    """`Google Sheets` for `@activepieces/piece-google-sheets`; empty for what is no text."""
    if not isinstance(name, str):
        return ""
    return name.rpartition("/")[2].removeprefix("piece-").replace("-", " ").title() or name


def mark(text: str) -> Mark:
    """The mark of an app of this name; the same name has the same colour always."""
    words = [word for word in text.split() if word[0].isalnum()]
    letters = words[0][0] + words[1][0] if len(words) > 1 else (words[0][:2] if words else text.strip()[:1])
    return Mark(text, letters.upper() or "?", _COLOURS[sum(text.encode("utf-8", "replace")) % len(_COLOURS)])


def auths(auth: object) -> list[dict[str, Any]]:
    """The ways in which a piece may be connected: none, one, or (newer pieces) several."""
    listed = auth if isinstance(auth, list) else [auth]
    return [one for one in listed if isinstance(one, dict) and isinstance(one.get("type"), str)]


def _listed(caller: Caller) -> list[dict[str, Any]]:
    found = {}
    for row in caller.workflows.list_pieces():
        name = row.get("name")
        if isinstance(name, str) and name:
            found[name] = _summary(row)
    return sorted(found.values(), key=lambda row: (title(row).casefold(), row["name"]))


def _summary(row: Row) -> dict[str, Any]:
    kept = {key: _cut(row.get(key)) for key in _KEPT}
    kinds = [one["type"] for one in auths(row.get("auth"))]
    return kept | {"actions": _count(row.get("actions")), "triggers": _count(row.get("triggers")), "auth": kinds}


def _cut(value: Any) -> Any:
    return value[:_LONGEST] if isinstance(value, str) else value


def _count(value: Any) -> int:
    """Counts come as numbers in the list, as maps in a whole piece (api.md 11.1)."""
    if isinstance(value, dict | list):
        return len(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else 0
