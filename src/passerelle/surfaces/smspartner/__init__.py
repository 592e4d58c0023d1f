"""SMS Partner HTTP API v1."""
