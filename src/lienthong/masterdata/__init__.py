"""Decides which records are one thing, and which value of each attribute survives."""
