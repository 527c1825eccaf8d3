"""Servers of conversations that are measured beside each other."""
