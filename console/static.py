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

from workflows_ui.web import icons

#: The style sheet of all pages.
STYLES = "console.css"


class ManifestStorage(CompressedManifestStaticFilesStorage):
    """Ignores references to source maps: the Tabler package has none, and collecting would fail."""

    support_js_module_import_aggregation = False
    patterns = (("*.css", (r"""(?P<matched>url\(['"]{0,1}\s*(?P<url>.*?)["']{0,1}\))""",)),)


class GeneratedFinder(BaseStorageFinder):
    """Finds what is made of other files: the sprite of icons, and the style sheet of all pages, which is Tabler's and the console's own."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.storage = FileSystemStorage(_generated_folder())
        super().__init__(*args, **kwargs)

    def find(self, path: str, *args: Any, **kwargs: Any) -> Any:
        if path == STYLES:
            _write_styles(_generated_folder())
        return super().find(path, *args, **kwargs)


@functools.cache
def _generated_folder() -> Path:
    """Write the files into a folder of this process. Each is as old as its sources: `make run` collects what is newer."""
    folder = Path(tempfile.mkdtemp(prefix="console-static-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    with importlib.resources.as_file(importlib.resources.files("lucide") / "lucide.zip") as package:
        _write(folder / icons.SPRITE, icons.sprite(), (icons.LIST, package))
    _write_styles(folder)
    return folder


def _write_styles(folder: Path) -> None:
    """Write the style sheet if a source has changed, as it does while somebody works on it."""
    path, changed = folder / STYLES, _changed(_STYLES)
    if not path.exists() or path.stat().st_mtime_ns != changed:
        _write(path, b"\n".join(source.read_bytes() for source in _STYLES), _STYLES)


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
