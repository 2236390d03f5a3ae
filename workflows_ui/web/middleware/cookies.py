"""Drop malformed cookies."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse


class CleanCookies:
    """Drop cookies with a NUL character, which quoting allows (`\\000`): PostgreSQL refuses to look up such a session."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if any("\0" in value for value in request.COOKIES.values()):
            request.COOKIES = {name: value for name, value in request.COOKIES.items() if "\0" not in value}
        return self._get_response(request)
