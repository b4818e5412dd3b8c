"""Tells CKAN which rooms exist. No logic lives here."""

from __future__ import annotations

from typing import Any

import ckan.plugins as p
import ckan.plugins.toolkit as tk
import click
from ckan.common import CKANConfig
from ckan.lib.plugins import DefaultTranslation
from flask import Blueprint

from ckanext.dinamis_relais.rooms import collect


@tk.blanket.config_declarations
class DinamisRelaisPlugin(p.SingletonPlugin, DefaultTranslation):
    """The relay inside CKAN: every room of ``rooms.ROOMS``, under the names they register."""

    p.implements(p.IConfigurer)
    p.implements(p.ITranslation)
    p.implements(p.IActions)
    p.implements(p.IAuthFunctions)
    p.implements(p.IBlueprint)
    p.implements(p.IClick)
    p.implements(p.ITemplateHelpers)
    p.implements(p.IValidators)

    def i18n_domain(self) -> str:
        """The gettext domain, also the name of the ``.mo`` files."""
        return "ckanext-dinamis_relais"

    def update_config(self, config_: CKANConfig) -> None:
        """Where CKAN finds our templates, public files and assets."""
        tk.add_template_directory(config_, "templates")
        tk.add_public_directory(config_, "public")
        tk.add_resource("assets", "dinamis_relais")

    def get_actions(self) -> dict[str, Any]:
        """The action API of every room."""
        return collect("actions")

    def get_auth_functions(self) -> dict[str, Any]:
        """One auth function for each action, and what the rooms narrow of CKAN's own."""
        return collect("auth") | collect("core_auth")

    def get_blueprint(self) -> list[Blueprint]:
        """The pages of every room."""
        return list(collect("views").values())

    def get_commands(self) -> list[click.Command]:
        """The one group ``ckan dinamis`` with every room's commands in it."""
        group = click.Group("dinamis", help="PIGMA as DINAMIS's relay: worker, scenes, demonstration.")
        for command in collect("cli").values():
            group.add_command(command)
        return [group]

    def get_helpers(self) -> dict[str, Any]:
        """Template helpers of every room."""
        return collect("helpers")

    def get_validators(self) -> dict[str, Any]:
        """Validators of every room, for scheming and for our own schemas."""
        return collect("validators")
