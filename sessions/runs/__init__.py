"""Where a session meets an agent: one run, carried out by a worker."""
