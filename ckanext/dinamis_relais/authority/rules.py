"""Rules of granting: pure."""

from __future__ import annotations

from ckanext.dinamis_relais.authority import GRANTED, Role


def check_grant(role: str, organization_id: str | None) -> dict[str, str]:
    """What is wrong with a grant, by field; empty when nothing is.

    A global role names no organisation; the others must name one.
    """
    grantable = ", ".join(r.value for r in GRANTED)
    try:
        scope = GRANTED[Role(role)]
    except (KeyError, ValueError):
        return {"role": f"'{role}' cannot be granted. Use one of: {grantable}."}
    if scope == "global" and organization_id:
        return {"organization_id": f"'{role}' is held for all organisations: leave the organisation out."}
    if scope == "organization" and not organization_id:
        return {"organization_id": f"'{role}' is held for one organisation: name it."}
    return {}
