"""Apps by the names used on pages: the engine's pieces (api.md section 11), requested once and cached; their names, and
initials where there is no logo (logos.py).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache, partial
from typing import TypedDict

from django.utils.safestring import SafeString

from workflows_ui.core import formats
from workflows_ui.core.collation import sort_key
from workflows_ui.core.paths import text_at
from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.engine import NotFound
from workflows_ui.engine_objects.pieces import Piece
from workflows_ui.pieces.logos import logo_path
from workflows_ui.resource_admin.resource import Column, Row
from workflows_ui.web import elements

#: Seconds for which the list of pieces, and each piece, is cached: they change when somebody installs one.
REMEMBERED = 600
#: The name under which the list is cached.
CATALOGUE = "apps"
_COLOURS = ("blue", "azure", "indigo", "purple", "pink", "red", "orange", "yellow", "lime", "green", "teal", "cyan")
_LONGEST = 2000
#: The number of marks in a row of a list.
_SHOWN = 6
#: Parts that 0.83 sends with an app in every language, and for builders of steps (recording `piece_get`): larger than all the rest.
_LEFT_OUT = frozenset({"i18n", "contextInfo"})


class App(TypedDict):
    """A piece in the catalogue: `actions` and `triggers` are counts, `auth` the types of the connections that it takes, `logo` the
    console's own address of its logo ("" for none).
    """

    name: str
    displayName: str
    description: str
    version: str
    categories: list[str]
    logoUrl: str
    logo: str
    actions: int
    triggers: int
    auth: list[str]


@dataclass(frozen=True)
class Mark:
    """An app's name, and one or two letters on a colour of Tabler's; above them the logo, if the console fetches logos."""

    text: str
    initials: str
    colour: str
    logo: str = ""

    def __str__(self) -> str:
        return self.text

    @cached_property
    def small(self) -> SafeString:
        """The mark as HTML, for rows that have several."""
        return elements.app_mark(formats.cut(self.text, 100), self.initials, self.colour, self.logo)


def marks_html(marks: Sequence[Mark]) -> SafeString:
    """The first of several marks as HTML, and the number of the others."""
    return elements.app_marks([mark.small for mark in marks[:_SHOWN]], len(marks) - _SHOWN)


#: A column whose value is a Mark.
mark_column = partial(Column, template_name="pieces/mark.html")


def catalogue(session: EngineSession) -> list[App]:
    """All pieces by name, in one call at most (the engine gives them whole, recording `pieces_limit_param_ignored`). Raises EngineError."""
    return session.remember(CATALOGUE, REMEMBERED, lambda: _load_catalogue(session))


def catalogue_or_none(session: EngineSession) -> list[App]:
    """As `catalogue`, for names only: empty if the engine does not give it."""
    return session.remember_or([], CATALOGUE, REMEMBERED, lambda: _load_catalogue(session))


def piece(session: EngineSession, name: str, version: str = "") -> dict[str, object]:
    """As `fetch_app`, cached."""
    return session.remember(f"piece:{name}:{version}", REMEMBERED, lambda: fetch_app(session, name, version))


def piece_or_empty(session: EngineSession, name: str, version: str = "") -> dict[str, object]:
    """As `piece`, for details of a page: {} if the engine refuses the call."""
    return session.remember_or({}, f"piece:{name}:{version}", REMEMBERED, lambda: fetch_app(session, name, version))


def fetch_app(session: EngineSession, name: str, version: str = "") -> dict[str, object]:
    """One piece with its actions, triggers and the schema of its connection; the newest version by default.

    Raises EngineError, NotFound also for a version that does not exist (recording `piece_get_unknown_version`).
    """
    if not all(part.strip(" .") for part in name.split("/")):
        raise NotFound("No piece has such a name.", code="ENTITY_NOT_FOUND")
    row = session.workflows.get_piece(name, version or None)
    return {key: value for key, value in row.items() if key not in _LEFT_OUT}


def names(session: EngineSession) -> dict[str, str]:
    """Display names by the pieces' whole names; empty if the engine does not give them."""
    return {row["name"]: title(row) for row in catalogue_or_none(session)}


def names_of_operations(session: EngineSession, name: str, kind: str) -> dict[str, str]:
    """Display names of a piece's `actions` or `triggers` by their names; empty if the engine does not have it."""
    found = Piece(piece_or_empty(session, name)).operations(kind)
    return {key: operation.display_name for key, operation in found.items()}


def title(row: Row) -> str:
    """An app's name; a short form of its whole name if it has no other."""
    piece = Piece(row)
    return piece.display_name if formats.visible(piece.display_name) else short(piece.name)


def short(name: str) -> str:
    """`Google Sheets` for `@activepieces/piece-google-sheets`."""
    return name.rpartition("/")[2].removeprefix("piece-").replace("-", " ").title() or name


@lru_cache(maxsize=4096)
def mark(text: str, logo: str = "") -> Mark:
    """The mark of an app of this name; the same name always has the same colour."""
    words = [word for word in text.split() if word[0].isalnum()]
    letters = words[0][0] + words[1][0] if len(words) > 1 else (words[0][:2] if words else text.strip()[:1])
    return Mark(text, letters.upper() or "?", _COLOURS[sum(text.encode("utf-8", "replace")) % len(_COLOURS)], logo)


def mark_of(row: Row) -> Mark:
    return mark(title(row), text_at(row, "logo"))


def _load_catalogue(session: EngineSession) -> list[App]:
    apps = [_summary(session, Piece(row)) for row in session.workflows.list_pieces()]
    return sorted(
        {app["name"]: app for app in apps if app["name"]}.values(), key=lambda app: (sort_key(title(app)), app["name"])
    )


def _summary(session: EngineSession, piece: Piece) -> App:
    return {
        "name": piece.name[:_LONGEST],
        "displayName": piece.display_name[:_LONGEST],
        "description": piece.description[:_LONGEST],
        "version": piece.version[:_LONGEST],
        "categories": piece.categories,
        "logoUrl": piece.logo_url[:_LONGEST],
        "logo": logo_path(session, piece),
        "actions": piece.number_of_actions or 0,
        "triggers": piece.number_of_triggers or 0,
        "auth": [schema.type for schema in piece.auths],
    }
