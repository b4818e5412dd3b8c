"""What the gateway itself delivers: mail."""

from ckanext.dinamis_relais.gateway import mailer
from ckanext.dinamis_relais.gateway.model import Mail
from ckanext.dinamis_relais.gateway.targets import Target

__all__ = ["mail"]

mail = Target("mail", Mail, mailer.prepare, mailer.transport, mailer.applied)
