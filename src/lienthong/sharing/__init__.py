"""Answers a request under its agreement and leaves the ledger entry."""
