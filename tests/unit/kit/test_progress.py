from aegis_project.kit import progress
from aegis_project.kit.progress import Seldom


def test_what_begins_and_ends_is_heard_and_between_now_and_then():
    heard: list[tuple[str, int, int]] = []
    now = [100.0]

    def hears(what: str, done: int, total: int) -> None:
        heard.append((what, done, total))

    seldom = Seldom(hears, seconds=1, clock=lambda: now[0])

    for done in range(5):
        now[0] += 0.4
        seldom("rows", done, 5)
    seldom("rows", 5, 5)
    seldom("files", 0, 2)

    assert heard == [("rows", 0, 5), ("rows", 3, 5), ("rows", 5, 5), ("files", 0, 2)]
    progress.silent("files", 1, 2)
