"""FastAPI and SQLAlchemy over the tables of Aegis; prints the port that it listens on."""

import asyncio
import hashlib
import json
import socket
import sys
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Annotated, Any

import uvicorn
from fastapi import Depends, FastAPI, Header, HTTPException
from pydantic import BaseModel, ConfigDict, create_model
from sqlalchemy import Connection, Table, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase

TABLES = {
    "Session": "aegis_sessions_session",
    "Log": "aegis_streaming_log",
    "Event": "aegis_streaming_event",
    "Audit": "aegis_streaming_auditentry",
    "Credential": "aegis_components_credential",
}


class Base(DeclarativeBase):
    """What is mapped."""


def mapped(connection: Connection) -> dict[str, Any]:
    """A class for each table, with all its columns."""
    kinds = {}
    for kind, name in TABLES.items():
        table = Table(name, Base.metadata, autoload_with=connection)
        own: dict[str, Any] = {"__table__": table}
        if "metadata" in table.columns:
            # A name that SQLAlchemy has for itself.
            own["metadata_"] = table.columns["metadata"]
        kinds[kind] = type(kind, (Base,), own)
    return kinds


async def learn(url: str) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """The classes, and a row of each: the database has no defaults, so new ones begin as these."""
    engine = create_async_engine(url)
    async with engine.connect() as connection:
        kinds = await connection.run_sync(mapped)
        rows = {}
        for kind, found in kinds.items():
            row = (await connection.execute(select(found.__table__).limit(1))).mappings().first()
            left_out = {"id", "metadata"}
            rows[kind] = {n: value for n, value in dict(row or {}).items() if n not in left_out}
    await engine.dispose()
    return kinds, rows


class NewSession(BaseModel):
    """What is said of a new session."""

    name: str = ""
    agent: str = ""
    metadata: dict[str, Any] = {}


def shown(kind: Any) -> type[BaseModel]:
    """A document with every column."""
    fields: dict[str, Any] = {}
    for column in kind.__table__.columns:
        known: Any = Any if isinstance(column.type, JSONB) else column.type.python_type
        fields[column.name] = (known | None if column.nullable else known, ...)
    fields = {("metadata_" if name == "metadata" else name): one for name, one in fields.items()}
    return create_model("SessionOut", __config__=ConfigDict(from_attributes=True), **fields)


def application(url: str, kinds: dict[str, Any], rows: dict[str, dict[str, Any]]) -> FastAPI:
    """Sessions: the list, one, making one."""
    engine = create_async_engine(url, pool_size=16)
    made = async_sessionmaker(engine, expire_on_commit=False)
    app = FastAPI()
    sessions, credentials = kinds["Session"], kinds["Credential"]
    document = shown(sessions)

    async def opened() -> AsyncIterator[AsyncSession]:
        async with made() as database:
            yield database

    Opened = Annotated[AsyncSession, Depends(opened)]  # noqa: N806 -- a type

    async def asking(database: Opened, authorization: Annotated[str, Header()] = "") -> Any:
        digest = hashlib.sha256(authorization.removeprefix("Bearer ").encode()).hexdigest()
        wanted = select(credentials).where(
            credentials.digest == digest, credentials.revoked_at.is_(None)
        )
        found = (await database.execute(wanted)).scalar_one_or_none()
        if found is None:
            raise HTTPException(401)
        return found

    Asking = Annotated[Any, Depends(asking)]  # noqa: N806 -- a type

    @app.get("/api/v1/sessions", response_model=list[document])
    async def several(database: Opened, who: Asking, limit: int = 20) -> Any:
        wanted = select(sessions).where(
            sessions.deleted_at.is_(None), sessions.team_id == who.team_id
        )
        newest = wanted.order_by(sessions.created_at.desc(), sessions.id.desc()).limit(limit)
        return (await database.execute(newest)).scalars().all()

    @app.get("/api/v1/sessions/{session}", response_model=document)
    async def one(database: Opened, who: Asking, session: uuid.UUID) -> Any:
        wanted = select(sessions).where(sessions.id == session, sessions.team_id == who.team_id)
        found = (await database.execute(wanted)).scalar_one_or_none()
        if found is None:
            raise HTTPException(404)
        return found

    @app.post("/api/v1/sessions", status_code=201, response_model=document)
    async def create(database: Opened, who: Asking, said: NewSession) -> Any:
        now, key = datetime.now(UTC), uuid.uuid4()
        own = {
            "id": key,
            "key": str(key),
            "name": said.name,
            "agent": said.agent,
            "metadata_": said.metadata,
        }
        row = sessions(**rows["Session"] | own | {"team_id": who.team_id, "created_at": now})
        database.add(row)
        await database.flush()
        log = kinds["Log"](
            **rows["Log"] | {"session_id": key, "epoch": key.hex[:16], "head": 1, "created_at": now}
        )
        database.add(log)
        await database.flush()
        told = json.dumps({"key": row.key, "name": row.name})
        database.add(
            kinds["Event"](**rows["Event"] | {"log_id": log.id, "seq": 1, "ts": now, "body": told})
        )
        audit = {"session_id": key, "target": str(key), "at": now}
        unsealed = {"place": None, "previous": "", "digest": ""}
        database.add(kinds["Audit"](**rows["Audit"] | audit | unsealed))
        await database.commit()
        return row

    return app


def main(url: str) -> None:
    """Serve until told to end."""
    address = url.replace("postgresql://", "postgresql+asyncpg://")
    kinds, rows = asyncio.run(learn(address))
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.bind(("127.0.0.1", 0))
    listening.listen(128)
    print(listening.getsockname()[1], flush=True)
    app = application(address, kinds, rows)
    settings = uvicorn.Config(app, log_level="error", loop="uvloop", http="httptools")
    uvicorn.Server(settings).run([listening])


if __name__ == "__main__":
    main(sys.argv[1])
