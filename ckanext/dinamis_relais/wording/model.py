"""Every version of the operator's mails; none is ever changed."""

from __future__ import annotations

import sqlalchemy as sa

from ckanext.dinamis_relais.db import Base, column, moment, text, utcnow


class MailVersion(Base):
    """One text of one mail in one language; the one with the highest number is in force."""

    __tablename__ = "dinamis_mail_version"

    name = text(primary_key=True)
    language = text(primary_key=True)
    number = column(sa.Integer, primary_key=True, autoincrement=False)
    #: None, with ``body``, when the shipped text was put back.
    subject = text()
    body = text()
    made_at = moment(nullable=False, default=utcnow)
    made_by = text(nullable=False)
