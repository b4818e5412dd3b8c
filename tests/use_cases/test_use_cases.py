"""A use case from its draft to the public, by the real actions and pages; nothing of CKAN's own goes around."""

from __future__ import annotations

import io
import json

import ckan.plugins.toolkit as tk
import pytest
from bs4 import BeautifulSoup
from ckan import model
from ckan.tests import factories
from ckan.tests.helpers import call_action
from PIL import Image

from ckanext.dinamis_relais.gateway.model import Mail
from ckanext.dinamis_relais.journal.model import JournalLine
from ckanext.dinamis_relais.use_cases import held_on
from ckanext.dinamis_relais.use_cases.model import UseCase
from tests.accounts.helpers import context_of, forget
from tests.conftest import ROLES
from tests.journalled import journalled
from tests.portal.pages import words

pytestmark = pytest.mark.usefixtures("with_plugins", "entity_service", "clean_index", "clean_redis")

TEXT = {
    "title": "Suivi des haies", "summary": "Les haies de la commune, comptées sur une image.",
    "result": "# Résultat\n\n12 km de haies.\n\n<script>alert(1)</script>", "themes": ["forest", "biodiversity"],
    "territory": "Le sud de Bègles", "contact_office": "Service SIG",
}  # fmt: skip
PAGE = "/dinamis/use-cases/cas-suivi-des-haies"


def write(people, by="member", **more):
    return call_action("dinamis_use_case_create", context_of(people.users[by]["name"]), **{**TEXT, **more})


def step(people, case, name, by="member", **more):
    context = context_of(people.users[by]["name"])
    return call_action("dinamis_use_case_transition", context, id=case["id"], transition=name, **more)


def published(people, **more):
    case = write(people, **more)
    step(people, case, "propose")
    return step(people, case, "publish", "super_referent")


def is_public(case):
    model.Session.rollback()
    return not model.Session.get(model.Package, case["id"], populate_existing=True).private


def mails(case):
    query = model.Session.query(Mail).filter_by(object_type="use_case", object_id=case["id"]).order_by(Mail.created_at)
    return [(mail.name, mail.recipient) for mail in query]


def test_a_use_case_is_proposed_sent_back_and_published(author, browser):
    people = author
    case = write(people)
    assert (case["state"], case["name"]) == ("draft", "cas-suivi-des-haies")
    assert not is_public(case)
    step(people, case, "propose")
    pigma = people.super_referent["email"]
    assert mails(case) == [("use_case_proposed", pigma)]
    with pytest.raises(tk.ValidationError, match="Dites pourquoi"):
        step(people, case, "send_back", "super_referent")
    back = step(people, case, "send_back", "super_referent", reason="Dites quelle année.")
    assert (back["state"], back["reason"]) == ("sent_back", "Dites quelle année.")
    changed = call_action("dinamis_use_case_update", context_of(people.member["name"]), id=case["id"],
                          **{**TEXT, "summary": "En 2023."})  # fmt: skip
    assert (changed["summary"], changed["state"]) == ("En 2023.", "sent_back")
    step(people, case, "propose")
    assert not is_public(case)
    done = step(people, case, "publish", "super_referent")
    assert (done["state"], done["reason"]) == ("published", None)
    assert is_public(case)
    own = people.member["email"]
    assert mails(case) == [
        ("use_case_proposed", pigma), ("use_case_sent_back", own), ("use_case_proposed", pigma),
        ("use_case_published", own),
    ]  # fmt: skip
    lines = [line.event for line in journalled().filter_by(object_id=case["id"])
             .order_by(JournalLine.id)]  # fmt: skip
    assert lines == [
        "use_case.created", "use_case.proposed", "use_case.sent_back", "use_case.changed", "use_case.proposed",
        "use_case.published",
    ]  # fmt: skip
    found = call_action("package_search", {"user": ""}, fq="type:imagery-use-case")
    assert [one["title"] for one in found["results"]] == [TEXT["title"]]
    step(people, case, "unpublish", "super_referent", reason="À votre demande.")
    assert not is_public(case)
    assert call_action("package_search", {"user": ""}, fq="type:imagery-use-case")["count"] == 0
    assert browser.get("anonymous", PAGE).status_code == 404


