"""The console's settings in the tests' environment."""

from tests import environment  # noqa: F401  (must come first: it sets the variables)
from console.settings import *  # noqa: F403, E402, I001
