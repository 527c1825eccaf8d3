"""The client of Aegis for components: twelve lines connect one."""

from components.core.errors import ComponentClosed, ConnectionLost
from components.sdk.component import Component
from components.sdk.cursors import CursorStore, FileCursors, MemoryCursors
from components.sdk.records import (
    Batch,
    Gap,
    LogLevel,
    Published,
    Receipt,
    Record,
    Rewind,
    Standing,
    TokenExpiring,
)
from components.sdk.wire import Subscription
from streaming.core.position import Cursor, Position

__all__ = [
    "Batch",
    "Component",
    "ComponentClosed",
    "ConnectionLost",
    "Cursor",
    "CursorStore",
    "FileCursors",
    "Gap",
    "LogLevel",
    "MemoryCursors",
    "Position",
    "Published",
    "Receipt",
    "Record",
    "Rewind",
    "Standing",
    "Subscription",
    "TokenExpiring",
]
