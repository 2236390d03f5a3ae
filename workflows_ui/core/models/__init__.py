"""Models that several features share."""

from workflows_ui.core.models.expiring_value import ExpiringValue

__all__ = [
    "ExpiringValue",
]
