"""What turns allauth's answer to an invalid form into the console's: the same page with 422."""

from typing import Any

from django.http import HttpResponse


class Refuses:
    """An invalid form answers 422, as everywhere in the console."""

    def form_invalid(self, form: Any) -> HttpResponse:
        """The page again, with the errors at their fields."""
        response: HttpResponse = super().form_invalid(form)  # type: ignore[misc]
        if response.status_code == 200:
            response.status_code = 422
        return response
