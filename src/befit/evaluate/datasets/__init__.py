"""Loaders of real people's data, one file each."""
