"""Answers in several parts: what @defer and @stream name comes after the rest."""