def test_nothing_is_half_done_when_the_last_part_fails(author, monkeypatch):
    case = write(author)
    step(author, case, "propose")
    monkeypatch.setattr("ckanext.dinamis_relais.use_cases.actions.record", lambda *a, **k: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        step(author, case, "publish", "super_referent")
    assert not is_public(case)
    assert model.Session.get(UseCase, case["id"]).state == "proposed"
    assert [name for name, _to in mails(case)] == ["use_case_proposed"]
    with pytest.raises(ZeroDivisionError):
        write(author, title="Autre")
    model.Session.rollback()
    assert model.Session.query(model.Package).filter_by(title="Autre").count() == 0


def test_who_reads_and_who_writes(author, browser):
    case = write(author)
    inside = {"sysadmin", "super_referent", "referent", "member"}
    assert {role for role in ROLES if browser.get(role, PAGE).status_code == 200} == inside
    # The referent has no account of their own here: a role alone writes no use case.
    with pytest.raises(tk.ValidationError, match="compte actif"):
        write(author, "referent", organization_id=author.organization["id"])
    with pytest.raises(tk.NotAuthorized):
        write(author, "outsider")
    other = factories.Organization()
    with pytest.raises(tk.NotAuthorized):
        write(author, organization_id=other["id"])
    with pytest.raises(tk.NotAuthorized):
        step(author, case, "propose", "referent")
    step(author, case, "propose")
    with pytest.raises(tk.NotAuthorized):
        step(author, case, "publish")
    with pytest.raises(tk.NotAuthorized):
        call_action("dinamis_use_case_update", context_of(author.member["name"]), id=case["id"], **TEXT)
    published_case = step(author, case, "publish", "super_referent")
    assert published_case["transitions"] == [{"name": "unpublish", "reason": True}]
    shown = call_action("dinamis_use_case_show", {"user": ""}, id=case["name"])
    assert (shown["author"], shown["transitions"], shown["may_change"]) == (None, [], False)
    assert {role for role in ROLES if browser.get(role, PAGE).status_code == 200} == set(ROLES)


def test_a_draft_may_have_gaps_a_proposal_may_not(author):
    case = call_action("dinamis_use_case_create", context_of(author.member["name"]), title="Ébauche")
    with pytest.raises(tk.ValidationError, match=r"le résumé.*un thème.*le lieu"):
        step(author, case, "propose")
    step(author, case, "discard")
    with pytest.raises(tk.ObjectNotFound):
        call_action("dinamis_use_case_show", context_of(author.member["name"]), id=case["id"])
    for wrong in ({"themes": ["none"]}, {"series": ["none"]}, {"title": ""}, {"contact_email": "x"}):
        with pytest.raises(tk.ValidationError) as error:
            write(author, **wrong)
        assert list(error.value.error_dict) == list(wrong)


@pytest.mark.parametrize("role", ["member", "sysadmin"])
def test_ckans_own_api_does_not_publish_around_moderation(author, app, browser, role):
    """Over HTTP, by an editor of the organisation's own datasets, and by a sysadmin."""
    people = author
    call_action("organization_member_create", {"ignore_auth": True, "user": people.sysadmin["name"]},
                id=people.organization["id"], username=people.member["name"], role="admin")  # fmt: skip
    case = write(people)
    whole = call_action("package_show", {"ignore_auth": True}, id=case["id"])
    headers = {**browser.headers(role), "Content-Type": "application/json"}
    new = {"name": "contourne", "title": "Contourné", "type": "imagery-use-case", "private": False,
           "owner_org": people.organization["id"]}  # fmt: skip
    plain = {"name": "ordinaire", "title": "Ordinaire", "owner_org": people.organization["id"]}
    attempts = {
        "package_update": {**whole, "private": False},
        "package_patch": {"id": case["id"], "private": False},
        "package_revise": {"match": {"id": case["id"]}, "update": {"private": False}},
        "package_create": new,
        "bulk_update_public": {"datasets": [case["id"]], "org_id": people.organization["id"]},
        "resource_create": {"package_id": case["id"], "url": "https://example.org/a", "name": "a"},
    }
    for action, data in attempts.items():
        forget()
        answer = app.post(f"/api/3/action/{action}", data=json.dumps(data), headers=headers)
        assert answer.status_code == 403, (action, answer.status_code, answer.body)
        assert not is_public(case), action
    # What is no use case is written as ever, and does not become one.
    forget()
    assert app.post("/api/3/action/package_create", data=json.dumps(plain), headers=headers).status_code == 200
    forget()
    turned = {**plain, "type": "imagery-use-case", "title": "Changé", "id": "ordinaire"}
    app.post("/api/3/action/package_update", data=json.dumps(turned), headers=headers)
    model.Session.rollback()
    assert model.Package.get("ordinaire").type == "dataset"
    assert call_action("dinamis_use_case_list", {"user": ""}, state="all")["count"] == 0


def test_code_that_ignores_rights_is_stopped_by_the_validator(author):
    case = write(author)
    context = {"ignore_auth": True, "user": author.sysadmin["name"]}
    with pytest.raises(tk.ValidationError, match="propre page"):
        call_action("package_patch", context, id=case["id"], private=False)
    with pytest.raises(tk.ValidationError, match="propre page"):
        call_action("package_create", context, name="autre", title="Autre", type="imagery-use-case",
                    owner_org=author.organization["id"])  # fmt: skip
    assert not is_public(case)


def test_a_picture_is_drawn_anew_and_seen_with_its_use_case(author, browser, photo):
    case = write(author, picture=photo, picture_alt="Une haie.")
    assert browser.get("anonymous", f"{PAGE}/picture").status_code == 404
    with pytest.raises(tk.ValidationError, match="PNG"):
        write(author, picture=b"GIF89a", picture_alt="x")
    with pytest.raises(tk.ValidationError, match="8 Mo"):
        write(author, picture=photo + b"\0" * 8_000_001)
    with pytest.raises(tk.ValidationError):
        write(author, picture=photo[:200])
    step(author, case, "propose")
    step(author, case, "publish", "super_referent")
    answer = browser.get("anonymous", f"{PAGE}/picture")
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "image/jpeg")
    image = Image.open(io.BytesIO(answer.get_data()))
    assert (image.size, len(image.getexif())) == ((200, 400), 0)
    call_action("dinamis_use_case_update", context_of(author.super_referent["name"]), id=case["id"], **TEXT,
                no_picture=True)  # fmt: skip
    assert browser.get("anonymous", f"{PAGE}/picture").status_code == 404


