"""Analyzers: what a file is and holds, told by its content; pure, and run in a process of its own."""
