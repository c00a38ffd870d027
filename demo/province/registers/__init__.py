"""One file a register: what its agency would deliver, in its own format."""
