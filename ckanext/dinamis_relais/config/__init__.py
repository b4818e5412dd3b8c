"""Typed getters of ``config_declaration.yaml``: one function a setting, named after its key."""

from ckanext.dinamis_relais.config.accounts import *  # noqa: F403
from ckanext.dinamis_relais.config.base import PREFIX as PREFIX
from ckanext.dinamis_relais.config.gateway import *  # noqa: F403
from ckanext.dinamis_relais.config.imagery import *  # noqa: F403
from ckanext.dinamis_relais.config.membership import *  # noqa: F403
from ckanext.dinamis_relais.config.overview import *  # noqa: F403
from ckanext.dinamis_relais.config.replies import *  # noqa: F403
from ckanext.dinamis_relais.config.services import *  # noqa: F403
from ckanext.dinamis_relais.config.site import *  # noqa: F403
