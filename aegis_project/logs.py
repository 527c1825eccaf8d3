"""Log lines for machines."""

import logging

import orjson

from aegis_project import instruments

# What every record has; the rest are the fields that the caller gave.
STANDARD = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}


class Brief(logging.Filter):
    """One line for a request that Django refuses by its form, such as a foreign Host: no traceback."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.name.startswith("django.security"):
            record.exc_info = record.exc_text = None
        return True


class JSONFormatter(logging.Formatter):
    """
    One JSON object a line: time, level, logger, message, the caller's fields, the traceback.

    Between them stands what is said of the work: request_id, principal, session, command, run.
    A traceback has no values of variables, which may be secrets.
    """

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "ts": self.formatTime(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= instruments.said()
        line |= {name: value for name, value in record.__dict__.items() if name not in STANDARD}
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return orjson.dumps(line, default=str).decode()
