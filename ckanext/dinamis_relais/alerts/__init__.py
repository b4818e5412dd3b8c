"""Alerts: who watches a territory is told of its new images."""
