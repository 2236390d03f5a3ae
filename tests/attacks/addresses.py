"""Every address of the console, filled in: what the attacks are tried at."""

from django.urls import URLPattern, get_resolver, reverse

from tests.web.test_every_address import _VALUES, _patterns


def every() -> dict[str, str]:
    """Each address by its name; where it wants something of an object, that is an object which does not exist, or the stub engine's."""
    found: dict[str, URLPattern] = {str(one.name): one for one in _patterns(get_resolver())}
    values = _VALUES | {"uidb36": "1", "key": "abc", "token": "abc"}
    urls = {}
    for name, pattern in found.items():
        if name != "None":
            # Addresses by a regular expression know no converters.
            wanted = pattern.pattern.converters or getattr(pattern.pattern, "regex").groupindex  # noqa: B009
            urls[name] = reverse(name, kwargs={key: values[key] for key in wanted})
    return urls
