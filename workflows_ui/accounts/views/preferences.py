"""Language and theme: set by a form, stored in a cookie and, for the language of a signed-in person, in their account."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from workflows_ui.web import navigation, responses

_YEAR = 365 * 24 * 3600


@require_POST
def set_language(request: HttpRequest) -> HttpResponse:
    """Set `language` (a code of settings.LANGUAGES; others are ignored) and redirect to `next`. Works without sign-in."""
    response = responses.redirect(request, _next_url(request))
    language = request.POST.get("language", "")
    if language in dict(settings.LANGUAGES):
        _set_cookie(response, settings.LANGUAGE_COOKIE_NAME, language)
        if request.user.is_authenticated and request.user.language != language:
            request.user.language = language
            request.user.save(update_fields=["language"])
    return response


@require_POST
def set_theme(request: HttpRequest) -> HttpResponse:
    """Set `theme` (light or dark; others clear the choice) and redirect to `next`. With JavaScript, app.js does the same in place."""
    response = responses.redirect(request, _next_url(request))
    theme = request.POST.get("theme", "")
    if theme in navigation.THEMES:
        _set_cookie(response, navigation.THEME_COOKIE, theme)
    else:
        response.delete_cookie(navigation.THEME_COOKIE)
    return response


def _next_url(request: HttpRequest) -> str:
    url = request.POST.get("next", "")
    if url_has_allowed_host_and_scheme(url, {request.get_host()}, require_https=request.is_secure()):
        return url
    return "/"


def _set_cookie(response: HttpResponse, name: str, value: str) -> None:
    response.set_cookie(name, value, max_age=_YEAR, samesite="Lax", secure=settings.HTTPS)
