"""The browsers of every role."""

from tests.portal.pages import browser

__all__ = ["browser"]
