"""Files sent with a launch's values, with checks of their names and contents, and inputs stored in plain text for searching."""

import hashlib
import json
import re
import unicodedata
from collections.abc import Iterable

from django.utils.crypto import salted_hmac

from workflows_ui.core import database, masking
from workflows_ui.core.prepared import Prepared
from workflows_ui.core.secret_names import mask_text
from workflows_ui.engine import Upload
from workflows_ui.launches.models import Launch, LaunchFile, LaunchInput

MOST_FILES = 20
#: Characters of a searchable input that are stored.
SEARCHED = 200
_NAME = 150

#: Content types sent to the engine, by file extension. All others are sent as application/octet-stream.
CONTENT_TYPES = {
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
#: Signatures of some file types, to detect a wrong extension.
_SIGNATURES: dict[str, bytes | tuple[bytes, ...]] = {
    **dict.fromkeys(("docx", "xlsx", "zip"), b"PK"),
    **dict.fromkeys(("jpeg", "jpg"), b"\xff\xd8\xff"),
    "gif": (b"GIF87a", b"GIF89a"),
    "pdf": b"%PDF-",
    "png": b"\x89PNG\r\n\x1a\n",
    "webp": b"RIFF",
}
_UNWANTED = re.compile(r"[\x00-\x1f\x7f\"<>:|?*\\/]+")


def clean_name(name: str) -> str:
    """A file's name without folders, control characters and those that file systems refuse; at most 150 characters, extension kept."""
    last = re.split(r"[\\/]", unicodedata.normalize("NFC", name))[-1]
    # Characters that reverse the reading direction display "fdp.exe" as "exe.pdf".
    plain = "".join(
        character for character in last if unicodedata.category(character) not in ("Cf", "Cc", "Cs", "Co", "Cn")
    )
    plain = _UNWANTED.sub("_", plain).strip(" ._") or "file"
    stem, dot, extension = plain.rpartition(".")
    if not dot or len(extension) > 10:
        return plain[:_NAME]
    return f"{stem[: _NAME - len(extension) - 1]}.{extension}"


def file_extension(name: str) -> str:
    """A file's extension in lower case, without the dot, or ""."""
    stem, dot, extension = name.rpartition(".")
    return extension.lower() if dot and stem else ""


def has_wrong_content(name: str, data: bytes) -> bool:
    """Whether a picture, PDF or archive does not begin with the signature of its extension."""
    signatures = _SIGNATURES.get(file_extension(name))
    return signatures is not None and not data.startswith(signatures)


def digest(flow_id: str, payload: object, files: Iterable[Upload] = ()) -> str:
    """A keyed digest of a launch's flow, values and files, regardless of the order of keys. 64 hex digits."""
    file_digests = [[file.key, file.filename, hashlib.sha256(file.data).hexdigest()] for file in files]
    sent = [flow_id, [payload, file_digests] if file_digests else payload]
    canonical = json.dumps(sent, ensure_ascii=True, separators=(",", ":"), sort_keys=True)
    return salted_hmac("workflows_ui.launch.payload", canonical, algorithm="sha256").hexdigest()


def save_files(launch: Launch, files: Iterable[Upload]) -> None:
    for file in files:
        row = LaunchFile(
            launch=launch, key=file.key, name=file.filename, content_type=file.content_type, size=len(file.data)
        )
        row.data = row.seal_bytes("data", file.data)
        row.save(force_insert=True)


_files_by_launch = Prepared(lambda launch: LaunchFile.objects.filter(launch=launch).order_by("key"), str)


def uploads(launch: Launch) -> tuple[Upload, ...]:
    """The files of a launch for the engine client. Raises crypto.CannotOpen."""
    return tuple(
        Upload(row.key, row.name, row.content_type, row.open_bytes("data")) for row in _files_by_launch(launch.pk)
    )


def save_searchable(launch: Launch, inputs: Iterable[tuple[str, str, str]]) -> None:
    """Save inputs in plain text: field name, label, text. The workspace's keys and values of secret names are masked."""
    mask = masking.workspace_mask(launch.workspace)
    LaunchInput.objects.bulk_create(
        LaunchInput(
            launch=launch,
            name=name,
            label=database.storable(label)[:SEARCHED],
            text=database.storable(mask_text(mask.text(text)))[:SEARCHED],
        )
        for name, label, text in inputs
        if text.strip()
    )
