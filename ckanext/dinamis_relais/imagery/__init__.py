"""Imagery: scenes come in (harvest), are found (explorer, tiles, STAC API) and go out as series datasets."""
