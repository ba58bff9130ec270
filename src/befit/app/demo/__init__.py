"""The whole ring, shown: `befit demo`."""
