"""Pictures of the pages that tests in a browser look at: kept where SCREENSHOTS names a folder, else none are taken.

A folder for each file of tests, named after it; in it one picture a page, with the test, the page's place in it, its address and look.
"""

import os
import re
from collections import Counter
from pathlib import Path

from playwright.sync_api import Page

PICTURES = Path(os.environ["SCREENSHOTS"]) if os.environ.get("SCREENSHOTS") else None
#: Pixels: of what is longer, the window alone is kept.
_TALLEST = 6000
_PHONE = 600
_taken: Counter[str] = Counter()


def keep(page: Page) -> None:
    """Keeps a picture of the page as it is, under the test that runs."""
    if PICTURES is None:
        return
    test = os.environ.get("PYTEST_CURRENT_TEST", "").split(" ")[0]
    _taken[test] += 1
    folder, _, name = test.partition("::")
    narrow = page.evaluate("innerWidth") < _PHONE
    look = "phone" if narrow else page.evaluate("document.documentElement.dataset.bsTheme") or "light"
    file = "-".join((_plain(name.partition("[")[0].removeprefix("test_")), f"{_taken[test]:02}", _address(page.url)))
    place = PICTURES / _plain(Path(folder).stem.removeprefix("test_"))
    place.mkdir(parents=True, exist_ok=True)
    tall = page.evaluate("document.documentElement.scrollHeight")
    # Hiding the caret takes a style of its own in the page, which our policy refuses and the console would tell of.
    page.screenshot(path=place / f"{file[:180]}.{look}.png", full_page=tall <= _TALLEST, caret="initial")


def _address(url: str) -> str:
    """The address without what differs from one engine to the next: host, workspace, ids, filters."""
    path = re.sub(r"^https?://[^/]*(/w/[^/]*)?|\?.*$", "", url)
    return "-".join(_plain(part) for part in path.split("/") if part and not re.fullmatch(r"\w{21}", part)) or "home"


def _plain(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9_-]+", "_", text).strip("_")[:80]
