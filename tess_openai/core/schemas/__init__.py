"""Checks values against JSON Schemas, and coerces them, in bounded time whatever the schema and the value."""
