"""Icons: a sprite of those in use, made of the Lucide package, and the markup that shows one."""

import difflib
import functools
import importlib.resources
import io
import re
import zipfile
from pathlib import Path

from django.templatetags.static import static
from django.utils.safestring import SafeString

from workflows_ui.web.markup import markup

SPRITE = "icons.svg"
LIST = Path(__file__).with_suffix(".txt")
#: The icons in use, by Lucide's names (https://lucide.dev/icons). A test compares them with templates and declarations.
NAMES = frozenset(LIST.read_text(encoding="ascii").split())


@functools.cache
def icon(name: str, classes: str = "") -> SafeString:
    """The markup of an icon, which says nothing to a screen reader. Raises LookupError if the sprite does not have it."""
    return markup(
        '<svg class="icon{}" aria-hidden="true"><use href="{}"></use></svg>',
        f" {classes}" if classes else "",
        icon_url(name),
    )


@functools.cache
def icon_url(name: str) -> str:
    """The address of an icon, for drawings that place it themselves. Raises LookupError if the sprite does not have it."""
    if name not in NAMES:
        raise LookupError(unknown(name))
    return f"{static(SPRITE)}#{name}"


def unknown(name: str) -> str:
    """A sentence that the sprite does not have this icon."""
    return f"web/icons.txt has no icon {name!r}."


def advice(name: str) -> str:
    """How to replace the name of an unknown icon: near names, if there are some, and where others are found."""
    near = difflib.get_close_matches(name, NAMES)
    instead = f"Did you mean {' or '.join(near)}? " if near else ""
    return f"{instead}Choose a name of the file, or add one of https://lucide.dev/icons to it."


def sprite() -> bytes:
    """The sprite. What the icons share (colour, width of lines) is in app.css, so that one can be filled."""
    package = importlib.resources.files("lucide") / "lucide.zip"
    with zipfile.ZipFile(io.BytesIO(package.read_bytes())) as archive:
        symbols = [_symbol(name, archive.read(f"{name}.svg").decode()) for name in sorted(NAMES)]
    return f'<svg xmlns="http://www.w3.org/2000/svg">{"".join(symbols)}</svg>\n'.encode()


def _symbol(name: str, source: str) -> str:
    shapes = re.sub(r"\s*\n\s*", "", source[source.index(">") + 1 : source.rindex("</svg>")])
    return f'<symbol id="{name}" viewBox="0 0 24 24">{shapes.replace(" />", "/>")}</symbol>'
