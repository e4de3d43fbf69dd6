"""The life of a schema: what changed, whom it hurts, which conventions it keeps. Knows nothing of films."""
