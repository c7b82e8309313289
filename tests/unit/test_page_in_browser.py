"""The page of a study in a real Chromium: wide and narrow, light and dark, with and without scripts."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import page_study
import pytest
import study_frames as study
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

from knowpack import figures, plots
from knowpack.study_page import compose

NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"]
VIEWS = [(1280, "light"), (1280, "dark"), (360, "light"), (320, "dark")]
MOVING = {
    "frontier": 1,
    "reliability_by_unknown": 1,
    "shifts_by_unknown": 2,
    "benchmarks_by_unknown": 2,
    "generalization_by_unknown": 3,
}  # how many panels each has
TASKS = [("mmlu", "acc"), ("reasoning", "acc")]
SHOWN = "[...document.querySelectorAll('#examples-table tbody tr')].filter(row => row.offsetHeight).length"


def chromium() -> str:
    """The browser's path; CI's root on Debian installs it, where it is missing."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if not found and os.environ.get("CI") and os.geteuid() == 0 and shutil.which("apt-get"):
        install = ["install", "-y", "--no-install-recommends", "chromium", "fonts-dejavu-core"]
        for words in (["update"], install):
            subprocess.run(["apt-get", *words], capture_output=True)
        found = shutil.which("chromium")
    if not found:
        pytest.skip("there is no Chromium here (apt install chromium)")
    return found


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium())
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The pages of a made-up study, and of one whose texts try to be code."""
    folder = tmp_path_factory.mktemp("page")
    runs = study.runs()
    tables = {
        "frontier": study.frontier(runs),
        "reliability_by_unknown": study.reliability(runs),
        "shifts_by_unknown": study.shifts(runs),
        "benchmarks_by_unknown": study.benchmarks(runs, TASKS),
        "generalization_by_unknown": study.generalization(runs),
        "mmlu_by_unknown": study.benchmarks(runs, TASKS),
    }
    drawn = {
        name: plots.to_svg(getattr(figures, name)(table, runs), "Drawn & described.")
        for name, table in tables.items()
    }
    page_study.lay_out(folder / "study", tasks=TASKS, generalization=study.generalization(runs))
    spec = {**page_study.SPEC, "generalization": True}
    hostile = page_study.lay_out_hostile(folder / "hostile")
    pages = {"study": spec, "hostile": hostile}
    for name, of_page in pages.items():
        text, _ = compose(folder / name, drawn, of_page)
        (folder / f"{name}.html").write_text(text, encoding="utf-8")
    return {name: folder / f"{name}.html" for name in pages}


@pytest.fixture
def opened(browser: Browser, files: dict[str, Path]) -> Iterator[Callable[..., Page]]:
    """Opens a page; in the end nothing was asked of a network, and there was nothing to complain of."""
    contexts, said, asked = [], [], []

    def open_page(name: str = "study", width: int = 1280, **options: Any) -> Page:
        context = browser.new_context(viewport={"width": width, "height": 800}, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("dialog", lambda dialog: said.append(dialog.message) or dialog.dismiss())
        page.on("request", lambda request: asked.append(request.url))
        page.goto(files[name].as_uri())
        if options.get("java_script_enabled", True):
            page.wait_for_function("document.querySelectorAll('.chart:empty').length == 0")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert said == []
    assert {url for url in asked if not url.startswith("data:")} <= {
        file.as_uri() for file in files.values()
    }


@pytest.mark.parametrize(("width", "scheme"), VIEWS)
def test_every_figure_is_seen_whole(opened: Callable[..., Page], width: int, scheme: str) -> None:
    page = opened(width=width, color_scheme=scheme)
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert (
        page.locator("figure").count() == len(MOVING) + 2
    )  # MMLU, and the levers' without a drawing
    drawings = page.locator(".chart svg").all()
    assert len(drawings) == sum(MOVING.values()) + 1
    seen = [*drawings, page.locator("figure:not(.moves) img")]
    for drawing in seen:
        box = drawing.bounding_box()
        assert box and box["width"] > 200 and box["height"] > 80
        assert box["x"] >= 0 and box["x"] + box["width"] <= width
    for place in page.locator("figure:has(img) .chart").all():  # three recipes at two levels
        assert place.locator(".mark-symbol path").count() == 6
    assert page.locator("#levers .mark-symbol path").count() == 2
    assert not page.locator("figure.moves img").first.is_visible()
    light = page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert light == (scheme == "light")


@pytest.mark.parametrize(("width", "scheme"), [VIEWS[0], VIEWS[3]])
def test_axe_finds_nothing_that_keeps_anyone_out(
    opened: Callable[..., Page], width: int, scheme: str
) -> None:
    page = opened(width=width, color_scheme=scheme)
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


def test_the_keyboard_reaches_the_search_which_leaves_the_rows_with_all_words(
    opened: Callable[..., Page],
) -> None:
    page = opened()
    assert page.evaluate(SHOWN) == 12
    places: list[str] = []
    while (place := page.evaluate("document.activeElement.id")) != "examples-table-words":
        places.append(place)
        assert len(places) < 60
        page.keyboard.press("Tab")
    style = "(({outlineStyle, outlineWidth}) => [outlineStyle, outlineWidth])"
    assert page.evaluate(f"{style}(getComputedStyle(document.activeElement))") == ["solid", "2px"]
    page.keyboard.type("louvre 10 hk")
    assert page.evaluate(SHOWN) == 4
    assert page.locator("#examples output").inner_text() == "4 of 12 rows"
    page.keyboard.type(" nowhere")
    assert page.evaluate(SHOWN) == 0
    page.keyboard.press("Enter")  # nothing is sent, the page stays
    assert page.locator("#examples output").inner_text() == "0 of 12 rows"
    page.keyboard.press("ControlOrMeta+A")
    page.keyboard.press("Delete")
    assert page.evaluate(SHOWN) == 12


def test_recipes_are_picked_in_the_legend_with_the_keyboard(opened: Callable[..., Page]) -> None:
    page = opened()
    shifts = page.locator("#shifts figure")
    box = shifts.get_by_role("checkbox", name="10 HK")
    box.focus()
    page.keyboard.press("Space")
    assert not box.is_checked()
    symbols = shifts.locator(".mark-symbol path")
    page.wait_for_function("document.querySelectorAll('#shifts .mark-symbol path').length == 8")
    colours = {symbol.get_attribute("fill") for symbol in symbols.all()}
    assert colours == {"var(--recipe-0)", "var(--recipe-2)"}
    assert page.locator("#frontier .mark-symbol path").count() == 12  # two figures with six each


@pytest.mark.parametrize("name", ["study", "hostile"])
def test_a_point_tells_its_recipe_level_and_values(opened: Callable[..., Page], name: str) -> None:
    page = opened(name)
    page.locator("#frontier .chart").first.locator(".mark-symbol path").last.hover()
    tooltip = page.locator("#vg-tooltip-element.visible")
    tooltip.wait_for()
    said = tooltip.inner_text()
    for words in (
        "Recipe",
        "1 paraphrase",
        "Unknown facts",
        "0.950 (0.950–0.950)",
        "negative shift",
    ):
        assert words in said or name == "hostile"
    assert (page_study.EVIL in said) == (name == "hostile")
    assert tooltip.locator("img, script").count() == 0


def test_a_finger_asks_a_point_as_a_mouse_does(opened: Callable[..., Page]) -> None:
    page = opened(width=320, has_touch=True)
    page.locator("#frontier .chart").first.locator(".mark-symbol path").last.tap()
    tooltip = page.locator("#vg-tooltip-element.visible")
    tooltip.wait_for()
    box = tooltip.bounding_box()
    assert box and box["x"] >= 0 and box["x"] + box["width"] <= 320
    page.locator("h1").tap()
    tooltip.wait_for(state="hidden")


def test_without_scripts_there_is_what_is_printed(opened: Callable[..., Page]) -> None:
    page = opened(java_script_enabled=False)
    images = page.locator("figure img").all()
    assert len(images) == len(MOVING) + 1
    assert all(image.is_visible() for image in images)
    assert not page.locator("form").first.is_visible()
    assert not page.locator("fieldset").first.is_visible()
    assert page.locator("#examples-table tbody tr").count() == 12


def test_on_paper_there_is_what_is_printed(opened: Callable[..., Page]) -> None:
    page = opened(color_scheme="dark")
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.body).color") == "rgb(26, 26, 26)"
    assert all(image.is_visible() for image in page.locator("figure img").all())
    assert not page.locator(".chart").first.is_visible()
    page.emulate_media(media="screen")
    page.set_viewport_size({"width": 700, "height": 800})
    assert page.locator(".chart svg").first.is_visible()


def test_the_policy_holds_whatever_is_added_to_the_page(browser: Browser, files) -> None:
    page = browser.new_page()
    page.goto(files["hostile"].as_uri())
    page.evaluate(
        """() => {
            const script = document.createElement("script");
            script.textContent = "window.pwned = true";
            document.body.append(script);
            document.body.insertAdjacentHTML("beforeend", "<img src=x onerror='window.pwned = true'>");
        }"""
    )
    fetched = "fetch('https://example.org').then(() => true, () => false)"
    assert page.evaluate(fetched) is False
    assert page.evaluate("window.pwned") is None
    page.close()
