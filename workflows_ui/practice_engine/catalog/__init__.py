"""The thirty pieces of the practice engine, with property schemas of every kind. Texts are our own."""

from __future__ import annotations

from workflows_ui.practice_engine.http import Json

from . import apps, core

PIECES: dict[str, Json] = {
    piece["name"]: piece for piece in sorted(core.PIECES + apps.PIECES, key=lambda one: str(one["displayName"]))
}
CATEGORIES = [
    "ARTIFICIAL_INTELLIGENCE",
    "COMMUNICATION",
    "COMMERCE",
    "CORE",
    "UNIVERSAL_AI",
    "FLOW_CONTROL",
    "BUSINESS_INTELLIGENCE",
    "ACCOUNTING",
    "PRODUCTIVITY",
    "CONTENT_AND_FILES",
    "DEVELOPER_TOOLS",
    "CUSTOMER_SUPPORT",
    "FORMS_AND_SURVEYS",
    "HUMAN_RESOURCES",
    "PAYMENT_PROCESSING",
    "MARKETING",
    "SALES_AND_CRM",
]
__all__ = ["CATEGORIES", "PIECES"]
