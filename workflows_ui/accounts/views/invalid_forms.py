"""Status 422 for allauth's responses to invalid forms."""

from typing import Any

from django.http import HttpResponse


class Refuses:
    """Return 422 for an invalid form, as in the rest of the console."""

    def form_invalid(self, form: Any) -> HttpResponse:
        """Render the page with the errors at their fields."""
        response: HttpResponse = super().form_invalid(form)  # type: ignore[misc]
        if response.status_code == 200:
            response.status_code = 422
        return response
