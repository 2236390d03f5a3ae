"""Activate the person's language and time zone."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone, translation
from django.utils.cache import patch_vary_headers

from workflows_ui.accounts.models import User


class Preferences:
    """Language: the person's choice, else the cookie, else the browser's preference. Time zone: the person's choice, else the console's."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        chosen = getattr(request.user, "language", "") if request.user.is_authenticated else ""
        language = chosen if chosen in dict(settings.LANGUAGES) else translation.get_language_from_request(request)
        zone = request.user.zone if request.user.is_authenticated else timezone.get_default_timezone()
        if request.user.is_authenticated and not chosen and request.user.mail_language != language:
            User.objects.filter(pk=request.user.pk).update(last_language=language)
        with translation.override(language), timezone.override(zone):
            request.LANGUAGE_CODE = language
            response = self._get_response(request)
        response.headers.setdefault("Content-Language", language)
        if not chosen:
            patch_vary_headers(response, ("Accept-Language",))
        return response
