"""Models of launches and of their inputs."""

from workflows_ui.launches.models.launch import OPEN, SEARCHED_FOR, Follow, Launch, LaunchFile, LaunchInput
from workflows_ui.launches.models.states import CONFIRMED, ENDED, UNDER_WAY, UNSENT, WENT_WRONG, Reason, State
