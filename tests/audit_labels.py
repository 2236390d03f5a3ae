"""Every row that the code under test writes into the audit log is rendered: a detail without a label fails the test that wrote it."""

import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.db.models.signals import post_save

from workflows_ui.audit import page as history
from workflows_ui.audit.models import AuditEvent
from workflows_ui.audit.services import audit_log
from workflows_ui.resources import BY_NAME

TESTS = str(Path(__file__).parent)


def watch() -> None:
    post_save.connect(_check, sender=AuditEvent, dispatch_uid="audit_labels")


def unlabelled(action: str, detail: Any) -> set[str]:
    """The names among a row's details that its page shows as they are. Of objects of the engine, changed fields may have its names."""
    if not isinstance(detail, Mapping):
        return set()
    node = history.remaining_details(detail, action)
    names = {name for name, _value in node.entries} if node else set()
    if action.partition(".")[0] not in BY_NAME:
        names |= {str(change["name"]) for change in history.changes(detail, action)}
        detail = {**detail, **_named(detail.get("before")), **_named(detail.get("after"))}
    return names & set(detail)


def _named(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _check(instance: AuditEvent, **_more: Any) -> None:
    files = [frame.f_code.co_filename for frame, _line in traceback.walk_stack(None)]
    own = audit_log.__file__
    caller = next((file for file in files[files.index(own) :] if file != own), "") if own in files else TESTS
    # Tests may write what they like.
    if not caller.startswith(TESTS):
        assert unlabelled(instance.action, instance.detail) == set(), f"details of {instance.action} without a label"
