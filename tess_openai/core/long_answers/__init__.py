"""Fetches answers that take longer than a connection to Tess may be silent, and continues cut ones."""
