"""Doors in the standards real tools speak: each one's own words for the same questions, under the same rights, with the same entries."""
