"""The page: self-contained, in two languages, with an order that a screen reader can follow."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser
from importlib.resources import files
from itertools import pairwise
from pathlib import Path

import pytest

from juntos_eval.estimate import Check
from juntos_eval.paths import RunPaths
from juntos_eval.reporting.example import example_input
from juntos_eval.reporting.report_input import InputFile, Label, ReportInput, SurveyFacts
from juntos_eval.reporting.write import write_report

HOSTILE = "</script><script>a()</script><img src=x onerror=a()>"
VOID = {"meta", "br", "img", "input", "link", "hr"}


class Page(HTMLParser):
    """Tags, ids, headings and the text of a page."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not {"style", "script"} & set(self.open):
            self.text.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def written(content: ReportInput, folder: Path) -> str:
    paths = RunPaths(root=folder, run=content.run.name)
    return write_report(content, paths)[-1].read_text(encoding="utf-8")


def small(*, is_synthetic: bool) -> ReportInput:
    """One question by two designs, quick to draw; on real data more child work with Juntos."""
    content = example_input()
    if is_synthetic:
        return content
    run = replace(content.run, name="real", is_synthetic=False)
    estimates = tuple(
        replace(shown, truth=None, estimate=replace(shown.estimate, values=-shown.estimate.values))
        if shown.design in ("nearest_1", "ipw")
        else replace(shown, truth=None)
        for shown in content.estimates
    )
    return replace(content, run=run, estimates=estimates)


@pytest.fixture(scope="module")
def synthetic(tmp_path_factory: pytest.TempPathFactory) -> str:
    return written(small(is_synthetic=True), tmp_path_factory.mktemp("synthetic"))


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> str:
    return written(small(is_synthetic=False), tmp_path_factory.mktemp("real"))


def test_every_tag_is_closed_and_every_id_is_unique(synthetic: str) -> None:
    page = Page(synthetic)
    assert page.open == []
    ids = Counter(attributes["id"] for _, attributes in page.tags if attributes.get("id"))
    assert [name for name, times in ids.items() if times > 1] == []


def test_every_reference_within_the_page_is_there(synthetic: str) -> None:
    page = Page(synthetic)
    ids = {attributes.get("id") for _, attributes in page.tags}
    for link in page.all("a"):
        href = link.get("href") or ""
        if href.startswith("#"):
            assert href[1:] in ids
    for _, attributes in page.tags:
        for name in ("aria-labelledby", "headers"):
            for reference in (attributes.get(name) or "").split():
                assert reference in ids


def test_nothing_is_fetched(synthetic: str, real: str) -> None:
    for html in (synthetic, real):
        page = Page(html)
        assert not {tag for tag, _ in page.tags} & {"link", "iframe", "object", "embed", "img", "base"}
        assert not [a for tag, a in page.tags if tag == "script" and a.get("src")]
        for address in re.findall(r'url\(\s*["\']?([^"\')]+)', html):
            assert address.startswith(("data:font/woff2;base64,", "#"))
        assert not re.search(r"@import|srcset|\bfetch\(|XMLHttpRequest", html)
        hrefs = [link["href"] or "" for link in page.all("a")]
        assert not [href for href in hrefs if re.match(r"\w+:|//|/", href)]


