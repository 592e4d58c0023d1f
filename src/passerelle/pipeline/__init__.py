"""The use cases; each reads as a few verbs."""
