"""Primotexto HTTP API v2."""
