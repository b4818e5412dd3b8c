"""What is written on each page of the super-référent's desk: its menu, the keys of its queues."""

from __future__ import annotations

import ckan.plugins.toolkit as tk


def moderation_menu() -> tuple[tuple[str, str], ...]:
    """Pages of the super-référent, in the menu's order: (endpoint, words)."""
    return (
        ("dinamis_overview.dashboard", tk._("To do")),
        ("dinamis_partners.list", tk._("Partners")),
        ("dinamis_membership.queue", tk._("Membership files")),
        ("dinamis_membership.memberships", tk._("Members")),
        ("dinamis_accounts.queue", tk._("Accounts")),
        ("dinamis_questions.queue", tk._("Questions")),
        ("dinamis_requests.queue", tk._("Requests for images")),
        ("dinamis_use_cases.queue", tk._("Use cases")),
        ("dinamis_wording.list", tk._("Texts of the mails")),
        ("dinamis_reports.list", tk._("Reports")),
        ("dinamis_overview.deliveries", tk._("Deliveries")),
        ("dinamis_overview.journal", tk._("Journal")),
        ("dinamis_health.page", tk._("Health")),
    )


def queue_keys() -> tuple[tuple[str, str], ...]:
    """Keys of the queue of accounts (``public/dinamis-pages/queue.js``): (key, what it does)."""
    return (
        ("j", tk._("next row")),
        ("k", tk._("row before")),
        ("x", tk._("choose the row")),
        ("v", tk._("validate")),
        ("r", tk._("refuse")),
        ("o", tk._("open")),
        ("/", tk._("search")),
    )
