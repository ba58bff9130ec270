"""Universal values: the boundary and its guards."""
