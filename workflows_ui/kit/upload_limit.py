"""Files that are too large are not even written to disk: the rest of a request is read all the same, so that nothing typed is lost."""

from typing import Any

from django.core.files.uploadhandler import FileUploadHandler, SkipFile
from django.http import HttpRequest

#: Bytes of all files of a request: a little more than any form takes, so that forms can say what theirs take.
MOST = 30 * 1024 * 1024
_NAME = "console_skipped_files"


class SkipLarge(FileUploadHandler):
    """Stands before the handlers that keep files; notes the fields whose files it left out."""

    def __init__(self, request: HttpRequest | None = None) -> None:
        super().__init__(request)
        self._together = 0

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        """Hands on what still fits. Raises SkipFile."""
        self._together += len(raw_data)
        if self._together > MOST:
            if self.request is not None and self.field_name:
                self.request.META.setdefault(_NAME, set()).add(self.field_name)
            raise SkipFile
        return raw_data

    def file_complete(self, file_size: int) -> Any:
        """Leaves the file to the handlers after this one."""
        return None


def skipped(request: HttpRequest) -> frozenset[str]:
    """The fields whose files were left out of this request."""
    return frozenset(request.META.get(_NAME, ()))
