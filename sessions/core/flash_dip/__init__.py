"""The story that the demo plays, as rules and data: its market, its strategy, what is at risk."""
