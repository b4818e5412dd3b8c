"""The configuration of a STAC harvest source, checked. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ckanext.dinamis_relais.imagery.moments import parse_moment

#: Role of an asset → keys under which sources have had it: ids and keys were renamed within three months.
ASSET_ROLES: dict[str, list[str]] = {
    "multispectral": ["MS", "ms", "src_xs", "xs", "XS", "multispectral"],
    "panchromatic": ["P", "PAN", "pan", "src_pan", "panchromatic"],
    "thumbnail": ["thumbnail", "thumb"],
    "quicklook": ["quicklook", "overview", "preview", "browse"],
    "metadata": ["metadata", "dimap", "DIMAP"],
}

MAX_PAGE_SIZE = 10_000


@dataclass(frozen=True)
class Settings:
    """What to harvest of a source, and how.

    :ivar collections: ids; empty means all
    :ivar bbox: west, south, east, north in degrees
    :ivar datetime: RFC 3339 instant or interval
    :ivar asset_roles: role → candidate keys, over :data:`ASSET_ROLES`
    :ivar page_size: items a page
    :ivar headers: sent to the source
    :ivar max_vanished: share of a collection, 0 to 1, that may vanish without a confirmation
    :ivar parts: years that begin a new part of each collection, so that several workers share it
    """

    collections: list[str] = field(default_factory=list)
    bbox: list[float] | None = None
    datetime: str | None = None
    asset_roles: dict[str, list[str]] = field(default_factory=lambda: dict(ASSET_ROLES))
    page_size: int = 250
    headers: dict[str, str] = field(default_factory=dict)
    max_vanished: float = 0.1
    parts: list[int] = field(default_factory=list)

    @property
    def spans(self) -> list[str]:
        """The parts as years: ``/2016``, ``2017/2018``, ``2019/``; one empty text when there is only one part."""
        if not self.parts:
            return [""]
        ends = [*(year - 1 for year in self.parts[1:]), None]
        middle = [f"{first}/{'' if last is None else last}" for first, last in zip(self.parts, ends, strict=True)]
        return [f"/{self.parts[0] - 1}", *middle]


class SettingsError(ValueError):
    """What is wrong with a configuration, in English; :meth:`said` has it in the page's language.

    :ivar values: what the sentence names
    """

    def __init__(self, sentence: str, **values: Any):
        self.sentence, self.values = sentence, values
        super().__init__(sentence.format(**values))

    def said(self, translate: Callable[[str], str]) -> str:
        """The sentence, translated.

        :param translate: gettext of the page's language
        """
        return translate(self.sentence).format(**self.values)


def _(sentence: str) -> str:
    """Marks a sentence for translation; :meth:`SettingsError.said` translates it."""
    return sentence


def parse(text: str | None) -> Settings:
    """Settings of a source's configuration text.

    :param text: a JSON object, or nothing
    :raises SettingsError: says which key is wrong and what it should be
    """
    if not text or not text.strip():
        return Settings()
    try:
        given = json.loads(text)
    except ValueError as error:
        raise SettingsError(_("The configuration is no valid JSON: {error}."), error=error) from error
    if not isinstance(given, dict):
        raise SettingsError(
            _("The configuration is no JSON object. Example: {example}"), example='{"collections": ["spot-6-7-drs"]}'
        )
    unknown = sorted(set(given) - set(_CHECKS))
    if unknown:
        raise SettingsError(
            _("Unknown key: {keys}. Possible keys: {possible}."), keys=", ".join(unknown), possible=", ".join(_CHECKS)
        )
    return Settings(**{key: _CHECKS[key](value) for key, value in given.items() if value is not None})


def _collections(value: Any) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(one, str) and one for one in value):
        raise SettingsError(_("collections: give a list of collection ids."))
    return value


def _bbox(value: Any) -> list[float]:
    good = isinstance(value, list) and len(value) == 4 and all(_is_number(one) for one in value)
    if not good or not (-180 <= value[0] <= value[2] <= 180 and -90 <= value[1] <= value[3] <= 90):
        raise SettingsError(_("bbox: give [west, south, east, north] in degrees, like [-1.8, 42.7, 2.7, 47.2]."))
    return [float(one) for one in value]


def _datetime(value: Any) -> str:
    parts = value.split("/") if isinstance(value, str) else []
    if len(parts) not in (1, 2) or not any(part not in ("", "..") for part in parts):
        raise SettingsError(_("datetime: give a date or an interval, for example 2017-01-01T00:00:00Z/.."))
    for part in parts:
        if part not in ("", "..") and parse_moment(part)[0] is None:
            raise SettingsError(_("datetime: '{value}' is no date. Write it as 2017-01-01T00:00:00Z."), value=part)
    return value


def _asset_roles(value: Any) -> dict[str, list[str]]:
    if not isinstance(value, dict):
        raise SettingsError(
            _("asset_roles: give an object such as {example}."), example='{"multispectral": ["MS", "src_xs"]}'
        )
    for role, keys in value.items():
        if role not in ASSET_ROLES:
            raise SettingsError(
                _("asset_roles: unknown role '{role}'. Possible: {possible}."),
                role=role,
                possible=", ".join(ASSET_ROLES),
            )
        if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys):
            raise SettingsError(_("asset_roles: give a list of asset keys for '{role}'."), role=role)
    return {**ASSET_ROLES, **value}


def _page_size(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MAX_PAGE_SIZE:
        raise SettingsError(_("page_size: give a whole number from 1 to {most}."), most=MAX_PAGE_SIZE)
    return value


def _headers(value: Any) -> dict[str, str]:
    if not isinstance(value, dict):
        raise SettingsError(_("headers: give an object such as {example}."), example='{"access-key": "…"}')
    for name, text in value.items():
        if not isinstance(text, str) or any(mark in name + text for mark in "\r\n"):
            raise SettingsError(_("headers: the value of '{name}' must be one line of text."), name=name)
    return value


def _max_vanished(value: Any) -> float:
    if not _is_number(value) or not 0 <= value <= 1:
        raise SettingsError(_("max_vanished: give a share from 0 (nothing may vanish) to 1 (everything may)."))
    return float(value)


def _parts(value: Any) -> list[int]:
    good = isinstance(value, list) and all(isinstance(one, int) and 1900 <= one <= 2200 for one in value)
    if not good or sorted(set(value)) != value:
        raise SettingsError(_("parts: give years in order, each of which begins a part, like [2017, 2020]."))
    return value


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


_CHECKS = {
    "collections": _collections, "bbox": _bbox, "datetime": _datetime, "asset_roles": _asset_roles,
    "page_size": _page_size, "headers": _headers, "max_vanished": _max_vanished, "parts": _parts,
}  # fmt: skip
