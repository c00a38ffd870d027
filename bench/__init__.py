"""Measures what the issues name, as ratios within one run. No timing is asserted in a test."""
