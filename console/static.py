"""Static files: hashed names, compressed when they are collected; the sprite of icons is made when it is looked for; of the code editor's
package only what is used.
"""

import atexit
import functools
import importlib.resources
import importlib.util
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.contrib.staticfiles.finders import BaseFinder, BaseStorageFinder
from django.core.files.storage import FileSystemStorage
from whitenoise.storage import CompressedManifestStaticFilesStorage

from workflows_ui.web import icons


class ManifestStorage(CompressedManifestStaticFilesStorage):
    """Ignores references to source maps: the Tabler package has none, and collecting would fail."""

    support_js_module_import_aggregation = False
    patterns = (("*.css", (r"""(?P<matched>url\(['"]{0,1}\s*(?P<url>.*?)["']{0,1}\))""",)),)


class IconFinder(BaseStorageFinder):
    """Finds the sprite of icons."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.storage = FileSystemStorage(_sprite_folder())
        super().__init__(*args, **kwargs)


@functools.cache
def _sprite_folder() -> str:
    """Write the sprite into a folder of this process. It is as old as its sources: `make run` collects what is newer."""
    folder = tempfile.mkdtemp(prefix="console-icons-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    path = Path(folder) / icons.SPRITE
    path.write_bytes(icons.sprite())
    with importlib.resources.as_file(importlib.resources.files("lucide") / "lucide.zip") as package:
        changed = max(source.stat().st_mtime for source in (icons.LIST, package))
    os.utime(path, (changed, changed))
    return folder


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
