"""Everything a component follows: frames of the data socket go in, batches of events come out."""

from collections.abc import Callable, Iterable, Mapping

from components.sdk import wire
from components.sdk.records import Batch, Event
from components.sdk.tracks import Track
from components.sdk.wire import Inbound, Subscription
from streaming.core.position import Cursor
from streaming.core.topics import covers


class Streams:
    """
    The subscriptions of a component and where it stands in each topic they cover.

    It outlives connections: what was received on one is brought back as cursors on the next.
    """

    def __init__(self, subscriptions: Iterable[Subscription] = ()) -> None:
        self.subscriptions = list(subscriptions)
        self.tracks: dict[str, Track] = {}
        self._aliases: dict[int, Track] = {}
        self._readers: dict[str, Callable[[Track, Inbound], list[Event]]] = {
            "": lambda track, frame: list(track.take(frame)),
            "GAP": lambda track, frame: [track.gap(frame)],
            "REWIND": lambda track, frame: [track.rewind(frame)],
            "END": lambda track, frame: [track.end(frame)],
        }

    def restore(self, cursors: Mapping[str, Cursor]) -> None:
        """Go on from stored cursors."""
        for topic, cursor in cursors.items():
            self.tracks[topic] = Track.at(topic, cursor)

    # What is asked for

    def follow(self, subscription: Subscription) -> None:
        """Follow this too, unless another subscription covers it."""
        if not covers([each.topic for each in self.subscriptions], subscription.topic):
            self.subscriptions.append(subscription)

    @property
    def names(self) -> list[str]:
        """The topics that are followed by name, which is all that a register can tell."""
        return [each.topic for each in self.subscriptions if not each.is_pattern]

    def requests(self) -> list[wire.Frame]:
        """The entries of SUBSCRIBE on a new connection, known topics with their cursors."""
        self._aliases.clear()
        return [entry for each in self.subscriptions for entry in self.entries(each)]

    def entries(self, subscription: Subscription) -> list[wire.Frame]:
        """What to ask for one subscription: of a pattern also each topic that was seen before."""
        if not subscription.is_pattern:
            return [subscription.request(cursor=self._cursor(subscription.topic))]
        seen = [
            subscription.request(topic, cursor)
            for topic in self.tracks
            if covers([subscription.topic], topic) and (cursor := self._cursor(topic))
        ]
        return [*seen, subscription.request()]

    def _cursor(self, topic: str) -> Cursor | None:
        track = self.tracks.get(topic)
        return track.cursor if track else None

    def add(self, subscription: Subscription) -> None:
        """Follow this too; a second subscription to one topic takes the place of the first."""
        self.drop(subscription.topic)
        self.subscriptions.append(subscription)

    def drop(self, topic: str) -> None:
        """Follow this topic or pattern no longer; where it stood is kept."""
        self.subscriptions[:] = [each for each in self.subscriptions if each.topic != topic]

    # What comes

    def place(self, frame: Inbound) -> None:
        """Take in the topics of a SUBSCRIBED."""
        for entry in wire.entries(frame):
            track = self.tracks.setdefault(entry.topic, Track(entry.topic))
            track.place(entry)
            if entry.alias is not None:
                self._aliases[entry.alias] = track

    def take(self, frame: Inbound) -> Batch | None:
        """The events of a frame that carries or bounds records; None for every other."""
        if frame.COMMAND == "POS":
            self._confirm(frame)
        reader = self._readers.get(frame.COMMAND)
        track = self._track(frame) if reader else None
        if reader is None or track is None:
            return None
        events = reader(track, frame)
        return Batch(track.topic, events, track.cursor) if events else None

    def _track(self, frame: Inbound) -> Track | None:
        if frame.alias is not None and frame.alias in self._aliases:
            return self._aliases[frame.alias]
        # A server of seed 000 names topics without having announced them.
        return self.tracks.setdefault(frame.topic, Track(frame.topic)) if frame.topic else None

    def _confirm(self, frame: Inbound) -> None:
        for alias, (seq, ck) in frame.pos.items():
            track = self._aliases.get(int(alias))
            if track is not None:
                track.confirm(seq, ck)
