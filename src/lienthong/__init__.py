"""Lienthong: one province's departments and districts working as one, from source to audited answer."""

__version__ = "0.1.0"
