"""Upload handler that skips files beyond a limit without writing them, but reads the rest of the request, so that typed values are kept."""

from django.core.files.uploadhandler import FileUploadHandler, SkipFile
from django.http import HttpRequest

#: Maximum bytes of all files of a request: slightly more than any form accepts, so that forms can report their own limits.
MOST = 30 * 1024 * 1024
_NAME = "console_skipped_files"


class SkipLarge(FileUploadHandler):
    """Run before the handlers that store files, and record the fields with skipped files."""

    def __init__(self, request: HttpRequest | None = None) -> None:
        super().__init__(request)
        self._total_bytes = 0

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        self._total_bytes += len(raw_data)
        if self._total_bytes > MOST:
            if self.request is not None and self.field_name:
                self.request.META.setdefault(_NAME, set()).add(self.field_name)
            raise SkipFile
        return raw_data

    def file_complete(self, file_size: int) -> None:
        """Leave the file to the next handlers."""


def skipped(request: HttpRequest) -> frozenset[str]:
    return frozenset(request.META.get(_NAME, ()))
