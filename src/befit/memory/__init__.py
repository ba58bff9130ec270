"""Preference memory: evidence in, profiles out."""
