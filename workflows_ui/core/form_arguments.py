"""Arguments of Django's forms, for forms that take others beside them."""

from collections.abc import Mapping, MutableMapping
from typing import TypedDict

from django.core.files.uploadedfile import UploadedFile
from django.utils.datastructures import MultiValueDict


class FormArguments(TypedDict, total=False):
    """What such a form passes on: `def __init__(self, *, row: Row, **arguments: Unpack[FormArguments])`."""

    data: Mapping[str, object] | None
    files: MultiValueDict[str, "UploadedFile[bytes]"] | None
    initial: MutableMapping[str, object] | None
    prefix: str | None
