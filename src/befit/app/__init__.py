"""The edges; the only place that wires."""
