"""Arguments and cleaned data of Django's forms."""

from collections.abc import Mapping, MutableMapping
from typing import Any, TypedDict

from django.core.files.uploadedfile import UploadedFile
from django.utils.datastructures import MultiValueDict

#: Cleaned data, whose types the fields of the form know.
Cleaned = dict[str, Any]


class FormArguments(TypedDict, total=False):
    """What such a form passes on: `def __init__(self, *, row: Row, **arguments: Unpack[FormArguments])`."""

    data: Mapping[str, object] | None
    files: MultiValueDict[str, "UploadedFile[bytes]"] | None
    initial: MutableMapping[str, object] | None
    prefix: str | None
