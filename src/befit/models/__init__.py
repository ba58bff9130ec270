"""Embedded models: found by package, verified, converted once into the person's cache."""
