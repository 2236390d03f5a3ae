"""How pages look, and whether what a window shows is sound: nothing is wider than it, and axe finds nothing.

There are two looks, a desk in light and a phone in the dark, so that everything is seen in both themes and at both widths. All four
together are looked at in test_new_user_looks, on the phone by every rule too: elsewhere only by those that width and theme matter to.
Of many things in a row that are made alike axe looks at one.
"""

from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.shots import keep

DESK = {"width": 1280, "height": 900}
PHONE = {"width": 390, "height": 844}
#: Nothing moves: a colour that is on its way to another one is neither.
STILL: dict[str, Any] = {"reduced_motion": "reduce"}
LOOKS: dict[str, dict[str, Any]] = {
    "desk": {"viewport": DESK, "color_scheme": "light", **STILL},
    "phone": {"viewport": PHONE, "color_scheme": "dark", **STILL},
}
_AXE = Axe().axe_script
#: What may be wrong in one look alone.
OF_LOOKS = ("color-contrast", "link-in-text-block", "scrollable-region-focusable", "aria-hidden-focus")
#: Where more than five things stand in a row, those whose elements differ in nothing but their texts from one before. Columns do not count.
_ALIKE = """() => [...document.querySelectorAll("body :not(tr)")].filter((list) => list.children.length > 5).flatMap((list) => {
    const seen = new Set();
    return [...list.children].filter((row) => {
        const kinds = [row, ...row.querySelectorAll("*")].map((part) => {
            const names = part.getAttributeNames().filter((name) => name !== "class");
            return `${part.localName} ${part.className} ${names} ${part.hidden} ${part.open} ${part.textContent.trim() === ""}`;
        });
        const shape = kinds.join("; ");
        return seen.has(shape) || !seen.add(shape);
    });
})"""
_RUN = f"""(options) => {{
    const alike = ({_ALIKE})();
    const where = alike.length ? {{ include: [document], exclude: alike }} : document;
    return axe.run(where, {{ resultTypes: ["violations"], ...options }}).then((found) => found.violations);
}}"""
_THEME = "(theme) => { document.documentElement.dataset.bsTheme = theme; }"


def sound(page: Page, *rules: str) -> None:
    """As it is now, once it is there, by these of axe's rules or by all. Where pictures are wanted, one is kept."""
    expect(page.locator("html.going")).to_have_count(0)
    page.wait_for_load_state()
    keep(page)
    assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0, page.url
    found = violations(page, *rules)
    assert found == [], f"{page.url}: {found}"


def sound_in_every_look(page: Page) -> None:
    """At a desk in light, as it was opened, and on a phone in the dark; afterwards it is at the desk again."""
    sound(page)
    page.set_viewport_size({"width": PHONE["width"], "height": PHONE["height"]})
    page.evaluate(_THEME, "dark")
    sound(page, *OF_LOOKS)
    page.evaluate(_THEME, "light")
    page.set_viewport_size({"width": DESK["width"], "height": DESK["height"]})


def violations(page: Page, *rules: str) -> list[str]:
    """What axe finds, by these of its rules or by all: the rule, what it asks, and where it is not so."""
    if page.evaluate("typeof axe") == "undefined":
        page.evaluate(_AXE)
    found = page.evaluate(_RUN, {"runOnly": list(rules)} if rules else {})
    return [
        f"{one['id']}: {one['help']}: {node['target']} {node['html'][:300]} {node['failureSummary']}"
        for one in found
        for node in one["nodes"]
    ]
