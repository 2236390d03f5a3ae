"""URLs of many objects: Django builds the first one, the others differ in their id only."""

from functools import lru_cache
from urllib.parse import quote

from django.urls import get_script_prefix, reverse

#: An id that no engine has, and that quoting leaves as it is.
_PLACE = "~~id~~"
#: What `reverse` does not quote.
_SAFE = "!$&'()*+,;=/~:@"


def object_url(view: str, id: str, **fixed: str) -> str:
    """Return `reverse(view)` with these arguments and `id`, which must not be empty."""
    before, after = _around(view, get_script_prefix(), tuple(fixed.items()))
    return f"{before}{quote(id, safe=_SAFE)}{after}"


@lru_cache(maxsize=4096)
def _around(view: str, _prefix: str, fixed: tuple[tuple[str, str], ...]) -> tuple[str, str]:
    before, _, after = reverse(view, kwargs={**dict(fixed), "id": _PLACE}).partition(_PLACE)
    return before, after
