"""What is counted of conversations, under the names of seed 004; labels are words, never ids."""

from prometheus_client import Counter

messages = Counter("message_count", "Messages of sessions, by the role that said them.", ["role"])
