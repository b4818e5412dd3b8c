"""Who reads news, who writes them, who registers to events."""

from __future__ import annotations

from ckanext.dinamis_relais.authority import guard

__all__ = [
    "dinamis_event_register",
    "dinamis_event_registrations",
    "dinamis_event_unregister",
    "dinamis_news_create",
    "dinamis_news_list",
    "dinamis_news_show",
    "dinamis_news_transition",
    "dinamis_news_update",
]

# Drafts are shown to who may write only; the actions see to it.
dinamis_news_list = guard("news.read", anonymous=True)
dinamis_news_show = guard("news.read", anonymous=True)
dinamis_news_create = guard("news.write")
dinamis_news_update = guard("news.write")
dinamis_news_transition = guard("news.write")
# For oneself only: the actions take no other person.
dinamis_event_register = guard("event.register")
dinamis_event_unregister = guard("event.register")
dinamis_event_registrations = guard("event.registrations")
