"""What the demonstration's queues and lists hold: use cases, news, a question, a request, a report. All is made up."""

from __future__ import annotations

import datetime as dt
import time
from typing import Any

import ckan.plugins.toolkit as tk
from ckan import model

from ckanext.dinamis_relais.accounts import active_organizations
from ckanext.dinamis_relais.gateway.delivery import deliver_once
from ckanext.dinamis_relais.portal.demo import FILES, PEOPLE, as_user
from ckanext.dinamis_relais.portal.demo_pictures import picture

_INVENTED = "*Exemple fictif, écrit pour la démonstration : rien de ce qui suit n'est réel.*\n\n"
#: Fictitious use cases: SIREN of the organisation, picture, whether it is published, texts.
CASES: tuple[tuple[str, str, bool, dict[str, Any]], ...] = (
    ("212403224", "hedges", True, {
        "title": "Exemple fictif : les haies comptées à la parcelle",
        "summary": "Un inventaire des haies de la commune, refait chaque année sur l'image d'été.",
        "themes": ["forest", "agriculture", "biodiversity"],
        "result": _INVENTED + "# Le besoin\n\nSavoir où replanter, sans parcourir toute la commune.\n\n"
                  "# La démarche\n\n"
                  "- l'image d'été, en couleurs infrarouges ;\n- un seuil de NDVI, puis une correction à l'écran ;\n"
                  "- une visite des vingt haies douteuses.\n\n# Le résultat\n\n| Année | Haies |\n|---|---|\n"
                  "| 2022 | 41 km |\n| 2023 | 43 km |\n\nÀ refaire autrement : choisir une image de juin, "
                  "avant les moissons.",
        "picture_alt": "Vue du ciel dessinée : des parcelles rouges et beiges séparées par des haies foncées.",
    }),
    ("211600150", "town", True, {
        "title": "Exemple fictif : ce qui s'est construit en quatre ans",
        "summary": "Deux images à quatre ans d'écart, pour mettre à jour l'observatoire du foncier.",
        "themes": ["planning"],
        "result": _INVENTED + "# La démarche\n\nLes deux images sont superposées dans QGIS, et chaque écart est relu "
                  "par le service.\n\n# Le résultat\n\nQuatre secteurs construits depuis, entourés sur l'image.",
        "picture_alt": "Vue du ciel dessinée : des îlots gris et verts, quatre rectangles rouges autour de bâtiments.",
    }),
    ("214001927", "forest", True, {
        "title": "Exemple fictif : la surface brûlée, une semaine après",
        "summary": "Le contour d'un incendie tracé sur une image, pour préparer les travaux de la forêt.",
        "themes": ["risks", "forest"],
        "result": _INVENTED + "# La démarche\n\nUne image d'avant, une image d'après, et la différence de NDVI.\n\n"
                  "# Le résultat\n\nUn contour à 6 m près, remis aux propriétaires.",
        "picture_alt": "Vue du ciel dessinée : une forêt verte et une tache noire bordée d'orange.",
    }),
    ("213300395", "", False, {
        "title": "Exemple fictif : où planter contre la chaleur",
        "summary": "Les cours d'école sans arbre, repérées sur l'image d'été.",
        "themes": ["climate", "planning"],
        "result": _INVENTED + "# Le besoin\n\nChoisir les dix premières cours à planter.\n\n# Le résultat\n\n"
                  "Une carte des cours sans ombre, que le conseil municipal a discutée.",
    }),
)  # fmt: skip
#: Period of the report that a visitor finds; the demonstration's setting makes it say what it is.
REPORT = "12m"
QUESTION = {
    "title": "Quelle image pour voir les haies ?",
    "text": "Bonjour (exemple fictif). Nous voulons suivre les haies de Bègles. Une image à 1,5 m suffit-elle, ou "
            "faut-il demander Pléiades ?",
    "about": "/dinamis/guides/foret",
}  # fmt: skip
NEWS = {
    "kind": "news", "title": "Exemple fictif : les images de 2023 sont au catalogue",
    "body": _INVENTED + "Les scènes du bac à sable sont synthétiques : elles imitent des images SPOT 6/7.",
}  # fmt: skip
EVENT = {
    "kind": "event", "title": "Exemple fictif : prise en main des images dans QGIS",
    "place": "Bordeaux", "capacity": 20,
    "body": _INVENTED + "Deux heures pour ouvrir une image et calculer un NDVI.",
}  # fmt: skip
REQUEST = {
    "title": "Bègles, après l'été (exemple fictif)",
    "purpose": "Exemple fictif : suivi des arbres plantés dans les cours d'école par le service des espaces verts.",
    "place": "33039", "place_kind": "commune", "cloud": 10,
}  # fmt: skip


