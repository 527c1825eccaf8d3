"""Taking up subscriptions: which topics, from where, and telling it before the first record."""

from collections.abc import Iterable, Sequence

from aegis_project.kit.errors import AegisError, ValidationFailed
from streaming.core import frames, topics
from streaming.core.errors import OverCapacity, TopicNotFound, UnknownTopic
from streaming.core.frames import Frame
from streaming.core.messages import Id, Request
from streaming.core.resume import Placement
from streaming.hub import delivery, placing
from streaming.hub.board import Board
from streaming.hub.connection import Connection
from streaming.hub.line import Line
from streaming.hub.subscription import Subscription

Found = tuple[Line, Request, Placement]


async def subscribe(
    board: Board, connection: Connection, requests: Iterable[Request], *, ref: Id
) -> Frame:
    """
    Take up what is asked for; the answer goes to the connection before any record does.

    A topic that is refused is told in ``errors`` and the others proceed. Topics named by
    themselves come before patterns, which leave out what is subscribed already.
    """
    found, errors = await _find_all(board, connection, requests, ref)
    taken = _take_up(connection, found, ref)
    refused = [frames.refused(topic, error) for topic, error in errors.items()]
    answer = frames.subscribed(ref, [placing.entry(*one) for one in taken], refused)
    connection.post(answer)
    _go_on(connection, taken)
    return answer


async def prepare(board: Board, connection: Connection) -> None:
    """
    Take up the registered topics, unless the component asks for itself before they are found.

    :raises AegisError: when one cannot be had now and may be later; the others go on, and it is
        asked for again by the next call
    """
    taken = connection.subscriptions.keys() | connection.patterns.keys()
    requests = [Request(name) for name in connection.seat.topics if name not in taken]
    found, errors = await _find_all(board, connection, requests, None)
    if connection.has_asked:
        for request in requests:
            _forget(connection, request)
        return
    _go_on(connection, _take_up(connection, found, None))
    for error in errors.values():
        if error.temporary:
            raise error


async def _find_all(
    board: Board, connection: Connection, requests: Iterable[Request], ref: Id
) -> tuple[list[Found], dict[str, AegisError]]:
    found: list[Found] = []
    errors: dict[str, AegisError] = {}
    for request in sorted(requests, key=lambda request: topics.is_pattern(request.topic)):
        try:
            found += await _find(board, connection, request, found, ref)
        except AegisError as error:
            errors[request.topic] = error
            _forget(connection, request)
    return found, errors


def _forget(connection: Connection, request: Request) -> None:
    """A pattern that was not taken up stands for nothing that comes later."""
    if connection.patterns.get(request.topic, (None, None))[0] is request:
        del connection.patterns[request.topic]


def _take_up(
    connection: Connection, found: Iterable[Found], ref: Id
) -> list[tuple[Subscription, Placement]]:
    return [
        (take(connection, line, request, placed, ref=ref), placed)
        for line, request, placed in found
    ]


def _go_on(connection: Connection, taken: Iterable[tuple[Subscription, Placement]]) -> None:
    for subscription, placed in taken:
        delivery.tell(connection, subscription, placed)
    connection.pump()


async def widen(line: Line, connections: Iterable[Connection]) -> None:
    """Announce a new topic to those whose wildcards it matches, from its first record on."""
    for connection in tuple(connections):
        for pattern, (request, ref) in tuple(connection.patterns.items()):
            name = line.key[1]
            if name not in connection.subscriptions and topics.matches(pattern, name):
                placed = await placing.place(line.log, placing.EARLIEST)
                subscription = take(connection, line, request, placed, ref=ref)
                if connection.has_asked:
                    entry = placing.entry(subscription, placed)
                    connection.post(frames.subscribed(ref, [entry]))


def take(
    connection: Connection, line: Line, request: Request, placed: Placement, *, ref: Id
) -> Subscription:
    """Put a subscription into its place; one of the same topic before it is over."""
    before = connection.subscriptions.get(line.key[1])
    if before is not None:
        connection.drop(before)
    policy = request.policy or ("block" if connection.seat.is_historical else "drop")
    subscription = Subscription(line, connection, request, ref=ref, policy=policy)
    subscription.move(placed)
    subscription.end_at(line.ending)
    if not connection.is_closed:
        connection.subscriptions[line.key[1]] = subscription
        line.subscriptions[subscription] = None
    return subscription


async def _find(
    board: Board, connection: Connection, request: Request, found: Sequence[Found], ref: Id
) -> list[Found]:
    seat = connection.seat
    name = topics.check_pattern(request.topic)
    if not topics.covers(seat.patterns, name):
        raise UnknownTopic(topic=name)
    if request.policy == "block" and not seat.is_historical:
        raise ValidationFailed("The policy block is for historical sessions.", topic=name)
    if len(connection.subscriptions) + len(found) >= connection.owner.limits.subscriptions:
        raise OverCapacity("The connection has too many subscriptions.", topic=name)
    if not topics.is_pattern(name):
        line = await _line(board, connection, name)
        return [(line, request, await _place(board, line, request))]
    known = {line.key[1] for line, _, _ in found} | connection.subscriptions.keys()
    lines = await _matching(board, seat.session_id, name)
    connection.patterns[name] = (request, ref)
    connection.owner.widened(connection)
    return [
        (line, request, await _place(board, line, request))
        for line in lines
        if line.key[1] not in known
    ]


async def _place(board: Board, line: Line, request: Request) -> Placement:
    await placing.follow(line, board.mint)
    # A cursor is of one topic; a pattern is of many.
    cursor = None if topics.is_pattern(request.topic) else request.cursor
    return await placing.place(line.log, request.begin, cursor)


async def _line(board: Board, connection: Connection, name: str) -> Line:
    key = (connection.seat.session_id, name)
    if not connection.seat.is_historical or topics.is_reserved(name):
        return await board.line(key)
    try:
        # In a historical session a topic has a source, or somebody has published it.
        return await board.find(key)
    except TopicNotFound:
        raise UnknownTopic("The topic has no source.", topic=name) from None


async def _matching(board: Board, session_id: str, pattern: str) -> list[Line]:
    names = [name for name in await board.names(session_id) if topics.matches(pattern, name)]
    return [await board.line((session_id, name)) for name in names]
