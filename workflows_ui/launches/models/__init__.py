"""Models of launches and of their inputs."""

from workflows_ui.launches.models.launch import (
    KEPT,
    OPEN,
    SEARCHED_FOR,
    SETTLED,
    Follow,
    Launch,
    LaunchFile,
    LaunchInput,
    LaunchText,
    LaunchWord,
)
from workflows_ui.launches.models.states import CONFIRMED, ENDED, UNDER_WAY, UNSENT, WENT_WRONG, Reason, State

__all__ = [
    "CONFIRMED",
    "ENDED",
    "KEPT",
    "OPEN",
    "SEARCHED_FOR",
    "SETTLED",
    "UNDER_WAY",
    "UNSENT",
    "WENT_WRONG",
    "Follow",
    "Launch",
    "LaunchFile",
    "LaunchInput",
    "LaunchText",
    "LaunchWord",
    "Reason",
    "State",
]
