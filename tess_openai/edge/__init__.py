"""Where HTTP happens: the two HTTP families, the sync and the async driver, warnings at the caller's line."""