def series(people, name):
    context = {"ignore_auth": True, "user": people.sysadmin["name"]}
    return call_action("package_create", context, name=name, title=f"Série {name}", type="imagery-series",
                       owner_org=people.organization["id"], collection="spot", year=2023)  # fmt: skip


def test_it_is_found_by_theme_and_series_and_beside_what_it_is_about(author, browser):
    one, other = series(author, "serie-2023"), series(author, "serie-2022")
    published(author, series=["serie-2023"])
    published(author, title="Trait de côte", themes=["coast"], series=[other["id"]])
    write(author, title="Ébauche", series=["serie-2023"])

    def cards(path, role="anonymous"):
        return [words(a) for a in browser.soup(role, path).select(".dinamis-case .stretched-link")]

    assert cards("/dinamis/use-cases") == ["Trait de côte", "Suivi des haies"]
    assert cards("/dinamis/use-cases?theme=forest") == ["Suivi des haies"]
    assert cards(f"/dinamis/use-cases?series={one['name']}") == ["Suivi des haies"]
    assert cards("/dinamis/use-cases?q=côte") == ["Trait de côte"]
    assert cards("/dinamis/use-cases?q=%25") == []
    assert cards("/dinamis/guides/foret") == ["Suivi des haies"]
    assert cards("/dinamis/guides/bandes") == []
    assert cards("/imagery-series/serie-2023") == ["Suivi des haies"]
    assert len(cards("/dinamis")) == 2
    figures = browser.soup("anonymous", "/dinamis").select(".dinamis-figures li")
    assert any(
        words(li).startswith("2 cas d'usage") and li.select_one("a[href$='/dinamis/use-cases']") for li in figures
    )
    soup = browser.soup("anonymous", "/imagery-use-case/cas-suivi-des-haies")
    assert "12 km de haies" in words(soup)
    assert not soup.select(".dinamis-guide script")
    assert soup.select_one("a[href$='/imagery-series/serie-2023']")
    own = browser.soup("member", "/dinamis/use-cases").select("#own ~ ul a")
    assert [words(a) for a in own] == ["Ébauche"]


