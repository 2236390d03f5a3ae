"""A flow as a file: what the engine exports (recording `flow_template`), and what can be read back in."""

import json
import re
from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext as _

#: The largest file that is read; flows of hundreds of steps stay far below.
LARGEST = 5 * 1024 * 1024


def content(template: Any) -> str:
    """The file's text: the engine's own template, readable."""
    return json.dumps(template, indent=2, ensure_ascii=False)


def name(flow_name: str) -> str:
    """A file's name made from the flow's, safe on every system."""
    plain = re.sub(r"[^\w. -]+", "-", flow_name).strip(" .-")[:80]
    return f"{plain or 'flow'}.json"


def read(file: "UploadedFile[Any]") -> dict[str, Any]:
    """The request of IMPORT_FLOW (api.md 6.5): displayName, trigger, schemaVersion.

    Takes the engine's template, the inner part of it, a flow as the API gives it, or one of its versions. Raises ValidationError.
    """
    if (file.size or 0) > LARGEST:
        raise forms.ValidationError(_("The file is too large: the console reads up to 5 MB."))
    try:
        found = json.loads(file.read().decode("utf-8-sig"))
    except (UnicodeDecodeError, ValueError, RecursionError):
        raise forms.ValidationError(_("This is no JSON file. Choose a file that was exported from a flow.")) from None
    version = _version(found)
    if version is None:
        raise forms.ValidationError(_("There is no flow in this file. Choose a file that was exported from a flow."))
    schema = version.get("schemaVersion")
    called = version.get("displayName")
    return {
        "displayName": called if isinstance(called, str) else "",
        "trigger": version["trigger"],
        "schemaVersion": schema if isinstance(schema, str) else None,
    }


def _version(found: Any) -> dict[str, Any] | None:
    inner = [found.get("template"), found.get("version"), found] if isinstance(found, dict) else []
    for one in inner:
        if (
            isinstance(one, dict)
            and isinstance(one.get("trigger"), dict)
            and isinstance(one["trigger"].get("type"), str)
        ):
            return one
    return None
