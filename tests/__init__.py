"""The tests of Aegis."""
