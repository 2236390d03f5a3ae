"""How pages look, and whether what a window shows is sound: nothing is wider than it, and axe finds nothing.

There are two looks, a desk in light and a phone in the dark, so that everything is seen in both themes and at both widths. All four
together are looked at in test_new_user_looks, on the phone by every rule too: elsewhere only by those that width and theme matter to.
Of many things in a row that are made alike axe looks at one, and at a frame around the pages that is made like one of an earlier page
not again.
"""

from collections import defaultdict
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
#: How an element and all within it are made, but for their texts.
_MADE = """(element) => [element, ...element.querySelectorAll("*")].map((part) => {
    const names = part.getAttributeNames().filter((name) => name !== "class");
    return `${part.localName} ${part.className} ${names} ${part.hidden} ${part.open} ${part.textContent.trim() === ""}`;
}).join("; ")"""
#: A text as a short one.
_DIGEST = "(text) => `${text.length} ${[...text].reduce((sum, letter) => (Math.imul(sum, 31) + letter.codePointAt(0)) | 0, 0)}`"
#: Where more than five things stand in a row, those that are made like one before. Columns do not count.
_ALIKE = """() => [...document.querySelectorAll("body :not(tr)")].filter((list) => list.children.length > 5).flatMap((list) => {
    const seen = new Set();
    return [...list.children].filter((row) => seen.has(made(row)) || !seen.add(made(row)));
})"""
#: What is wrong with a page as it is: whether it is wider than the window, and what axe finds. `frames` were looked at in this look.
_FAULTS = f"""async ({{ rules, frames }}) => {{
    const made = {_MADE}, digest = {_DIGEST};
    const frame = [...document.querySelectorAll("header.topbar, #sidebar")].map((part) => [part, digest(made(part))]);
    const alike = ({_ALIKE})().concat(frame.filter(([, shape]) => frames.includes(shape)).map(([part]) => part));
    const where = alike.length ? {{ include: [document], exclude: alike }} : document;
    const found = await axe.run(where, {{ resultTypes: ["violations"], ...(rules.length ? {{ runOnly: rules }} : {{}}) }});
    const wider = document.documentElement.scrollWidth > window.innerWidth;
    return {{ wider, violations: found.violations, frames: frame.map(([, shape]) => shape) }};
}}"""
_LOOK = """() => {
    const dark = matchMedia("(prefers-color-scheme: dark)").matches;
    return [typeof axe, innerWidth, dark, document.documentElement.dataset.bsTheme].join();
}"""
#: Frames of pages without a fault, by look and rules.
_frames: dict[tuple[str, ...], set[str]] = defaultdict(set)
_THEME = "(theme) => { document.documentElement.dataset.bsTheme = theme; }"


def sound(page: Page, *rules: str) -> None:
    """As it is now, once it is there, by these of axe's rules or by all. Where pictures are wanted, one is kept."""
    assert faults(page, *rules) == [], page.url


def sound_in_every_look(page: Page) -> None:
    """At a desk in light, as it was opened, and on a phone in the dark; afterwards it is at the desk again."""
    found = faults_in_every_look(page)
    assert found == [], f"{page.url}: {found}"


def faults_in_every_look(page: Page) -> list[str]:
    """What is wrong at a desk in light, as the page was opened, or on a phone in the dark; afterwards it is at the desk again."""
    found = faults(page)
    page.set_viewport_size({"width": PHONE["width"], "height": PHONE["height"]})
    page.evaluate(_THEME, "dark")
    found += faults(page, *OF_LOOKS)
    page.evaluate(_THEME, "light")
    page.set_viewport_size({"width": DESK["width"], "height": DESK["height"]})
    return found


def faults(page: Page, *rules: str) -> list[str]:
    """What is wrong with the page as it is now, once it is there, by these of axe's rules or by all."""
    expect(page.locator("html.going")).to_have_count(0)
    page.wait_for_load_state()
    keep(page)
    has_axe, _, look = page.evaluate(_LOOK).partition(",")
    if has_axe == "undefined":
        page.evaluate(_AXE)
    frames = _frames[look, *rules]
    found = page.evaluate(_FAULTS, {"rules": list(rules), "frames": list(frames)})
    wrong = [
        f"{one['id']}: {one['help']}: {node['target']} {node['html'][:300]} {node['failureSummary']}"
        for one in found["violations"]
        for node in one["nodes"]
    ]
    if not wrong:
        frames.update(found["frames"])
    return [*(["wider than the window"] if found["wider"] else []), *wrong]
