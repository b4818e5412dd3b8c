"""The published contract, read from its OpenAPI file: what a body must look like, and what is wrong with one."""

from __future__ import annotations

import base64
import binascii
import hashlib
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator

PATH = Path(__file__).parent.parent / "gateway" / "contract.yaml"


class FaultError(ValueError):
    """A body that the contract refuses.

    :ivar field: dotted path of the field
    :ivar remedy: what its sender can do
    """

    def __init__(self, field: str, problem: str, remedy: str):
        super().__init__(problem)
        self.field = field
        self.remedy = remedy


@lru_cache(maxsize=1)
def document() -> dict[str, Any]:
    """The OpenAPI 3.1 document."""
    return yaml.safe_load(PATH.read_text(encoding="utf-8"))


@lru_cache(maxsize=16)
def validator(name: str) -> Draft202012Validator:
    """The JSON Schema of one of the contract's schemas.

    :param name: key of ``components.schemas``
    """
    return Draft202012Validator({"$ref": f"#/components/schemas/{name}", "components": document()["components"]})


def check(name: str, body: Any) -> None:
    """Hold a body against its schema.

    :raises FaultError: the first fault by its place in the body
    """
    faults = sorted(validator(name).iter_errors(body), key=lambda fault: [str(part) for part in fault.absolute_path])
    if not faults:
        return
    fault = faults[0]
    path = [str(part) for part in fault.absolute_path]
    if fault.validator == "required":
        missing = next(key for key in fault.validator_value if key not in fault.instance)
        raise FaultError(".".join([*path, missing]), "champ absent", "Envoyez l'état présent entier.")
    problem = f"{fault.validator} : attendu {fault.validator_value}"[:300]
    raise FaultError(".".join(path) or "body", problem, "Corrigez ce champ et renvoyez la même version.")


def check_documents(documents: list[dict[str, Any]]) -> None:
    """Hold each document's bytes against its fingerprint and size.

    :raises FaultError: not base64, another SHA-256, another size
    """
    for number, found in enumerate(documents):
        place = f"documents.{number}"
        try:
            content = base64.b64decode(found["content"], validate=True)
        except (binascii.Error, ValueError) as error:
            raise FaultError(f"{place}.content", "pas du base64", "Encodez les octets du fichier en base64.") from error
        if hashlib.sha256(content).hexdigest() != found["sha256"]:
            raise FaultError(f"{place}.sha256", "l'empreinte diffère du contenu", "Renvoyez le document intact.")
        if len(content) != found["size"]:
            raise FaultError(f"{place}.size", f"{len(content)} octets reçus", "Donnez la taille en octets.")
