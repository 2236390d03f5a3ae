"""Static files: hashed names, compressed when they are collected; the sprite of icons and the style sheet, which are made of other files
when they are looked for; of the code editor's package only what is used.
"""

import atexit
import functools
import importlib.resources
import importlib.util
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from django.contrib.staticfiles.finders import BaseFinder, BaseStorageFinder
from django.core.files.storage import FileSystemStorage
from whitenoise.storage import CompressedManifestStaticFilesStorage

from console.style_sheet import style_sheet, words
from workflows_ui.web import icons

#: The style sheet of all pages.
STYLES = "console.css"


class ManifestStorage(CompressedManifestStaticFilesStorage):
    """Ignores references to source maps: the Tabler package has none, and collecting would fail."""

    support_js_module_import_aggregation = False
    patterns = (("*.css", (r"""(?P<matched>url\(['"]{0,1}\s*(?P<url>.*?)["']{0,1}\))""",)),)


class GeneratedFinder(BaseStorageFinder):
    """Finds what is made of other files: the sprite of icons, and the style sheet of all pages (`console/style_sheet.py`)."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.storage = FileSystemStorage(_generated_folder())
        super().__init__(*args, **kwargs)

    def find(self, path: str, *args: Any, **kwargs: Any) -> Any:
        if path == STYLES:
            _write_styles(_generated_folder())
        return super().find(path, *args, **kwargs)

    def list(self, ignore_patterns: Any) -> Any:
        _write_styles(_generated_folder())
        return super().list(ignore_patterns)


@functools.cache
def _generated_folder() -> Path:
    """Write the files into a folder of this process. Each is as old as its sources: `collectstatic` copies what is newer."""
    folder = Path(tempfile.mkdtemp(prefix="console-static-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    with importlib.resources.as_file(importlib.resources.files("lucide") / "lucide.zip") as package:
        _write(folder / icons.SPRITE, icons.sprite(), (icons.LIST, package))
    return folder


def _write_styles(folder: Path) -> None:
    """Write the style sheet if a source has changed, as it does while somebody works on it."""
    sources = sorted(_markup())
    path, changed = folder / STYLES, _changed([*_STYLES, *sources])
    if not path.exists() or path.stat().st_mtime_ns != changed:
        names = words(source.read_text(encoding="utf-8") for source in sources)
        package, own = (source.read_text(encoding="utf-8") for source in _STYLES)
        _write(path, style_sheet(package, own, names).encode(), [*_STYLES, *sources])


def _markup() -> Iterator[Path]:
    """The files whose elements are styled: templates, modules and scripts."""
    root = Path(__file__).parents[1]
    yield from (root / "templates").rglob("*.html")
    yield from (root / "workflows_ui").rglob("*.py")
    yield from (root / "static").glob("*.js")
    yield from (_package_folder("django") / "forms/templates").rglob("*.html")
    yield from (_package_folder("django") / "contrib/admin/templates").rglob("*.html")
    fields = _package_folder("crispy_bootstrap5") / "templates/bootstrap5"
    yield from (fields / f"{name}.html" for name in _FIELD_TEMPLATES)


def _write(path: Path, content: bytes, sources: Iterable[Path]) -> None:
    changed = _changed(sources)
    path.write_bytes(content)
    os.utime(path, ns=(changed, changed))


def _changed(sources: Iterable[Path]) -> int:
    return max(source.stat().st_mtime_ns for source in sources)


class CodeEditorFinder(BaseFinder):
    """Finds the files of the Ace editor below `vendor/ace/`: five of three hundred, and the pictures of its style sheet."""

    prefix = "vendor/ace"
    files = ("ace.js", "ext-searchbox.js", "mode-json.js", "mode-typescript.js", "css/ace.css", "css/main-*")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.storage = FileSystemStorage(_package_folder("django_ace") / "static/django_ace/ace")
        # Django's finders add the attribute, too; collectstatic puts the files below it.
        self.storage.prefix = self.prefix  # type: ignore[attr-defined]

    def check(self, **kwargs: Any) -> list[Any]:
        return []

    def find(self, path: str, find_all: bool = False, **kwargs: Any) -> Any:
        names = {f"{self.prefix}/{name}": name for name in self._names()}
        if path not in names:
            return []
        found = self.storage.path(names[path])
        return [found] if find_all else found

    def list(self, ignore_patterns: Any) -> Iterator[tuple[str, FileSystemStorage]]:
        return ((name, self.storage) for name in self._names())

    def _names(self) -> Iterator[str]:
        folder = Path(self.storage.location)
        return (str(path.relative_to(folder)) for pattern in self.files for path in folder.glob(pattern))


def _package_folder(name: str) -> Path:
    """The folder of an installed package, which is not imported."""
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError(name)
    return Path(spec.submodule_search_locations[0])


_STYLES = (
    _package_folder("jazzy_tabler") / "static/vendor/tabler/css/tabler.min.css",
    Path(__file__).parents[1] / "static/app.css",
)
#: The templates of crispy-bootstrap5 that show a form and its fields; others are for layouts of its own, such as accordions.
_FIELD_TEMPLATES = (
    *("errors", "field", "uni_form", "layout/attrs", "layout/field_errors", "layout/field_errors_block"),
    *("layout/field_file", "layout/help_text", "layout/help_text_and_errors", "layout/radio_checkbox_select"),
)
