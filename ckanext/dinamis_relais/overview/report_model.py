"""Reports that were made: they stay as they were told, whatever the counters say later."""

from __future__ import annotations

import sqlalchemy as sa

from ckanext.dinamis_relais.db import Base, column, json_column, moment, new_id, text, utcnow


class Report(Base):
    """The report of some whole months, of the relay or of one partner.

    :ivar start: first day of the first month; ``last``: first day of the last one
    :ivar data: the figures that both files say, once they were read (:func:`report_data.gather`)
    :ivar sha256: of the PDF, by which anyone may ask whether a file is ours
    :ivar sealed: the PDF bears the platform's seal; ``timestamped``: and that one a time-stamp
    :ivar batch_id: the work that makes it; gone after some weeks, when the report stays
    """

    __tablename__ = "dinamis_report"

    id = text(primary_key=True, default=new_id)
    organization_id = text(index=True)
    start = column(sa.Date, nullable=False)
    last = column(sa.Date, nullable=False)
    batch_id = text()
    created_by = text(nullable=False)
    created_at = moment(nullable=False, default=utcnow, index=True)
    made_at = moment()
    data = json_column()
    pdf = column(sa.LargeBinary)
    sha256 = text()
    sealed = column(sa.Boolean, nullable=False, default=False)
    timestamped = column(sa.Boolean, nullable=False, default=False)
    xlsx = column(sa.LargeBinary)

    __table_args__ = (sa.Index("dinamis_report_sha256", sha256),)
