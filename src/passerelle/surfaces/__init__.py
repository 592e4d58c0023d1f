"""Doors in: siblings never import one another."""
