"""The edge that claims runs and carries them out, in every server and in `aegis worker`."""

from sessions.worker.equipment import EQUIPMENT
from sessions.worker.job import Worker
from sessions.worker.watching import Watching

__all__ = ["EQUIPMENT", "Watching", "Worker"]
