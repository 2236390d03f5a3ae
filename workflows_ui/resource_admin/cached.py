"""Details of a page from the engine's answers, cached for a session. The page does without those that the engine refuses."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar, cast

from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.engine import Forbidden, NotFound, NotInPlan

P = ParamSpec("P")
T = TypeVar("T")


def cached(
    name: str, seconds: int, default: object, *, optional: bool = False
) -> Callable[[Callable[Concatenate[EngineSession, P], T]], Callable[Concatenate[EngineSession, P], T]]:
    """Cache a function's result by its name and arguments; return the default if the engine refuses the call.

    Permanent refusals are cached too, so that the engine is not called at each request. With `optional`, a quick session
    makes no call (EngineSession.decorate).
    """

    def decorator(function: Callable[Concatenate[EngineSession, P], T]) -> Callable[Concatenate[EngineSession, P], T]:
        # Of an empty list alone, the type of its items is not known.
        fallback = cast(T, default)

        @wraps(function)
        def wrapper(session: EngineSession, /, *args: P.args, **kwargs: P.kwargs) -> T:
            def call() -> T:
                try:
                    return function(session, *args, **kwargs)
                except (Forbidden, NotFound, NotInPlan):
                    return fallback

            remember = session.decorate if optional else session.remember_or
            return remember(fallback, ":".join([name, *map(str, args)]), seconds, call)

        return wrapper

    return decorator