def test_the_form_keeps_proposes_and_the_queue_decides(author, browser):
    assert browser.get("anonymous", "/dinamis/use-cases/new").status_code == 302
    assert browser.get("outsider", "/dinamis/use-cases/new").status_code == 403
    soup = browser.soup("member", "/dinamis/use-cases/new")
    labelled = {label["for"] for label in soup.select("label[for]")}
    for field in soup.select("#content input:not([type=hidden]), #content textarea, #content select"):
        assert field["id"] in labelled, field
    wrong = browser.post("member", "/dinamis/use-cases/new", {**TEXT, "title": ""})
    assert wrong.status_code == 422
    assert "12 km de haies" in wrong.body
    made = browser.post("member", "/dinamis/use-cases/new", {**TEXT, "step": "propose"})
    assert made.headers["Location"].endswith(PAGE)
    assert browser.get("member", "/dinamis/moderation/use-cases").status_code == 403
    queue = browser.soup("super_referent", "/dinamis/moderation/use-cases")
    assert TEXT["title"] in words(queue)
    sent = {"transition": "send_back", "reason": "Et l'année ?", "from": "queue"}
    assert browser.post("super_referent", f"{PAGE}/transition", sent).status_code == 302
    assert "Et l'année ?" in words(browser.soup("member", f"{PAGE}/edit"))
    done = browser.post("member", f"{PAGE}/edit", {**TEXT, "summary": "En 2023.", "step": "propose"})
    assert done.status_code == 302
    assert browser.get("member", f"{PAGE}/edit").status_code == 302  # it waits for PIGMA now
    assert browser.post("super_referent", f"{PAGE}/transition", {"transition": "publish"}).status_code == 302
    assert "En 2023." in words(browser.soup("anonymous", PAGE))


def test_a_place_is_one_that_api_geo_knows_or_free_words(author, browser, geo_service):
    case = write(author, territory="begles", territory_kind="commune")
    assert (case["territory"], case["territory_code"]) == ("Bègles", "33039")
    assert write(author, title="Autre")["territory_code"] == ""
    with pytest.raises(tk.ValidationError, match="Aucun territoire"):
        write(author, territory="zzz", territory_kind="commune")
    form = {**TEXT, "title": "Bordures", "territory": "saint", "territory_kind": "commune"}
    asked = BeautifulSoup(browser.post("member", "/dinamis/use-cases/new", form).body, "html.parser")
    choices = asked.select("input[name=territory_choice]")
    assert len(choices) > 1
    for one in choices:
        assert asked.select_one(f"label[for='{one['id']}']")
    chosen = {**form, "territory_choice": choices[1]["value"], "territory_was": "saint"}
    assert browser.post("member", "/dinamis/use-cases/new", chosen).status_code == 302
    made = call_action("dinamis_use_case_show", context_of(author.member["name"]), id="cas-bordures")
    assert made["territory_code"] == choices[1]["value"]
    # Another place typed afterwards is not the former one's code.
    path = "/dinamis/use-cases/cas-bordures/edit"
    moved = {
        **form,
        "territory": "Bègles",
        "territory_was": made["territory"],
        "territory_code": made["territory_code"],
    }
    assert browser.post("member", path, moved).status_code == 302
    made = call_action("dinamis_use_case_show", context_of(author.member["name"]), id="cas-bordures")
    assert (made["territory"], made["territory_code"]) == ("Bègles", "33039")


def test_a_person_who_is_erased_is_no_longer_named(author):
    case = published(author)
    id_ = author.member["id"]
    assert held_on([id_])["use_cases"][0]["title"] == TEXT["title"]
    from ckanext.dinamis_relais.use_cases import erase

    assert erase(id_, "system") == 1
    model.Session.commit()
    assert held_on([id_]) == {"use_cases": []}
    assert model.Package.get(case["id"]).creator_user_id is None
    assert {to for _name, to in mails(case)} == {""}
    assert call_action("dinamis_use_case_show", {"user": ""}, id=case["id"])["state"] == "published"
