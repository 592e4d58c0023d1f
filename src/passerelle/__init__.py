"""Passerelle: the messaging platform that an organisation runs itself."""
