"""What goes with a launch beside its values: files, looked at before they are taken, and inputs kept in plain text to be found by."""

import hashlib
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from workflows_ui.engine import Upload
from workflows_ui.models import Launch, LaunchFile, LaunchInput
from workflows_ui.services import database, masking

#: Bytes of one file where its field says nothing, and of all files of a launch: the engine takes 25 MiB a request (api.md 4).
LARGEST_FILE = 10 * 1024 * 1024
LARGEST_TOGETHER = 20 * 1024 * 1024
MOST_FILES = 20
#: Letters of a searchable input that are kept.
SEARCHED = 200
_NAME = 150

#: Types that are said to the engine, by the file's ending. Everything else is bytes.
_TYPES = {
    "csv": "text/csv",
    "doc": "application/msword",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "gif": "image/gif",
    "jpeg": "image/jpeg",
    "jpg": "image/jpeg",
    "json": "application/json",
    "pdf": "application/pdf",
    "png": "image/png",
    "txt": "text/plain",
    "webp": "image/webp",
    "xls": "application/vnd.ms-excel",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "xml": "application/xml",
    "zip": "application/zip",
}
#: How files of some types begin: an ending that lies is found out.
_BEGINNINGS: dict[str, tuple[bytes, ...]] = {
    "docx": (b"PK",),
    "gif": (b"GIF87a", b"GIF89a"),
    "jpeg": (b"\xff\xd8\xff",),
    "jpg": (b"\xff\xd8\xff",),
    "pdf": (b"%PDF-",),
    "png": (b"\x89PNG\r\n\x1a\n",),
    "webp": (b"RIFF",),
    "xlsx": (b"PK",),
    "zip": (b"PK",),
}
_UNWANTED = re.compile(r"[\x00-\x1f\x7f\"<>:|?*\\/]+")


@dataclass(frozen=True)
class Attached:
    """A file as it goes with a launch. `key` is where the engine puts its address."""

    key: str
    name: str
    content_type: str
    data: bytes = field(repr=False)


def clean_name(name: str) -> str:
    """A file's name without folders, control letters and what file systems refuse; at most 150 letters, its ending kept."""
    last = re.split(r"[\\/]", unicodedata.normalize("NFC", name))[-1]
    # Letters that turn the reading direction make "exe.pdf" out of "fdp.exe".
    plain = "".join(letter for letter in last if unicodedata.category(letter) not in ("Cf", "Cc", "Cs", "Co", "Cn"))
    plain = _UNWANTED.sub("_", plain).strip(" ._") or "file"
    stem, dot, ending = plain.rpartition(".")
    if not dot or len(ending) > 10:
        return plain[:_NAME]
    return f"{stem[: _NAME - len(ending) - 1]}.{ending}"


def ending_of(name: str) -> str:
    """A file's ending in small letters, without the dot; "" where it has none."""
    stem, dot, ending = name.rpartition(".")
    return ending.lower() if dot and stem else ""


def type_of(name: str) -> str:
    """The content type that a file's ending stands for."""
    return _TYPES.get(ending_of(name), "application/octet-stream")


def lies(name: str, data: bytes) -> bool:
    """Whether a file is not what its ending says, as far as its first bytes tell: a picture, a PDF, an archive."""
    beginnings = _BEGINNINGS.get(ending_of(name))
    return beginnings is not None and not data.startswith(beginnings)


def with_marks(payload: Any, files: Iterable[Attached]) -> Any:
    """What tells two launches apart: their values and, where there are files, what is in those."""
    marks = [[file.key, file.name, hashlib.sha256(file.data).hexdigest()] for file in files]
    return [payload, marks] if marks else payload


def keep(launch: Launch, files: Iterable[Attached]) -> None:
    """Writes down, sealed, the files of a launch that is being asked for."""
    for file in files:
        row = LaunchFile(
            launch=launch, key=file.key, name=file.name, content_type=file.content_type, size=len(file.data)
        )
        row.data = row.seal_bytes("data", file.data)
        row.save(force_insert=True)


def opened(launch: Launch) -> tuple[Upload, ...]:
    """The files of a launch as the client sends them. Raises crypto.CannotOpen."""
    return tuple(
        Upload(row.key, row.name, row.content_type, row.open_bytes("data")) for row in launch.files.order_by("key")
    )


def keep_searchable(launch: Launch, inputs: Iterable[tuple[str, str, str]]) -> None:
    """Writes down inputs in plain text: name of the field, label, text. A key of the workspace is masked."""
    mask = masking.of(launch.workspace)
    LaunchInput.objects.bulk_create(
        LaunchInput(
            launch=launch,
            name=name,
            label=database.storable(label)[:SEARCHED],
            text=database.storable(mask.text(text))[:SEARCHED],
        )
        for name, label, text in inputs
        if text.strip()
    )
