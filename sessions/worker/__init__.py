"""The edge that claims runs and carries them out, in every server and in `aegis worker`."""

from sessions.worker.equipment import EQUIPMENT
from sessions.worker.job import Worker

__all__ = ["EQUIPMENT", "Worker"]
