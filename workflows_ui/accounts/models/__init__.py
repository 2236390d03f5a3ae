"""Models of accounts."""

from workflows_ui.accounts.models.identity import Identity
from workflows_ui.accounts.models.known_browser import KnownBrowser
from workflows_ui.accounts.models.user import User

__all__ = [
    "Identity",
    "KnownBrowser",
    "User",
]
