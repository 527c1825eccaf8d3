"""How many of something somebody has at once."""


class Crowd:
    """
    Who is there how often, by name; nobody is remembered who is not there any more.

    A limit of 0 is none.
    """

    def __init__(self) -> None:
        self._here: dict[str, int] = {}

    def enter(self, name: str, *, most: int) -> bool:
        """Count one more of a name; False, and nothing is counted, where there are so many."""
        count = self._here.get(name, 0)
        if most and count >= most:
            return False
        self._here[name] = count + 1
        return True

    def leave(self, name: str) -> None:
        """Count one less."""
        count = self._here.pop(name)
        if count > 1:
            self._here[name] = count - 1

    def __len__(self) -> int:
        """How many names are there."""
        return len(self._here)
