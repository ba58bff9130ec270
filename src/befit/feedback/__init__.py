"""Reactions to evidence and comparisons."""
