"""Interfaces over HTTP that do the same to the same tables of one PostgreSQL."""
