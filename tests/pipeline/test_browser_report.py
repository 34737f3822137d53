"""The page in a real browser: it opens in silence, fits, switches its language, and prints.

Skips, loudly, where there is no Chromium with its driver: on Debian
`apt-get install chromium chromium-driver`.
"""

from __future__ import annotations

import base64
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By

from juntos_eval.paths import RunPaths
from juntos_eval.reporting.write import write_report
from tests.reporting.simulated import report_input

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars",
)  # fmt: skip
PHONE, DESKTOP = 390, 1440
MIN_TAP_PX = 24  # WCAG 2.2, AA


def program(*names: str) -> str:
    found = next((path for path in map(shutil.which, names) if path), None)
    if found is None:
        pytest.skip(f"none of {', '.join(names)} is installed: the page was NOT looked at in a browser")
    return found


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The report of a synthetic and of a real run, made of simulated numbers."""
    program("chromium", "chromium-browser", "google-chrome")
    made = {}
    for is_synthetic in (True, False):
        everything = report_input(is_synthetic=is_synthetic)
        kept = tuple(s for s in everything.estimates if not s.population.endswith(("girls", "boys")))
        content = replace(everything, estimates=kept)
        folder = tmp_path_factory.mktemp(content.run.name)
        made[content.run.name] = write_report(content, RunPaths(root=folder, run=content.run.name))[-1]
    return made


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    options = Options()
    options.binary_location = program("chromium", "chromium-browser", "google-chrome")
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(program("chromedriver")))
    driver.set_page_load_timeout(60)
    yield driver
    driver.quit()


def console(browser: Any) -> list[dict[str, Any]]:
    """What the page has complained of since it was last asked."""
    return list(browser.get_log("browser"))


def show(
    browser: webdriver.Chrome, page: Path, *, width: int = DESKTOP, query: str = "", scheme: str = "light"
) -> None:
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600},
    )
    browser.execute_cdp_cmd(
        "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    )
    browser.get(page.as_uri() + query)


@pytest.fixture(params=["synthetic-data", "real"])
def page(request: pytest.FixtureRequest, pages: dict[str, Path]) -> Path:
    return pages[str(request.param)]


@pytest.mark.parametrize("width", [PHONE, DESKTOP])
@pytest.mark.parametrize("code", ["en", "es"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_opens_in_silence_and_fits(
    browser: webdriver.Chrome, page: Path, width: int, code: str, scheme: str
) -> None:
    console(browser)
    show(browser, page, width=width, query=f"?lang={code}", scheme=scheme)
    assert console(browser) == []
    assert browser.execute_script("return document.documentElement.lang") == code
    overflow = browser.execute_script(
        """
        const limit = document.documentElement.clientWidth;
        return [...document.querySelectorAll("body *")]
          .filter(e => !e.closest(".scroll, svg, .skip") && e.getBoundingClientRect().right > limit + 1)
          .map(e => e.tagName + "." + e.className).slice(0, 5);
        """
    )
    assert overflow == []
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width


def test_every_drawing_is_seen_and_has_words(browser: webdriver.Chrome, page: Path) -> None:
    for width in (PHONE, DESKTOP):
        show(browser, page, width=width)
        drawings = browser.execute_script(
            """
            return [...document.querySelectorAll(".drawing.en")].map(d => {
              const seen = [...d.querySelectorAll("svg")].filter(s => s.getBoundingClientRect().width > 0);
              return [d.getAttribute("aria-label"), seen.length, seen[0].getBoundingClientRect().width,
                      seen[0].getBoundingClientRect().height, seen[0].querySelectorAll("path").length];
            });
            """
        )
        assert len(drawings) >= 8
        for words, count, shown_width, height, paths in drawings:
            assert len(words) > 40
            assert count == 1
            assert shown_width > 0.8 * min(width, 700)
            assert height > 100
            assert paths > 10
        unresolved = browser.execute_script(
            """
            const target = u => u.getAttribute("xlink:href") || u.getAttribute("href");
            return [...document.querySelectorAll("svg use")]
              .filter(u => !document.getElementById(target(u).slice(1))).length;
            """
        )
        assert unresolved == 0


def test_every_link_leads_somewhere(browser: webdriver.Chrome, page: Path) -> None:
    show(browser, page)
    hrefs = [link.get_attribute("href") or "" for link in browser.find_elements(By.TAG_NAME, "a")]
    files, anchors = set(), set()
    for href in hrefs:
        parts = urlsplit(href)
        assert parts.scheme == "file"
        path = Path(unquote(parts.path))
        if path == page:
            anchors.add(parts.fragment)
        else:
            files.add(path)
    assert len(files) > 50
    assert [path for path in files if not path.is_file() or path.stat().st_size == 0] == []
    for anchor in anchors:
        assert browser.find_elements(By.ID, anchor), anchor


def test_every_picture_beside_the_page_opens(browser: webdriver.Chrome, page: Path) -> None:
    for path in sorted((page.parent).rglob("*.png"))[:4] + sorted((page.parent).rglob("*.svg"))[:4]:
        show(browser, page)
        size = browser.execute_async_script(
            """
            const done = arguments[1], image = new Image();
            image.onload = () => done([image.naturalWidth, image.naturalHeight]);
            image.onerror = () => done(null);
            image.src = arguments[0];
            """,
            path.as_uri(),
        )
        assert size is not None, path.name
        assert min(size) > 100


def test_the_language_switches_without_a_network(browser: webdriver.Chrome, page: Path) -> None:
    show(browser, page)
    english = browser.title
    assert browser.find_element(By.CSS_SELECTOR, "#methods-title .en").is_displayed()
    browser.find_element(By.CSS_SELECTOR, "button[data-language=es]").click()
    assert browser.execute_script("return document.documentElement.lang") == "es"
    assert browser.title != english
    assert not browser.find_element(By.CSS_SELECTOR, "#methods-title .en").is_displayed()
    assert browser.find_element(By.CSS_SELECTOR, "#methods-title .es").text == "Métodos"
    pressed = browser.find_element(By.CSS_SELECTOR, "button[aria-pressed=true]")
    assert pressed.text == "Español"
    shown = browser.execute_script(
        """
        return [...document.querySelectorAll("main .en")]
          .filter(e => e.getBoundingClientRect().height > 0).length;
        """
    )
    assert shown == 0
    browser.find_element(By.CSS_SELECTOR, "button[data-language=en]").click()
    assert browser.title == english


def test_without_scripts_it_is_read_in_english(browser: webdriver.Chrome, pages: dict[str, Path]) -> None:
    page = pages["real"]
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        show(browser, page, query="?lang=es")
        assert browser.find_element(By.CSS_SELECTOR, "#methods-title .en").is_displayed()
        assert not browser.find_element(By.CSS_SELECTOR, "#methods-title .es").is_displayed()
        assert not browser.find_element(By.CSS_SELECTOR, ".switch").is_displayed()
    finally:
        browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


def test_the_banner_stays_in_sight_on_synthetic_pages_only(
    browser: webdriver.Chrome, pages: dict[str, Path]
) -> None:
    for width in (PHONE, DESKTOP):
        show(browser, pages["synthetic-data"], width=width)
        browser.execute_script("document.getElementById('session').scrollIntoView()")
        banner = browser.find_element(By.CLASS_NAME, "banner")
        assert "SYNTHETIC DATA" in banner.text
        assert "DATOS SINTÉTICOS" in banner.text
        box = browser.execute_script("return arguments[0].getBoundingClientRect().toJSON()", banner)
        assert box["top"] == 0
        assert box["width"] == width
        heading = browser.find_element(By.ID, "session-title")
        top = browser.execute_script("return arguments[0].getBoundingClientRect().top", heading)
        assert top >= box["bottom"]
    show(browser, pages["real"])
    assert browser.find_elements(By.CLASS_NAME, "banner") == []


def test_wide_tables_scroll_in_their_own_frame(browser: webdriver.Chrome, page: Path) -> None:
    show(browser, page, width=PHONE)
    frame = browser.find_element(By.CSS_SELECTOR, "#headline .en .scroll")
    inner, outer = browser.execute_script(
        "return [arguments[0].scrollWidth, arguments[0].clientWidth]", frame
    )
    assert inner > outer
    assert frame.get_attribute("tabindex") == "0"


def test_what_is_touched_is_large_enough(browser: webdriver.Chrome, page: Path) -> None:
    show(browser, page, width=PHONE)
    for selector in (".switch button", ".contents a"):
        for target in browser.find_elements(By.CSS_SELECTOR, selector):
            assert target.size["height"] >= MIN_TAP_PX


def test_the_skip_link_is_the_first_thing_a_keyboard_finds(browser: webdriver.Chrome, page: Path) -> None:
    show(browser, page)
    first = browser.execute_script("return document.querySelector('a, button, [tabindex]').className")
    assert first == "skip"


def test_it_prints(browser: webdriver.Chrome, page: Path) -> None:
    show(browser, page)
    printed = browser.execute_cdp_cmd("Page.printToPDF", {"preferCSSPageSize": True})
    pdf = base64.b64decode(printed["data"])
    assert pdf.startswith(b"%PDF-")
    assert pdf.rstrip().endswith(b"%%EOF")
    assert len(pdf) > 50_000


def test_on_paper_nothing_is_hidden_behind_a_scroll(browser: webdriver.Chrome, page: Path) -> None:
    show(browser, page)
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    try:
        hidden = browser.execute_script(
            """
            return [...document.querySelectorAll(".en .scroll")]
              .filter(s => s.scrollHeight > s.clientHeight + 2).map(s => s.getAttribute("aria-label"));
            """
        )
        assert hidden == []
        assert not browser.find_element(By.CLASS_NAME, "contents").is_displayed()
        ink = browser.execute_script("return getComputedStyle(document.body).color")
        assert ink == "rgb(0, 0, 0)"
    finally:
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
