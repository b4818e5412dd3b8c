"""Questions, requests for images and what else people use."""

from __future__ import annotations

from pathlib import Path

from ckanext.dinamis_relais.config.base import get, path

__all__ = [
    "question_file_mb",
    "question_files",
    "question_late_days",
    "question_thread_mb",
    "questions_per_person",
    "request_area_mb",
    "request_area_points",
    "request_area_unpacked_mb",
    "request_lead_days",
    "request_max_km2",
    "request_products",
    "request_quotas",
    "request_window_days",
    "requests_per_person",
]


def questions_per_person() -> int:
    """Messages of questions that one person may write, per hour."""
    return int(get("questions_per_person"))


def question_files() -> int:
    """Files that may come with one message of a question."""
    return int(get("question_files"))


def question_file_mb() -> int:
    """Largest file of a question, in MB (10**6 bytes)."""
    return int(get("question_file_mb"))


def question_thread_mb() -> int:
    """All files of one question together, in MB (10**6 bytes)."""
    return int(get("question_thread_mb"))


def question_late_days() -> int:
    """Days after which a question that waits for PIGMA is marked as late; 0 for never."""
    return int(get("question_late_days"))


def request_products() -> list[str]:
    """Resolutions that may be asked for, as ``NAME:METRES``."""
    return list(get("request_products") or [])


def request_window_days() -> int:
    """Fewest days that the period of a request for an image lasts."""
    return int(get("request_window_days"))


def request_lead_days() -> int:
    """Fewest days from today to the end of a request's period."""
    return int(get("request_lead_days"))


def request_max_km2() -> int:
    """Largest area of a request, in square kilometres; 0 for any."""
    return int(get("request_max_km2"))


def request_area_mb() -> int:
    """Largest file of an area, in MB (10**6 bytes)."""
    return int(get("request_area_mb"))


def request_area_unpacked_mb() -> int:
    """Largest content of an archive with an area, in MB (10**6 bytes)."""
    return int(get("request_area_unpacked_mb"))


def request_area_points() -> int:
    """Most points of an area."""
    return int(get("request_area_points"))


def request_quotas() -> Path | None:
    """The operator's file of quotas of new images; None for no quota."""
    return path("request_quotas")


def requests_per_person() -> int:
    """Requests for images that one person may send, per day."""
    return int(get("requests_per_person"))
