"""How an agent thinks and acts: models and tools, without rows or requests."""
