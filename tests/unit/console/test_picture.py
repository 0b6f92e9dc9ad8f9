"""Pictures of screens: well-formed, on their own, and what they show."""

import re
from xml.etree import ElementTree

import pytest

from ubtest.console.picture import beside, picture
from ubtest.console.screen import Page, Screen

SVG = "{http://www.w3.org/2000/svg}"


def page(data):
    shown = Screen(6, 40)
    shown.feed(data)
    return shown.page


def texts(svg):
    return [node.text for node in ElementTree.fromstring(svg).iter(f"{SVG}text")]


def test_title_and_text():
    svg = picture(page(b"one & <two>\r\nthree"), "first <screen>")
    assert texts(svg) == ["first <screen>", "one & <two>", "three"]
    assert ElementTree.fromstring(svg).findtext(f"{SVG}title") == "first <screen>"


def test_nothing_comes_from_elsewhere():
    svg = picture(page(b"\x1b[31mred\x1b[0m"), "x")
    assert re.findall(r"https?://[^\"]*", svg) == ["http://www.w3.org/2000/svg"]
    assert "@import" not in svg and "url(" not in svg and "href" not in svg


def test_reverse_video_is_a_box_and_text_in_the_grounds_colour():
    root = ElementTree.fromstring(picture(page(b"\x1b[2;5H\x1b[7mExit\x1b[0m"), "x"))
    (box,) = [n for n in root.iter(f"{SVG}rect") if n.get("class") == "f"]
    assert (box.get("width"), box.get("height")) == ("32", "17")
    (text,) = [n for n in root.iter(f"{SVG}text") if n.text == "Exit"]
    assert text.get("class") == "g"


@pytest.mark.parametrize(
    ("sequence", "style"),
    [
        (b"\x1b[31m", "red"),
        (b"\x1b[93m", "brown"),
        (b"\x1b[1;34m", "blue b"),
        (b"\x1b[38;5;99m", "f"),
    ],
)
def test_colours(sequence, style):
    root = ElementTree.fromstring(picture(page(sequence + b"text"), "x"))
    assert [n.get("class") for n in root.iter(f"{SVG}text") if n.text == "text"] == [style]


def test_light_and_dark():
    svg = picture(page(b"x"), "x")
    light, _, dark = svg.partition("@media(prefers-color-scheme:dark)")
    assert ".g{fill:#ffffff}" in light and ".g{fill:#0d1117}" in dark


def test_wide_characters_are_as_wide_as_their_cells():
    root = ElementTree.fromstring(picture(page("漢字ab".encode()), "x"))
    (text,) = [n for n in root.iter(f"{SVG}text") if n.text == "漢字ab"]
    assert text.get("textLength") == "48"


def test_two_screens_side_by_side():
    svg = beside((page(b"came"), "came"), (Page.of("wanted\n│this│"), "expected"))
    assert texts(svg) == ["came", "came", "expected", "wanted", "this"]
    inner = ElementTree.fromstring(svg).findall(f"{SVG}svg")
    assert [int(n.get("x")) for n in inner] == [0, 40 * 8 + 16]
