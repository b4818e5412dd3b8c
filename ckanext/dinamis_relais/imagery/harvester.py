"""The STAC harvester as ckanext-harvest knows harvesters: sources, jobs and errors are where CKAN shows them.

gather lists the collections and makes one harvest object for each (never one for each scene); fetch lists
one collection into the scene store; import brings the catalogue's series datasets up to date.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import ckan.plugins as p
import ckan.plugins.toolkit as tk
from ckan import model
from ckan.lib.search import rebuild
from sqlalchemy.exc import SQLAlchemyError

from ckanext.dinamis_relais import config
from ckanext.dinamis_relais.imagery import datasets, settings, store, sync, watch
from ckanext.dinamis_relais.imagery import model as scene_model
from ckanext.dinamis_relais.imagery.files import is_file, opened
from ckanext.dinamis_relais.imagery.outside import Outside, OutsideError
from ckanext.dinamis_relais.imagery.problems import Problem
from ckanext.dinamis_relais.imagery.source import StacSource
from ckanext.harvest.interfaces import IHarvester
from ckanext.harvest.model import HarvestGatherError, HarvestObject, HarvestObjectError

log = logging.getLogger(__name__)

#: Bad items that a job's page names one by one; all of them are in the scene store.
MAX_NAMED = 100


@tk.chained_action
def _harvest_source_reindex(original_action: Any, context: Any, data_dict: dict[str, Any]) -> Any:
    """On CKAN 2.12, ckanext-harvest 1.6.3 indexes a source without its type and configuration.

    After the first job its form and ``run-test`` then miss them. CKAN's own indexing has them.
    """
    tk.check_access("harvest_source_reindex", context, data_dict)
    if not tk.check_ckan_version(min_version="2.12.0b0"):
        return original_action(context, data_dict)
    rebuild(data_dict["id"], defer_commit=context.get("defer_commit", False))
    return True


@tk.chained_action
def _harvest_source_clear(original_action: Any, context: Any, data_dict: dict[str, Any]) -> Any:
    """Clearing a source takes its scenes along, not only its datasets."""
    answer = original_action(context, data_dict)
    store.clear(scene_model.engine(), answer["id"])
    # ckanext-harvest deletes by SQL, behind the objects that this session still holds.
    model.Session.expire_all()
    return answer


class StacHarvester(p.SingletonPlugin):
    """Harvests a STAC API into the scene store and one dataset for each collection and year."""

    p.implements(IHarvester)
    p.implements(p.IActions)

    def get_actions(self) -> dict[str, Any]:
        """What ckanext-harvest's own actions must also do; only a site that harvests has them."""
        return {
            "harvest_source_clear": _harvest_source_clear,
            "harvest_source_reindex": _harvest_source_reindex,
        }

    def info(self) -> dict[str, str]:
        """How the form of a harvest source names this harvester."""
        return {
            "name": watch.SOURCE_TYPE,
            "title": "STAC (imagerie DINAMIS)",
            "description": "Catalogue d'images STAC 0.9 à 1.1 : les scènes vont dans le magasin de scènes, "
            "le catalogue reçoit un jeu de données par collection et par année.",
        }

    def validate_config(self, config_text: str | None) -> str:
        """The configuration as it will be kept.

        :raises ValueError: which key is wrong, and what it should be
        """
        try:
            settings.parse(config_text)
        except settings.SettingsError as error:
            raise ValueError(error.said(tk._)) from error
        return config_text or ""

    def get_original_url(self, harvest_object_id: str) -> str | None:
        """Address of the collection, or of the collection of a series, at its source."""
        harvest_object: Any = HarvestObject.get(harvest_object_id)
        if not harvest_object or not harvest_object.guid.startswith(datasets.guid_of("")):
            return None
        if is_file(harvest_object.source.url):
            return None
        collection = harvest_object.guid[len(datasets.guid_of("")) :].split("/")[0]
        return f"{harvest_object.source.url.rstrip('/')}/collections/{collection}"

    def gather_stage(self, harvest_job: Any) -> list[str]:
        """One harvest object for each collection (or part of it) that is wanted, or one for a whole file.

        :returns: ids of harvest objects; empty, with an error on the job, when the source cannot be read
        """
        source = harvest_job.source
        try:
            wanted = settings.parse(source.config)
            found = [sync.A_FILE] if is_file(source.url) else self._collections(source.url, wanted)
        except (ValueError, OutsideError) as error:
            watch.failed(harvest_job, str(error))
            return []
        if not found:
            watch.failed(harvest_job, f"{source.url}: It has no collections.")
        ids = []
        for collection in found:
            harvest_object = HarvestObject(
                guid=datasets.guid_of(collection["id"]), job=harvest_job, content=json.dumps(collection)
            )
            harvest_object.save()
            ids.append(harvest_object.id)
        return ids

    def _collections(self, url: str, wanted: settings.Settings) -> list[dict[str, Any]]:
        """Collections of an API, each as often as it has parts: harvest objects go to as many workers as there are."""
        found = StacSource(url, self._outside(wanted)).collections(wanted.collections)
        return [{**one, "_part": part} if part else one for one in found for part in wanted.spans]

    def fetch_stage(self, harvest_object: Any) -> bool | str:
        """List the collection into the scene store; an interrupted listing goes on where it stopped.

        :returns: True when the series are to be brought up to date, False after an error of the whole listing
        """
        collection = json.loads(harvest_object.content)
        url, source_id, job_id = harvest_object.source.url, harvest_object.source.id, harvest_object.job.id
        object_id = harvest_object.id
        try:
            wanted = settings.parse(harvest_object.source.config)
        except ValueError as error:
            HarvestObjectError.create(message=str(error), object=harvest_object, stage="Fetch")
            return False
        report = _JobReport(harvest_object.job, "" if collection == sync.A_FILE else collection["id"])
        # No transaction of CKAN stays open while the network is waited for.
        model.Session.commit()
        failure = None
        try:
            with self._source(url, wanted) as read:
                sync.sync_collection(scene_model.engine(), read, source_id, collection, wanted, report, job_id)
        except (OutsideError, store.CollectionTaken) as error:
            failure = f"{error} What was read is kept; the next job goes on from there."
        except SQLAlchemyError as error:
            log.exception("scene store failed during harvest object %s", object_id)
            reason = str(error).splitlines()[0]
            failure = f"The scene store failed: {reason} Run 'ckan dinamis scenes status'."
        report.close()
        if failure:
            failed: Any = HarvestObject.get(object_id)
            HarvestObjectError.create(message=failure, object=failed, stage="Fetch")
            watch.tell(failed.job, failure)
        return failure is None

    def import_stage(self, harvest_object: Any) -> bool | str:
        """Bring the collection's series datasets up to date.

        :returns: ``"unchanged"`` for the collection's own object, which is no dataset: each series that was
            written has a harvest object of its own on the same job; False after an error
        """
        content = json.loads(harvest_object.content)
        object_id, engine = harvest_object.id, scene_model.engine()
        names = [content["id"]]
        if content == sync.A_FILE:
            names = datasets.collections_of(engine, harvest_object.source.id)
        for collection in names:
            try:
                # Parts of a collection that end together would both make the datasets of a year.
                with store.one_at_a_time(engine, "series", collection):
                    counts = datasets.update_series(
                        harvest_object, engine, collection, self._user(), content.get("_part", "")
                    )
            except (datasets.NoOwner, tk.ValidationError) as error:
                model.Session.rollback()
                reason = error.error_summary if isinstance(error, tk.ValidationError) else error
                failed: Any = HarvestObject.get(object_id)
                HarvestObjectError.create(message=f"{collection}: {reason}", object=failed, stage="Import")
                watch.tell(failed.job, f"{collection}: {reason}")
                return False
            log.info("%s: series %s", collection, counts)
        return "unchanged"

    @staticmethod
    def _outside(wanted: settings.Settings) -> Outside:
        return Outside(config.private_hosts(), wanted.headers)

    @contextmanager
    def _source(self, url: str, wanted: settings.Settings) -> Iterator[sync.Source]:
        """The source of a listing; a file of the network is fetched first.

        :raises OutsideError: it cannot be had
        """
        if is_file(url):
            with opened(url, config.harvest_folder(), self._outside(wanted)) as file:
                yield file
        else:
            yield StacSource(url, self._outside(wanted))

    @staticmethod
    def _user() -> str:
        """ckanext-harvest's user when one is configured, else CKAN's own."""
        named = tk.config.get("ckanext.harvest.user_name")
        if named:
            return named
        return tk.get_action("get_site_user")({"ignore_auth": True, "defer_commit": True}, {})["name"]


