"""Decodes many rows at once over one set of weights, each row with its own cache and adapter."""
