"""Says how things go: what of each dataset was known already, how the index of golden records stands, what a list holds twice."""
