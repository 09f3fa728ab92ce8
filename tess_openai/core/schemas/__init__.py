"""Checks values against JSON Schemas, and coerces them, in bounded time for any schema and any value."""
