"""Static files: hashed names, compressed when they are collected; the sprite of icons is made when it is looked for."""

import atexit
import functools
import importlib.resources
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

from django.contrib.staticfiles.finders import BaseStorageFinder
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
