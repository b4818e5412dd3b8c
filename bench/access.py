"""Signing in quantity against the ``teledetection`` SDK: ``python -m bench.access <ini> <sandbox>`` prints JSON rows.

Both sign the same addresses at the same sandbox with a key pair of one person, in turn. Ours goes through CKAN's whole
action API (token, rights, licence, catalogue, journal), in one process by its WSGI interface; the SDK runs as it is,
in a process of its own, and only its signing is timed.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from typing import Any

import requests
import sqlalchemy as sa
from ckan.cli import CKANConfigLoader
from ckan.config.middleware import make_app

from bench.__main__ import row

URLS = 6400
ROUNDS = 3
STORE = "https://s3-data.meso.umontpellier.fr"
SDK = """
import json, sys, time
import teledetection
urls = json.load(sys.stdin)
times = []
for _round in range(2):
    begin = time.perf_counter()
    found = teledetection.sign_urls(urls)
    times.append(time.perf_counter() - begin)
    assert len(found) == len(urls)
print(json.dumps(times))
"""


def key_pair(sandbox: str) -> dict[str, str]:
    """A key pair, by the sandbox's device flow."""
    oidc = f"{sandbox}/identity/realms/dinamis/protocol/openid-connect"
    begun = requests.post(f"{oidc}/auth/device", data={"client_id": "gdal"}, timeout=30).json()
    requests.post(f"{sandbox}/identity/device", data={"user_code": begun["user_code"], "name": "mesure"}, timeout=30)
    grant = {"grant_type": "urn:ietf:params:oauth:grant-type:device_code", "client_id": "gdal"}
    token = requests.post(f"{oidc}/token", data={**grant, "device_code": begun["device_code"]}, timeout=30).json()
    bearer = {"Authorization": f"Bearer {token['access_token']}"}
    found = requests.get(f"{sandbox}/signing/create_api_key", headers=bearer, timeout=30).json()
    return {"access_key": found["access-key"], "secret_key": found["secret-key"]}


def fill(engine: Any) -> list[str]:
    """Scenes whose files lie on the real store's host.

    :returns: addresses of files
    """
    from ckanext.dinamis_relais.imagery import model, store
    from ckanext.dinamis_relais.imagery.outside import Outside
    from ckanext.dinamis_relais.imagery.source import Page, StacSource
    from ckanext.dinamis_relais.sandbox import scenes

    with engine.begin() as connection:
        connection.execute(sa.text("TRUNCATE " + ", ".join(t.name for t in model.metadata.sorted_tables)))
    items = list(scenes.items(URLS, STORE))
    for name in sorted({one["collection"] for one in items}):
        own = [one for one in items if one["collection"] == name]
        described = {"id": name, "title": name, "license": "proprietary"}
        store.save_collection(engine, "bench", "http://source.example", described, {})
        run = store.open_run(engine, "bench", name, StacSource("http://s", Outside([])).first("http://s", 1000))
        if run is None:
            raise RuntimeError("the run could not be opened")
        store.save_page(engine, run, Page("http://source.example/", own, None, None))
        store.finish(engine, run, 1)
    return [asset["href"] for one in items for asset in one["assets"].values()][:URLS]


def sdk(sandbox: str, pair: dict[str, str], urls: list[str]) -> list[float]:
    """Seconds of the SDK for all addresses, and for the same a second time."""
    with tempfile.TemporaryDirectory() as folder:
        env = {**os.environ, "HOME": folder, "TLD_CONFIG_DIR": folder, "TLD_SIGNING_ENDPOINT": f"{sandbox}/signing",
               "TLD_ACCESS_KEY": pair["access_key"], "TLD_SECRET_KEY": pair["secret_key"]}  # fmt: skip
        made = subprocess.run([sys.executable, "-c", SDK], input=json.dumps(urls), capture_output=True, text=True,  # noqa: S603  # our own code
                              env=env, check=True)  # fmt: skip
    return json.loads(made.stdout.splitlines()[-1])


def main(ini: str, sandbox: str) -> None:
    """Fill the databases, measure, print."""
    app = make_app(CKANConfigLoader(ini).get_config())._wsgi_app
    import ckan.plugins.toolkit as tk
    from ckan import model

    from ckanext.dinamis_relais import config
    from ckanext.dinamis_relais.access import handed, licences, links, rules, service
    from ckanext.dinamis_relais.access.model import LicenceAcceptance
    from ckanext.dinamis_relais.accounts.model import Account
    from ckanext.dinamis_relais.imagery import model as scene_model

    tk.config["ckanext.dinamis_relais.signing.url"] = f"{sandbox}/signing"
    tk.config["ckanext.dinamis_relais.private_hosts"] = ["127.0.0.1"]
    urls, pair, calls = fill(scene_model.engine()), key_pair(sandbox), []
    portion = service.SigningService._portion

    def counted(self: Any, *args: Any) -> Any:
        calls.append(1)
        return portion(self, *args)

    service.SigningService._portion = counted
    with app.test_request_context():
        name = tk.get_action("get_site_user")({"ignore_auth": True}, {})["name"]
        user = model.User.get(name)
        model.Session.execute(sa.delete(Account).where(Account.id == "bench-access"))
        model.Session.execute(sa.delete(LicenceAcceptance).where(LicenceAcceptance.user_id == user.id))
        model.Session.add(Account(id="bench-access", state="active", organization_id="bench-org-1", membership_id="-",
                                  user_id=user.id, email="mesure@example.org", given_name="M", family_name="M",
                                  created_by=user.id, charter_version=config.user_charter_version()))  # fmt: skip
        links.store(user.id, "keys", pair, None, None)
        for one in licences.in_force():
            model.Session.add(LicenceAcceptance(user_id=user.id, licence=one.licence, version=one.version))
        model.Session.commit()
        token = tk.get_action("api_token_create")({"ignore_auth": True}, {"user": name, "name": "access"})["token"]
        user_id = user.id
    client = app.test_client()

    def ours() -> float:
        begin = time.perf_counter()
        for part in rules.chunks(urls, rules.MOST_URLS):
            answer = client.post("/api/action/dinamis_asset_sign", json={"urls": part},
                                 headers={"Authorization": token})  # fmt: skip
            if answer.status_code != 200 or len(answer.json["result"]["hrefs"]) != len(part):
                raise RuntimeError(f"not signed: {answer.text[:500]}")
        return time.perf_counter() - begin

    pairs, seconds = [], []
    for _round in range(ROUNDS):
        with app.test_request_context():
            handed.forget(links.of(user_id).id)  # type: ignore[union-attr]  # linked above
        calls.clear()
        first, made = ours(), len(calls)
        seconds.append((ours(), len(calls) - made))
        pairs.append((first, sdk(sandbox, pair, urls)[0], made))
    a, b = (statistics.median(p[n] for p in pairs) for n in (0, 1))
    most = -(-URLS // rules.MOST_URLS_A_CALL)
    print(json.dumps([
        row(f"{URLS:,} addresses signed against the teledetection SDK, median", a, b, 1.0),
        row(f"the same, calls to the service (as thousandths; the SDK makes {most})", pairs[-1][2] / 1000,
            most / 1000, 1.0),
        row(f"the same addresses a second time ({seconds[-1][1]} calls) against our first", seconds[-1][0], a, None),
    ]))  # fmt: skip


if __name__ == "__main__":
    main(*sys.argv[1:3])
