"""Doors out: carriers and webhooks."""
