"""Names of browsers from their User-Agent header: "Firefox on Windows". Unknown ones show the header itself, truncated."""

from django.utils.translation import gettext as _

#: First match wins: most browsers also claim to be others.
_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Firefox", "Firefox"),
    ("FxiOS", "Firefox"),
    ("CriOS", "Chrome"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
    ("curl", "curl"),
)
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)
_LONGEST = 60


def browser(user_agent: str) -> str:
    name = next((label for pattern, label in _BROWSERS if pattern in user_agent), "")
    system = next((label for pattern, label in _SYSTEMS if pattern in user_agent), "")
    if name and system:
        return _("%(browser)s on %(system)s") % {"browser": name, "system": system}
    return name or system or user_agent[:_LONGEST] or _("A program that does not say which")
