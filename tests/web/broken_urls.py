"""The console's addresses and one view with a mistake in it."""

from django.http import HttpRequest, HttpResponse
from django.urls import path

from console.urls import handler400, handler403, handler404, handler500, urlpatterns as console

__all__ = ["handler400", "handler403", "handler404", "handler500", "urlpatterns"]


def broken(request: HttpRequest) -> HttpResponse:
    """Fails while a secret is in a local variable."""
    secret = "local-secret"
    raise KeyError(len(secret))


urlpatterns = [path("broken/", broken), *console]
