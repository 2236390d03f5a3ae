"""Language and theme: switched by a form, remembered by a cookie and, for the language of somebody signed in, on the person."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from workflows_ui.kit import nav, respond

_YEAR = 365 * 24 * 3600


@require_POST
def set_language(request: HttpRequest) -> HttpResponse:
    """Takes `language` (a code of settings.LANGUAGES; anything else changes nothing) and `next`. Works signed out too."""
    response = respond.redirect(request, _back(request))
    language = request.POST.get("language", "")
    if language in dict(settings.LANGUAGES):
        _remember(response, settings.LANGUAGE_COOKIE_NAME, language)
        if request.user.is_authenticated and request.user.language != language:
            request.user.language = language
            request.user.save(update_fields=["language"])
    return response


@require_POST
def set_theme(request: HttpRequest) -> HttpResponse:
    """Takes `theme` (light or dark; anything else forgets the choice) and `next`. With JavaScript app.js does the same in place."""
    response = respond.redirect(request, _back(request))
    theme = request.POST.get("theme", "")
    if theme in nav.THEMES:
        _remember(response, nav.THEME_COOKIE, theme)
    else:
        response.delete_cookie(nav.THEME_COOKIE)
    return response


def _back(request: HttpRequest) -> str:
    wanted = request.POST.get("next", "")
    if url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure()):
        return wanted
    return "/"


def _remember(response: HttpResponse, name: str, value: str) -> None:
    response.set_cookie(name, value, max_age=_YEAR, samesite="Lax", secure=settings.HTTPS)


urlpatterns = [
    path("preferences/language/", set_language, name="set_language"),
    path("preferences/theme/", set_theme, name="set_theme"),
]
