"""The programs that play the demo; each is a client like any other, and knows no Django."""
