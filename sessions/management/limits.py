"""What both servers allow a connection and an end, in seconds and bytes."""

# A socket that says nothing is asked after the first time and closed after the second.
PING_SECONDS, PONG_SECONDS = 5, 10
# Sockets wait this long for the application to accept them; in a storm that takes time.
HANDSHAKE_SECONDS = 30
# Frames up to one MiB are the application's to judge; what is far larger never gets to it.
MAX_MESSAGE_BYTES = 1024 * 1024 + 64 * 1024
# The parts of an end; together they fit the thirty seconds that it may take.
DRAIN_SECONDS, GOODBYE_SECONDS, CLOSE_SECONDS, FINISH_SECONDS = 12.0, 2.0, 4.0, 8

# The head of a request: how large, how long it may take to come, and how many connections may be
# without one. Browsers keep a few connections open to be quick; whoever needs one comes again.
MAX_HEAD_BYTES = 64 * 1024
HEAD_SECONDS = 15
MOST_WAITING = 1024
