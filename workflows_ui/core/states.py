"""States of rows on pages: a label, an icon and a colour (Tabler), never a colour alone."""

from dataclasses import dataclass
from functools import cached_property

from django.db import models

from workflows_ui.core.text import Text

#: The icon of states in progress; it spins.
_MOVING = "loader-circle"


@dataclass(frozen=True)
class Badge:
    """A state's label, icon and colour; `own` is the engine's name of the state."""

    word: Text
    icon: str
    colour: str
    moving: bool = False
    own: str = ""


class StateChoices(models.TextChoices):
    """Choices with an icon and a colour. A member is written `NAME = value, icon, colour, label`."""

    icon: str
    colour: str

    def __new__(cls, value: str, icon: str = "", colour: str = "") -> "StateChoices":
        """Create the member as a string with its attributes; Django has removed the label."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.icon, member.colour = icon, colour
        return member

    @cached_property
    def badge(self) -> Badge:
        return Badge(self.label, self.icon, self.colour, moving=self.icon == _MOVING)
