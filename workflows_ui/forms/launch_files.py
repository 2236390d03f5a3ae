"""Files that come with a launch form: looked at, named cleanly, and read, with words at the field where one cannot be taken."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest
from django.utils.translation import gettext as _

from workflows_ui.forming.document import Form, Kind
from workflows_ui.kit.launch_field_words import size
from workflows_ui.services import launch_files
from workflows_ui.services.launch_files import Attached


@dataclass
class Files:
    """What came: files to send, and words by field."""

    files: list[Attached] = field(default_factory=list)
    errors: dict[str, str] = field(default_factory=dict)


def uploaded(request: HttpRequest) -> dict[str, "UploadedFile[Any]"]:
    """The files that came with a request, by the name of their field: the last one where a field came twice."""
    return {name: upload for name, upload in request.FILES.items() if isinstance(upload, UploadedFile)}


def take(
    form: Form, uploads: Mapping[str, "UploadedFile[Any]"], shown: frozenset[str], skipped: frozenset[str] = frozenset()
) -> Files:
    """The files of the fields that are shown. Kinds and sizes that a field names are looked at in forming/checking.py.

    `skipped` are fields whose files were so large that they were not even kept (kit/upload_limit.py).
    """
    found = Files()
    together = 0
    for one in form.fields:
        upload = uploads.get(one.name)
        if one.kind is Kind.FILE and one.name in skipped:
            found.errors[one.name] = _("Choose a smaller file: at most %(size)s.") % {
                "size": size(min(one.max_size or launch_files.LARGEST_FILE, launch_files.LARGEST_TOGETHER))
            }
            continue
        if one.kind is not Kind.FILE or one.name not in shown or upload is None:
            continue
        most = min(one.max_size or launch_files.LARGEST_FILE, launch_files.LARGEST_TOGETHER)
        together += upload.size or 0
        if (upload.size or 0) > most:
            found.errors[one.name] = _("Choose a smaller file: at most %(size)s.") % {"size": size(most)}
        elif together > launch_files.LARGEST_TOGETHER or len(found.files) >= launch_files.MOST_FILES:
            words = {"size": size(launch_files.LARGEST_TOGETHER), "count": launch_files.MOST_FILES}
            found.errors[one.name] = (
                _("All files together are too large: at most %(count)s files, %(size)s in all.") % words
            )
        else:
            _read(found, one.name, one.path[0], upload)
    return found


def _read(found: Files, name: str, key: str, upload: "UploadedFile[Any]") -> None:
    filename = launch_files.clean_name(upload.name or "")
    data = upload.read()
    if launch_files.lies(filename, data):
        ending = launch_files.ending_of(filename).upper()
        found.errors[name] = _("This file is not a %(kind)s, although its name says so. Choose another.") % {
            "kind": ending
        }
        return
    found.files.append(Attached(key, filename, launch_files.type_of(filename), data))
