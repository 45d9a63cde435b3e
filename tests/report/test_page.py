import re
from html.parser import HTMLParser

import pytest

from robust_train.report.page import write_page

from .conftest import SCRIPT, collect, outcome, regime

HISTORY = [
    {"epoch": str(k), "train/loss": "1.0", "val/accuracy": "0.5", SCRIPT + "loss": "2"} for k in range(3)
]
VOID = {"meta", "img", "br", "use"}


class Nesting(HTMLParser):
    """Collects the tags and checks that they close in order."""

    def __init__(self):
        super().__init__()
        self.open, self.seen = [], []

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag


@pytest.fixture
def page(results, tmp_path):
    write_page(results, tmp_path / "report.html", f"T {SCRIPT}", HISTORY, f"# {SCRIPT}\nseed: 0\n")
    return (tmp_path / "report.html").read_text(encoding="utf-8")


def tags(text):
    parser = Nesting()
    parser.feed(text)
    assert parser.open == []
    return parser.seen


def test_no_name_from_outside_becomes_markup(page):
    assert "script" not in {tag for tag, _ in tags(page)}
    assert page.count("&lt;script&gt;") >= 8


def test_nothing_is_fetched(page):
    for _, attributes in tags(page):
        assert not any(name.startswith("on") for name in attributes)
        for name in ("src", "href", "xlink:href"):
            assert attributes.get(name, "#").startswith(("#", "data:image/png"))
    assert not re.search(r"url\((?!#)|@import", page)


def test_everything_is_there_in_order(page):
    heads = re.findall(r"<h2>(.*?)</h2>", page)
    assert heads[:3] == ["What was measured", "What it looks like", "Accuracy against eps"]
    assert heads[3:] == [
        "How small a perturbation is enough",
        "Training",
        "How it was made",
        "How to read the numbers",
    ]
    right = "25.0\u00a0% stay right under pgd"
    for words in (right, "not found", "not finite", "upper bound", "versions.torch"):
        assert words in page


def test_no_number_is_spelt_nan_or_inf(page):
    assert not re.search(
        r">\s*-?(nan|inf)\b", page.replace("overshoot</dt><dd>nan", "").replace("<dd>inf", "")
    )


def test_the_table_has_the_colours_of_the_figures(tmp_path):
    found = outcome([0] * 9, [0] * 9, [1] * 9, [0.5] * 9)
    sweep = [
        regime(f"of_{m}", found, minimal=True, kind="Semirandom", dimension=m, basis="x") for m in (1, 4)
    ]
    write_page(collect(*sweep, regime("pgd", found, eps=0.5)), tmp_path / "report.html", "title")
    shown = re.findall(
        r"--series: var\(--([a-z0-9-]+)\).*?<b>(\w+)</b>", (tmp_path / "report.html").read_text(), re.S
    )
    assert shown == [("soft", "clean"), ("soft", "of_1"), ("soft", "of_4"), ("series-1", "pgd")]


def test_ids_are_unique_where_they_are_drawn(page):
    referred = set(re.findall(r"(?:url\(#|xlink:href=\"#)([^)\"]+)", page))
    defined = re.findall(r'\bid="([^"]+)"', page)
    assert referred <= set(defined)
    assert len(defined) == len(set(defined))


def test_pages_of_nothing(no_regimes, no_samples, tmp_path):
    for empty in (
        no_regimes,
        no_samples,
        collect(clean=no_samples.clean_accuracy, examples=no_samples.examples),
    ):
        write_page(empty, tmp_path / "report.html", "Nothing")
        text = (tmp_path / "report.html").read_text(encoding="utf-8")
        assert tags(text)
        assert "Training</h2>" not in text
