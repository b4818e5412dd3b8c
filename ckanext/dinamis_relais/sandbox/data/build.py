"""Make ``bodies.json`` from the npm package ``@etalab/decoupage-administratif`` (Licence Ouverte).

``npm pack @etalab/decoupage-administratif@6.0.0``, unpack it, then ``python build.py <package folder>``.
Names, codes, SIREN, populations and memberships are the package's; the départements' SIREN are the public register's.
Centres are approximate places of the town halls, written here by hand; addresses and the last digits of SIRET numbers
are synthetic, and say so.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from stdnum import luhn

#: Insee code → approximate centre (longitude, latitude)
PLACES = {
    "16015": (0.156, 45.648), "17300": (-1.152, 46.160), "17415": (-0.633, 45.746), "17299": (-0.958, 45.937),
    "17306": (-1.029, 45.628), "19272": (1.770, 45.267), "19031": (1.533, 45.159), "23096": (1.871, 46.171),
    "24322": (0.721, 45.184), "24037": (0.483, 44.851), "24520": (1.217, 44.889), "33063": (-0.579, 44.838),
    "33039": (-0.549, 44.808), "33281": (-0.645, 44.842), "33318": (-0.631, 44.806), "33522": (-0.588, 44.808),
    "33009": (-1.168, 44.658), "33529": (-1.147, 44.635), "33243": (-0.240, 44.914), "33227": (-0.249, 44.553),
    "33214": (-1.076, 44.978), "40192": (-0.500, 43.890), "40088": (-1.053, 43.710), "40046": (-1.163, 44.394),
    "47001": (0.620, 44.203), "47157": (0.165, 44.500), "47323": (0.705, 44.408), "64445": (-0.370, 43.295),
    "64102": (-1.475, 43.493), "64122": (-1.559, 43.483), "79191": (-0.464, 46.324), "79049": (-0.490, 46.840),
    "79202": (-0.247, 46.649), "86194": (0.340, 46.580), "86066": (0.545, 46.817), "87085": (1.261, 45.834),
    "87154": (0.901, 45.888),
}  # fmt: skip
#: Départements' own SIREN, from the public register Sirene (Licence Ouverte): the package has none.
DEPARTMENTS = {
    "16": ("DEPARTEMENT DE LA CHARENTE", "221600018", "16015"),
    "17": ("DEPARTEMENT DE LA CHARENTE-MARITIME", "221700016", "17300"),
    "19": ("DEPARTEMENT DE LA CORREZE", "221927205", "19272"),
    "23": ("DEPARTEMENT DE LA CREUSE", "222309627", "23096"),
    "24": ("DEPARTEMENT DE LA DORDOGNE", "222400012", "24322"),
    "33": ("DEPARTEMENT DE LA GIRONDE", "223300013", "33063"),
    "40": ("DEPARTEMENT DES LANDES", "224000018", "40192"),
    "47": ("DEPARTEMENT DU LOT-ET-GARONNE", "224700013", "47001"),
    "64": ("DEPARTEMENT DES PYRENEES-ATLANTIQUES", "226400018", "64445"),
    "79": ("DEPARTEMENT DES DEUX-SEVRES", "227900016", "79191"),
    "86": ("DEPARTEMENT DE LA VIENNE", "228600011", "86194"),
    "87": ("DEPARTEMENT DE LA HAUTE-VIENNE", "228708517", "87085"),
}
EPCI_CATEGORIES = {"METRO": "7344", "CU": "7343", "CA": "7348", "CC": "7346"}
#: Synthetic bodies: what a form must also cope with. Their SIREN pass the check digit and belong to nobody known.
SYNTHETIC = (
    ("Association exemple (synthétique)", "9220", "99900001"),
    ("Société exemple (synthétique)", "5710", "99900002"),
    ("Université exemple (synthétique)", "7383", "99900003"),
)


def siret(siren: str) -> str:
    """A head office's SIRET: a made-up NIC ``0001`` and the check digit."""
    body = f"{siren}0001"
    return body + luhn.calc_check_digit(body)


def body(name: str, category: str, siren: str, commune: dict[str, Any]) -> dict[str, Any]:
    """One body as the sandbox keeps it."""
    postal = (commune.get("codesPostaux") or ["33000"])[0]
    return {
        "nom": name, "siren": siren, "siret": siret(siren), "nature_juridique": category,
        "commune": commune["code"], "libelle_commune": commune["nom"], "code_postal": postal,
        "adresse": f"1 PLACE DE LA MAIRIE {postal} {commune['nom'].upper()}",
        "synthetique": ["siret", "adresse"],
    }  # fmt: skip


def main(package: Path) -> None:
    """Write ``bodies.json`` beside this script."""
    communes = {
        c["code"]: c
        for c in json.loads((package / "data/communes.json").read_text())
        if c["type"] == "commune-actuelle"
    }
    epcis = json.loads((package / "data/epci.json").read_text())
    by_member = {m["code"]: e for e in epcis for m in e["membres"]}
    departments = [d for d in json.loads((package / "data/departements.json").read_text()) if d["region"] == "75"]
    places, bodies, kept = [], [], {}
    for code, (lon, lat) in PLACES.items():
        commune = communes[code]
        epci = by_member.get(code)
        places.append({
            "code": code, "nom": commune["nom"], "siren": commune["siren"], "codesPostaux": commune["codesPostaux"],
            "population": commune["population"], "codeDepartement": commune["departement"], "codeRegion": "75",
            "codeEpci": epci["code"] if epci else None, "centre": [lon, lat],
        })  # fmt: skip
        bodies.append(body(f"COMMUNE DE {commune['nom'].upper()}", "7210", commune["siren"], commune))
        if epci and epci["code"] not in kept:
            kept[epci["code"]] = {"code": epci["code"], "nom": epci["nom"], "population": epci["populationTotale"],
                                  "centre": [lon, lat], "codeDepartement": commune["departement"]}  # fmt: skip
            bodies.append(body(epci["nom"].upper(), EPCI_CATEGORIES.get(epci["type"], "7346"), epci["code"], commune))
    bodies.extend(body(name, "7220", siren, communes[town]) for name, siren, town in DEPARTMENTS.values())
    bodies.append(body("REGION NOUVELLE-AQUITAINE", "7230", "200053759", communes["33063"]))
    for name, category, number in SYNTHETIC:
        made = body(name, category, number + luhn.calc_check_digit(number), communes["33063"])
        bodies.append({**made, "synthetique": ["nom", "siren", *made["synthetique"]]})
    found = {
        "source": "npm @etalab/decoupage-administratif 6.0.0 (Licence Ouverte); see build.py for what is synthetic",
        "communes": places, "epcis": list(kept.values()),
        "departements": [{"code": d["code"], "nom": d["nom"], "codeRegion": "75"} for d in departments],
        "bodies": bodies,
    }  # fmt: skip
    target = Path(__file__).with_name("bodies.json")
    target.write_text(json.dumps(found, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
