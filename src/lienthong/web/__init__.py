"""The HTTP door: API and documentation pages."""
