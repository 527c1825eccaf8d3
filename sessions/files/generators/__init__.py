"""Generators: files made of what somebody says should be in them; pure."""