def test_headings_stand_in_order(synthetic: str) -> None:
    levels = [int(tag[1]) for tag, _ in Page(synthetic).tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels.count(1) == 1
    for above, below in pairwise(levels):
        assert below <= above + 1


def test_landmarks_and_names(synthetic: str) -> None:
    page = Page(synthetic)
    for tag in ("header", "nav", "main", "footer"):
        assert len(page.all(tag)) == 1
    assert page.all("html")[0]["lang"] == "en"
    assert page.all("a")[0] == {"class": "skip", "href": "#main"}
    for section in page.all("section"):
        assert section.get("aria-labelledby")
    for _, attributes in page.tags:
        if attributes.get("role") in ("img", "region", "group"):
            assert attributes.get("aria-label")


def test_both_languages_are_there_in_equal_number(synthetic: str) -> None:
    page = Page(synthetic)
    classes: Counter[str] = Counter()
    for _, attributes in page.tags:
        classes.update((attributes.get("class") or "").split())
    assert classes["en"] == classes["es"] > 100
    for _, attributes in page.tags:
        for code in ("en", "es"):
            if code in (attributes.get("class") or "").split():
                assert attributes.get("lang") == code


def test_synthetic_pages_say_so_everywhere(synthetic: str) -> None:
    page = Page(synthetic)
    assert "SYNTHETIC DATA · DATOS SINTÉTICOS" in synthetic.split("</title>", maxsplit=1)[0]
    assert [a for a in page.all("div") if a.get("class") == "banner"]
    exhibits = page.all("figure")
    marks = [a for a in page.all("span") if a.get("class") == "synthetic-mark"]
    assert len(exhibits) == len(marks) > 12


def test_real_pages_do_not(real: str) -> None:
    page = Page(real)
    text = " ".join(page.text)
    assert "SYNTHETIC" not in text
    assert "SINTÉTICOS" not in text
    assert not [a for a in page.all("div") if a.get("class") == "banner"]
    assert not [a for a in page.all("figure") if a.get("id") == "truth"]
    assert "Hidden bias" in text


def test_numbers_of_exhibits_rise(synthetic: str) -> None:
    names = re.findall(r'class="ordinal"><span class="en" lang="en">(Table|Figure) (\d+)', synthetic)
    for kind in ("Table", "Figure"):
        numbers = [int(number) for name, number in names if name == kind]
        assert numbers == list(range(1, len(numbers) + 1))


def test_nothing_from_the_input_becomes_markup(tmp_path: Path) -> None:
    content = small(is_synthetic=False)
    label = Label(HOSTILE, HOSTILE)
    first = content.estimates[1]
    hostile = replace(
        first,
        labels={"outcome": label, "population": label, "design": label},
        estimate=replace(
            first.estimate,
            spec={HOSTILE: HOSTILE},
            checks=(Check(HOSTILE, False, HOSTILE),),
            uncertainty=replace(first.estimate.uncertainty, method=HOSTILE),
        ),
        balance=tuple(replace(row, label=label) for row in first.balance),
    )
    made = replace(
        content,
        estimates=(content.estimates[0], hostile, *content.estimates[2:]),
        run=replace(
            content.run,
            data_raw=label,
            code_version=HOSTILE,
            packages={HOSTILE: HOSTILE},
            input_files=(
                InputFile(survey=HOSTILE, year=None, name=HOSTILE, rows=None, size_bytes=1, sha256=HOSTILE),
            ),
        ),
    )
    html = written(made, tmp_path)
    page = Page(html)
    assert len(page.all("script")) == 1
    assert page.all("img") == []
    assert not [a for _, a in page.tags if any(name.startswith("on") for name in a)]


def test_what_is_missing_is_listed_not_invented(tmp_path: Path) -> None:
    content = small(is_synthetic=False)
    bare = [
        replace(s, balance=(), overlap=None, sensitivity=None, estimate=replace(s.estimate, checks=()))
        for s in content.estimates[:3]
    ]
    made = replace(
        content,
        estimates=tuple(bare),
        survey=SurveyFacts(),
        run=replace(content.run, input_files=(), sources=(), packages={}),
    )
    html = written(made, tmp_path)
    text = " ".join(" ".join(Page(html).text).split())
    assert "Balance of covariates: needs balance tables of the headline question." in text
    assert "Balance was not recorded for this estimate" in text
    assert "Estimates beside the planted truth" not in text
    assert not re.search(r'<figure[^>]*id="(balance|overlap|love-plot|truth|data-files)"', html)


def test_a_headline_on_few_shows_no_number(tmp_path: Path) -> None:
    content = small(is_synthetic=False)
    few = [
        replace(shown, estimate=replace(shown.estimate, sample=replace(shown.estimate.sample, treated=4)))
        for shown in content.estimates[:3]
    ]
    made = replace(content, estimates=tuple(few), survey=SurveyFacts())
    text = " ".join(Page(written(made, tmp_path)).text)
    assert "No adjusted estimate can be shown." in text
    assert "+20.0" not in text


def test_contrast_is_enough_in_light_and_dark() -> None:
    """WCAG 2.2, AA: 4.5 to 1 for text."""
    css = files("juntos_eval.reporting").joinpath("templates", "report.css").read_text(encoding="utf-8")
    for block in (css.split("@media")[0], css.split("prefers-color-scheme: dark")[1].split("* {")[0]):
        colours = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", block))
        for ink in ("ink", "soft", "accent", "good", "bad", "figure-ink", "figure-grey"):
            for paper in ("paper", "wash"):
                assert contrast(colours[ink], colours[paper]) >= 4.5, (ink, paper)
        assert contrast(colours["ink"], colours["accent-wash"]) >= 4.5
        assert contrast(colours["warn-ink"], colours["warn"]) >= 4.5


def contrast(one: str, other: str) -> float:
    low, high = sorted(map(luminance, (one, other)))
    return (high + 0.05) / (low + 0.05)


def luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
