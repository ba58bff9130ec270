"""Alignment through feedback."""
