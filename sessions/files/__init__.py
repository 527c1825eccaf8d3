"""The files of sessions."""
