"""What the style sheet promises: both themes name the same colours, and nothing is loaded from elsewhere."""

import re
from pathlib import Path

import pytest

import plainview.web

WEB = Path(plainview.web.__file__).parent
STYLE = (WEB / "static/plainview/plainview.css").read_text()
CHOSEN_DARK = r':root\[data-theme="dark"\] \{(.*?)\}'
DEVICE_DARK = r':root:not\(\[data-theme="light"\]\) \{(.*?)\}'


def colours(pattern):
    (block,) = re.findall(pattern, STYLE, re.DOTALL)
    return dict(re.findall(r"(--[\w-]+): (#[0-9A-F]{6})", block))


def luminance(colour):
    parts = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one, other):
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


LIGHT = colours(r":root \{\n  color-scheme: light;(.*?)\}")
DARK = colours(CHOSEN_DARK)


def test_dark_by_choice_and_dark_by_device_are_the_same():
    assert colours(DEVICE_DARK) == DARK
    assert set(DARK) == set(LIGHT)


def test_the_colours_are_those_that_were_decided():
    assert [LIGHT[f"--{name}"] for name in ("page", "surface", "ink", "second", "rule", "edge", "link")] == (
        ["#F7F6F3", "#FFFFFF", "#1A1C1E", "#54585D", "#D8D6D0", "#8A8D91", "#0B4F8A"]
    )
    assert [DARK[f"--{name}"] for name in ("page", "surface", "ink", "second", "rule", "edge", "link")] == (
        ["#121416", "#1B1E21", "#E7E6E2", "#A7ABB0", "#363A3F", "#6C7177", "#86B9EC"]
    )


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("ground", ["--page", "--surface"])
@pytest.mark.parametrize("word", ["--ink", "--second", "--link", "--recorded", "--attention", "--stop"])
def test_words_stand_out_from_their_ground(theme, ground, word):
    # Source: WCAG 2.2, 1.4.3.
    assert contrast(theme[word], theme[ground]) >= 4.5


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_the_edge_of_a_control_and_a_mark_stand_out(theme):
    # Source: WCAG 2.2, 1.4.11 and 1.4.3.
    assert contrast(theme["--edge"], theme["--surface"]) >= 3
    assert contrast(theme["--ink"], theme["--mark"]) >= 4.5
    assert contrast(theme["--on-link"], theme["--link"]) >= 4.5


def shown_files(*endings):
    return [path for path in WEB.rglob("*") if path.suffix in endings]


@pytest.mark.parametrize("path", shown_files(".css", ".js", ".html"), ids=lambda path: path.name)
def test_nothing_is_loaded_from_elsewhere_or_evaluated(path):
    text = path.read_text()
    assert not re.findall(r"""(?:src|href|url\()\s*=?\s*["'(]?\s*(?:https?:)?//""", text)
    assert not re.findall(
        r"\beval\(|new Function|\.innerHTML|\.outerHTML|document\.write|insertAdjacentHTML", text
    )


@pytest.mark.parametrize("path", shown_files(".html"), ids=lambda path: path.name)
def test_no_page_has_style_or_script_written_into_it(path):
    text = path.read_text()
    assert not re.findall(r"""\sstyle=|<style|\son[a-z]+=["']|javascript:""", text)
    assert all("src=" in tag for tag in re.findall(r"<script[^>]*>", text))


# docs/glossary.md: they promise what nobody can check, judge a person, or sell.
NEVER = re.compile(
    r"tamper-proof|immutable|forensic|\bauthentic\b|\bvalid\b|\bverified\b|\bAI\b|\bsmart\b|\binsights?\b|\bsuspect\b|"
    r"\bcivilian|\blie\b|\bguilty\b|\bviolation|video proves|compliance score|\bassets?\b|evidence item|\bpurge|\bOops",
    re.IGNORECASE,
)


@pytest.mark.parametrize("path", shown_files(".html"), ids=lambda path: path.name)
def test_no_page_says_what_must_never_be_said(path):
    words = re.sub(r"<[^>]*>|\{%.*?%\}|\{\{.*?\}\}|\{#.*?#\}", " ", path.read_text())
    assert NEVER.findall(words) == []
    assert "!" not in words


def test_the_search_for_words_finds_one():
    assert NEVER.findall("This verified asset is tamper-proof")