def _pigma() -> Any:
    return as_user(PEOPLE["super_referent"][0])


def _lou() -> Any:
    return as_user(PEOPLE["member"][0])


def wait_for_the_account(seconds: int) -> bool:
    """Deliver until Lou's account is active, as it is once DINAMIS has confirmed it; whether it is."""
    user = model.User.get(PEOPLE["member"][0])
    end = time.monotonic() + seconds
    while user is not None and time.monotonic() < end:
        model.Session.rollback()
        if active_organizations(user.id):
            return True
        deliver_once()
        time.sleep(0.5)
    return False


def _series() -> list[str]:
    found = tk.get_action("package_search")({"user": ""}, {"fq": "type:imagery-series", "rows": 2})
    return [one["id"] for one in found["results"]]


def _case(siren: str, kind: str, published: bool, texts: dict[str, Any], series: list[str]) -> bool:
    """One use case, unless it was made before, whatever became of it; whether it was made."""
    same = model.Session.query(model.Package.id).filter_by(type="imagery-use-case", title=texts["title"])
    place = next(one[3] for one in FILES if one[1] == siren)
    members = tk.get_action("dinamis_membership_list")(_pigma(), {"q": siren})["results"]
    if same.first() or not members:
        return False
    by = _pigma if published else _lou
    data = {**texts, "series": series, "territory": place, "contact_office": f"Service SIG de {place} (fictif)",
            "organization_id": members[0]["organization_id"]}  # fmt: skip
    if kind:
        data |= {
            "picture": picture(kind),
            "picture_credit": "Dessin du bac à sable : ce n'est pas une image satellite.",
        }
    case = tk.get_action("dinamis_use_case_create")(by(), data)
    tk.get_action("dinamis_use_case_transition")(by(), {"id": case["id"], "transition": "propose"})
    if published:
        tk.get_action("dinamis_use_case_transition")(_pigma(), {"id": case["id"], "transition": "publish"})
    return True


def _news(texts: dict[str, Any], **more: Any) -> bool:
    """A piece of news or an event, published, unless it was made before; whether it was made."""
    known = tk.get_action("dinamis_news_list")(_pigma(), {"limit": 1000})["results"]
    if texts["title"] in {one["title"] for one in known}:
        return False
    made = tk.get_action("dinamis_news_create")(_pigma(), {**texts, **more})
    tk.get_action("dinamis_news_transition")(_pigma(), {"id": made["id"], "transition": "publish"})
    return True


def fill(report: Any = print, patience: int = 30) -> None:
    """Use cases, news, a question, a request and a report, each made once; the worker makes the report by itself.

    :param patience: seconds to wait for DINAMIS to confirm Lou's account; without it, what needs it is left out
    :raises toolkit.ValidationError: an action refuses, for instance while API Géo is down
    """
    ready = wait_for_the_account(patience)
    series = _series()
    for siren, kind, published, texts in CASES:
        if (published or ready) and _case(siren, kind, published, texts, series):
            report(texts["title"])
    day = dt.datetime.now(dt.timezone.utc).replace(hour=9, minute=0, second=0, microsecond=0) + dt.timedelta(days=30)
    for texts, more in ((NEWS, {}), (EVENT, {"starts_at": day.isoformat()})):
        if _news(texts, **more):
            report(texts["title"])
    if not tk.get_action("dinamis_question_list")(_pigma(), {"q": QUESTION["title"]})["count"]:
        tk.get_action("dinamis_question_create")(_lou(), dict(QUESTION))
        report(QUESTION["title"])
    if ready and not tk.get_action("dinamis_request_list")(_pigma(), {"q": REQUEST["title"]})["count"]:
        today = dt.datetime.now(dt.timezone.utc).date()
        period = {"starts_on": today + dt.timedelta(days=30), "ends_on": today + dt.timedelta(days=120)}
        days = {key: value.isoformat() for key, value in period.items()}
        tk.get_action("dinamis_request_create")(_lou(), {**REQUEST, **days})
        report(REQUEST["title"])
    if not tk.get_action("dinamis_report_list")(_pigma(), {"limit": 1})["count"]:
        made = tk.get_action("dinamis_report_create")(_pigma(), {"period": REPORT})
        report(f"Bilan : {made['period']['start']} - {made['period']['end']}")
