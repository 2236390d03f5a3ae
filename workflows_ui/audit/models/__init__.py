"""Models of the audit log."""

from workflows_ui.audit.models.events import BEGUN, AppendOnly, AuditChain, AuditCheckpoint, AuditEvent

__all__ = [
    "BEGUN",
    "AppendOnly",
    "AuditChain",
    "AuditCheckpoint",
    "AuditEvent",
]
