"""Health as actions: the verdicts for anyone, the measures for PIGMA."""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk
from ckan.types import Context, DataDict

from ckanext.dinamis_relais.overview import health


@tk.side_effect_free
def dinamis_health_check(context: Context, data_dict: DataDict) -> dict[str, Any]:
    """Whether the relay works, for a monitor: verdicts only, no measure.

    :returns: ``{"status": "ok" or "failing", "checks": {name: bool}}``
    """
    tk.check_access("dinamis_health_check", context, data_dict)
    checks = {name: found["ok"] for name, found in health.measure().items()}
    return {"status": "ok" if all(checks.values()) else "failing", "checks": checks}


@tk.side_effect_free
def dinamis_health_show(context: Context, data_dict: DataDict) -> dict[str, Any]:
    """Whether the relay works, with what was measured.

    :returns: ``{"status", "checks": {name: {"ok", …measures}}, "harvests": [{"source_id", "title", "finished",
        "errors"}]}``
    """
    tk.check_access("dinamis_health_show", context, data_dict)
    checks = health.measure()
    status = "ok" if all(found["ok"] for found in checks.values()) else "failing"
    return {"status": status, "checks": checks, "harvests": health.harvests()}
