"""What every program of the demo is told on its command line."""

import argparse

PATIENCE_SECONDS = 5.0


def parser(description: str) -> argparse.ArgumentParser:
    """A parser that knows what all of them are told."""
    made = argparse.ArgumentParser(description=description)
    made.add_argument("--session", required=True, help="the session of the story")
    made.add_argument("--speed", type=float, default=1.0, help="seconds of the story in one")
    made.add_argument("--seed", type=int, default=7, help="the same seed, the same prices")
    made.add_argument("--companion", default="", help="the component that it plays beside its own")
    return made


def patience(told: argparse.Namespace) -> int:
    """As many klines as come in a few seconds: what is not here by then is lost."""
    speed: float = told.speed
    return max(1, round(PATIENCE_SECONDS * speed))
