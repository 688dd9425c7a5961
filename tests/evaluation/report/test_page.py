"""Pages: whole, escaped, with nothing from outside; plots that show what they were given."""

import re
import xml.etree.ElementTree as ET
from html.parser import HTMLParser

import numpy as np
import pytest

from gsmooth_core.evaluation.plot import Line
from gsmooth_core.evaluation.report import charts
from gsmooth_core.evaluation.report import page as html
from gsmooth_core.evaluation.report.pictures import jpeg, worst_frames

VOID = {"meta", "img"}
NASTY = '<script>alert("&")</script>'


class Reader(HTMLParser):
    """Follows the tags of a page and remembers its text and its links."""

    def __init__(self, source):
        super().__init__()
        self.open, self.text, self.links, self.tags = [], [], [], []
        self.feed(source)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.links += [v for k, v in attrs if k in ("src", "href")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def whole_page():
    picture = html.picture(jpeg(np.zeros((8, 8, 3), np.uint8)), NASTY)
    curve = Line(NASTY, np.float32([1, np.nan, 3]), 1)
    return html.page(
        NASTY,
        html.text("h1", NASTY, "good"),
        html.tiles([(NASTY, NASTY, NASTY, "poor")]),
        html.table(["", NASTY], [[NASTY, "1"]], [NASTY], [0]),
        html.folded(NASTY, NASTY, picture, opened=True),
        html.side_by_side([picture]),
        html.drawing(charts.lines(np.arange(3.0), [curve], "s"), NASTY),
        html.drawing(charts.dots([(NASTY, [0.5, None])], [NASTY, "b"]), NASTY),
        html.glossary([(NASTY, NASTY)]),
    )


def test_a_page_is_whole_and_takes_words_as_words():
    reader = Reader(whole_page())
    assert reader.open == []
    assert "script" not in reader.tags
    assert sum(NASTY in text for text in reader.text) >= 12


def test_a_page_needs_nothing_from_elsewhere():
    source = whole_page()
    assert all(link.startswith("data:image/jpeg;base64,") for link in Reader(source).links)
    assert not re.search(r"url\(|@import|https?://", source)
    assert "prefers-color-scheme: dark" in source


def path_points(svg):
    root = ET.fromstring(svg)  # noqa: S314
    (path,) = [e for e in root.iter() if e.tag.endswith("path")]
    return [
        (pen, float(x), float(y))
        for pen, x, y in re.findall(r"([ML])(\S+?) ([\d.]+)", path.get("d"))
    ]


def svg_of(markup):
    return markup[markup.index("<svg") : markup.index("</svg>") + 6]


def test_a_curve_is_drawn_where_its_values_are():
    x, y = np.arange(5.0), np.float32([0, 1, np.nan, 4, 2])
    points = path_points(svg_of(charts.lines(x, [Line("a", y, 0)], "s")))
    assert [pen for pen, _, _ in points] == ["M", "L", "M", "L"]  # NaN is a gap
    across, down = np.array([p[1] for p in points]), np.array([p[2] for p in points])
    np.testing.assert_allclose(
        np.diff(across) / (across[-1] - across[0]), [0.25, 0.5, 0.25], atol=1e-3
    )
    np.testing.assert_allclose((down - down[0]) / (down[2] - down[0]), [0, 0.25, 1, 0.5], atol=2e-3)
    assert down[2] < down[0]  # up is more


def test_dots_stand_in_the_order_of_their_values():
    drawn = svg_of(charts.dots([("a", [0.1, 0.9, None, 0.5])], ["w", "x", "y", "z"]))
    root = ET.fromstring(drawn)  # noqa: S314
    circles = [e for e in root.iter() if e.tag.endswith("circle")]
    places = [float(c.get("cx")) for c in circles]
    assert places[0] < places[2] < places[1]
    assert len(places) == 3


@pytest.mark.parametrize("values", [[], [np.nan, np.nan]])
def test_nothing_is_drawn_of_nothing(values):
    y = np.float32(values)
    assert "<svg" not in charts.lines(np.arange(float(len(y))), [Line("a", y, 0)], "s")


def test_long_curves_are_thinned():
    y = np.sin(np.arange(200_000) / 999).astype(np.float32)
    assert len(charts.lines(np.arange(200_000.0), [Line("a", y, 0)], "s")) < 50_000


def test_the_worst_frames_do_not_lie_side_by_side():
    badness = np.float32([0, 5, 6, 5, 0, 0, 3, np.nan, 9, 0])
    assert worst_frames(badness, 3, apart=2) == [8, 2, 5]
    assert worst_frames(np.full(4, np.nan, np.float32), 2, 1) == []