class _JobReport(sync.Report):
    """Writes what happens on the job's page: items not taken one by one, up to a number that can be read."""

    def __init__(self, job: Any, collection: str):
        self.job, self.collection = job, collection
        self.fatal = self.repaired = 0

    def problem(self, problem: Problem) -> None:
        if not problem.fatal:
            self.repaired += 1
            return
        self.fatal += 1
        if self.fatal <= MAX_NAMED:
            self._say(f"{self.collection}: {problem}" if self.collection else str(problem))

    def note(self, text: str) -> None:
        self._say(text)

    def page(self, run: store.Run, saved: store.Saved, matched: int | None) -> None:
        log.info(
            "%s: run %s, %s listed of %s, %s new, %s changed",
            self.collection or "file", run.id, saved.listed, matched or "?", saved.created, saved.changed,
        )  # fmt: skip

    def close(self) -> None:
        """Say how many problems were not named one by one."""
        if self.fatal > MAX_NAMED:
            self._say(f"{self.collection} {self.fatal - MAX_NAMED} further items were not taken.".strip())
        if self.repaired:
            log.info("%s: %s repairs, listed by 'ckan dinamis scenes status'", self.collection, self.repaired)

    def _say(self, text: str) -> None:
        HarvestGatherError.create(message=text, job=self.job)
        model.Session.commit()
