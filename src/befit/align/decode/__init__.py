"""Inference time: policies that wrap policies."""
