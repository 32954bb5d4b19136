"""The words of plainview.web.words, for templates: {% load plainview_words %}."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django import template
from django.utils.html import format_html

from plainview.web import words

if TYPE_CHECKING:
    from datetime import datetime

    from django.utils.safestring import SafeString

register = template.Library()

register.filter("day", words.format_day)
register.filter("date_words", words.format_date)
register.filter("position", words.format_position)
register.filter("percent", words.format_percent)
register.filter("count", words.format_count)


@register.filter
def seconds(position_ms: int) -> str:
    """Write a place in a recording as addresses do: 52.3."""
    return f"{position_ms / 1000:.3f}".rstrip("0").rstrip(".")


@register.filter
def named(key: int, name: str) -> str:
    """Write the id of an element that is about one row: revoke-17."""
    return f"{name}-{key}"


@register.filter
def moment(at: datetime, zone: str = "UTC") -> SafeString:
    """Write a moment in full, in its place's zone."""
    return format_html('<time datetime="{}">{}</time>', words.iso_time(at, zone), words.format_time(at, zone))


@register.filter
def clock(at: datetime, zone: str = "UTC") -> SafeString:
    """Write a moment's time of day, under a heading that says the day; in full on hover."""
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        words.iso_time(at, zone),
        words.format_time(at, zone),
        words.format_clock(at, zone),
    )


@register.filter
def duration(duration_ms: int | None) -> SafeString:
    """Write how long something lasts, and say so where nobody knows."""
    if duration_ms is None:
        return format_html('<span class="second">{}</span>', "length unknown")
    return format_html('<span class="nowrap">{}</span>', words.format_duration(duration_ms))


@register.filter
def size(size_bytes: int) -> SafeString:
    """Write a size."""
    return format_html('<span class="nowrap">{}</span>', words.format_size(size_bytes))


@register.filter
def identifier(spelled: str) -> SafeString:
    """Write an identifier so that no line breaks in it."""
    return format_html('<span class="identifier">{}</span>', spelled)


@register.filter
def ago(at: datetime, now: datetime) -> SafeString:
    """Write roughly how long ago a moment was; in full on hover."""
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        words.iso_time(at, "UTC"),
        words.format_time(at, "UTC"),
        words.format_ago(now - at),
    )


@register.filter
def plural(count: int, word: str) -> str:
    """Write a count with its word: {{ 2|plural:"recording" }}."""
    return words.plural(count, word)
