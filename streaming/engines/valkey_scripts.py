"""What the store does in one step: Lua scripts, and the keys of one log that they work on."""

import hashlib
from dataclasses import dataclass, field

from streaming.engines.base import Key

PREFIX = "aegis"
WINDOW = 1024
"""So many of the last numbered publications of a topic are recognised when they come again."""


@dataclass(frozen=True, slots=True)
class Script:
    """A Lua script and the name by which the store knows it once it was loaded."""

    text: str
    sha: str = field(init=False)

    def __post_init__(self) -> None:
        sha = hashlib.sha1(self.text.encode(), usedforsecurity=False).hexdigest()
        object.__setattr__(self, "sha", sha)


def session_key(session_id: str, name: str) -> str:
    """One key of a session; all of them share one hash tag, and so one node of a cluster."""
    return f"{PREFIX}:{{{session_id}}}:{name}"


def channel(session_id: str) -> str:
    """Where it is announced that a topic of the session moved."""
    return session_key(session_id, "w")


def log_keys(key: Key) -> tuple[str, ...]:
    """
    The keys of one log, in the order of the scripts.

    A hash of where it stands, the stream, its index by time, the window of numbered
    publications; and of its session the topics by their last move, and the count of moves.
    """
    session_id, topic = key
    own = (session_key(session_id, f"{kind}:{topic}") for kind in "mltp")
    return (*own, session_key(session_id, "n"), session_key(session_id, "v"))


# The hash: e epoch, h head, c its chain value, s the first readable seq, z the bytes of all data
# ever appended, w the same at the anchor, a the anchor's chain value, y the second of the last append, x the greatest ts in
# that second. The stream begins with its anchor: the record before s, or 0-1 with the genesis.
# Each record has t its ts, d its data, c its chain value, z as above. The index has for every
# second before y the last seq and the greatest ts, as "seq:ts".
_COMMON = """
local META, LOG, INDEX, WINDOW, NAMES, MOVES = unpack(KEYS)

local function text(number) return string.format('%.0f', number) end

local function id(seq) return seq == 0 and '0-1' or text(seq) .. '-0' end

local function number_of(name) return tonumber(string.match(name, '^%d+')) end

local function record(seq)
  local found = redis.call('XRANGE', LOG, id(seq), id(seq))[1]
  return found and found[2]
end

local function now() return tonumber(redis.call('TIME')[1]) end

local function read()
  local m = redis.call('HMGET', META, 'e', 'h', 'c', 's', 'z', 'w', 'y', 'x', 'a')
  if not m[1] then return nil end
  return {e = m[1], h = tonumber(m[2]), c = m[3], s = tonumber(m[4]), z = tonumber(m[5]),
    w = tonumber(m[6]), y = tonumber(m[7]), x = tonumber(m[8]), a = m[9]}
end

-- Whoever moves a log listens to its session, and need not hear of itself alone.
local function announce(topic, channel, who)
  redis.call('ZADD', NAMES, redis.call('INCR', MOVES), topic)
  if redis.call('PUBSUB', 'NUMSUB', channel)[2] > 1 then
    redis.call('PUBLISH', channel, who .. ' ' .. topic)
  end
end

-- After records were taken from the front: where it begins is read, never computed.
local function settle(log)
  local first = redis.call('XRANGE', LOG, '-', '+', 'COUNT', 1)[1]
  local anchor = number_of(first[1])
  log.s, log.w, log.a = anchor + 1, tonumber(first[2][8]), first[2][6]
  redis.call('HSET', META, 's', text(log.s), 'w', text(log.w), 'a', log.a)
  redis.call('ZREMRANGEBYSCORE', WINDOW, '-inf', text(anchor))
  while true do
    local point = redis.call('ZRANGE', INDEX, 0, 0)[1]
    if not point or number_of(point) > anchor then return end
    redis.call('ZREM', INDEX, point)
  end
end

local function cut(log, anchor)
  redis.call('XTRIM', LOG, 'MINID', id(anchor))
  settle(log)
end

-- The first place that may be the anchor so that not more than so many bytes follow it.
local function within(log, bytes)
  local low, high = log.s - 1, log.h - 1
  while low < high do
    local middle = math.floor((low + high) / 2)
    if log.z - tonumber(record(middle)[8]) <= bytes then high = middle else low = middle + 1 end
  end
  return low
end

-- Keeps within the bounds; the seconds until the oldest record is too old.
local function trim(log, records, bytes, age)
  local at = now()
  if redis.call('XTRIM', LOG, 'MAXLEN', '~', text(records + 1)) > 0 then settle(log) end
  if log.z - log.w > bytes then cut(log, within(log, bytes - bytes / 32)) end
  local oldest = tonumber(redis.call('ZRANGE', INDEX, 0, 0, 'WITHSCORES')[2]) or log.y
  if oldest + age < at then
    local limit = '(' .. string.format('%.3f', at - age)
    local point = redis.call('ZREVRANGEBYSCORE', INDEX, limit, '-inf', 'LIMIT', 0, 1)[1]
    local anchor = point and number_of(point) or 0
    if log.y + age < at then anchor = log.h end
    if anchor >= log.s then cut(log, anchor) end
    oldest = at
  end
  return text(math.max(1, oldest + age - at))
end
"""

LOOK = Script(
    _COMMON
    + """
local after, count, bytes = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local epoch, genesis, most = ARGV[4], ARGV[5], tonumber(ARGV[6])
local topic, channel, who = ARGV[7], ARGV[8], ARGV[9]

local log = read()
if not log or redis.call('EXISTS', LOG) == 0 then
  if redis.call('ZCARD', NAMES) >= most and not redis.call('ZSCORE', NAMES, topic) then return {} end
  redis.call('DEL', META, LOG, INDEX, WINDOW)
  redis.call('HSET', META, 'e', epoch, 'h', '0', 'c', genesis, 's', '1', 'z', '0', 'w', '0',
    'y', text(now()), 'x', '0', 'a', genesis)
  redis.call('XADD', LOG, '0-1', 't', '0', 'd', '', 'c', genesis, 'z', '0')
  announce(topic, channel, who)
  log = read()
end
local due = trim(log, tonumber(ARGV[10]), tonumber(ARGV[11]), tonumber(ARGV[12]))
local from, at, found = math.max(after, log.s - 1), '', {}
if from <= log.h then at = record(from)[6] end
if count > 0 and from < log.h then
  local average = math.max(1, (log.z - log.w) / (log.h - log.s + 1))
  count = math.max(1, math.min(count, math.floor(bytes / average)))
  found = redis.call('XRANGE', LOG, id(from + 1), '+', 'COUNT', text(count))
end
return {log.e, text(log.h), log.c, text(log.s), log.a, due, text(from), at, found}
"""
)
"""
Where a log stands, the chain value at ``after`` and what follows it; made when it is not there.

Arguments: after, most records, most bytes (about), epoch and genesis for a new log, the most
topics of a session, topic, channel, who asks, and the three bounds of what is kept. An empty
answer says that there are too many topics.
"""

APPEND = Script(
    _COMMON
    + f"local MOST = {WINDOW}"
    + """
local topic, channel, who = ARGV[4], ARGV[5], ARGV[6]
local log = read()
if not log or log.e ~= ARGV[1] or log.h ~= tonumber(ARGV[2]) or log.c ~= ARGV[3] then return {0} end

local known = {2}
local first = 11
for _ = 1, tonumber(ARGV[10]) do
  local seq = redis.call('ZSCORE', WINDOW, ARGV[first])
  if seq then
    known[#known + 1] = ARGV[first]
    known[#known + 1] = seq
    known[#known + 1] = record(tonumber(seq))[6]
  end
  first = first + 2
end
if #known > 1 then return known end

local at = now()
if at > log.y then
  if log.h > 0 then redis.call('ZADD', INDEX, log.y, text(log.h) .. ':' .. text(log.x)) end
  log.y, log.x = at, 0
end
for place = first, #ARGV, 3 do
  log.h, log.z = log.h + 1, log.z + #ARGV[place + 1]
  log.x = math.max(log.x, tonumber(ARGV[place]))
  local added = redis.call('XADD', LOG, 'NOMKSTREAM', id(log.h), 't', ARGV[place], 'd',
    ARGV[place + 1], 'c', ARGV[place + 2], 'z', text(log.z))
  if not added then return {0} end
end
redis.call('HSET', META, 'h', text(log.h), 'c', ARGV[#ARGV], 'z', text(log.z), 'y', text(log.y),
  'x', text(log.x))
for place = 11, first - 1, 2 do redis.call('ZADD', WINDOW, ARGV[place + 1], ARGV[place]) end
if first > 11 then redis.call('ZREMRANGEBYRANK', WINDOW, 0, -1 - MOST) end
local due = trim(log, tonumber(ARGV[7]), tonumber(ARGV[8]), tonumber(ARGV[9]))
announce(topic, channel, who)
return {1, text(log.s), log.a, due}
"""
)
"""
Append records if the log still stands where the writer says: 1; 0 when it does not.

Arguments: epoch, head and chain value that are expected, topic, channel, who writes, the three
bounds of what is kept, how many publications are numbered, each of these with its last seq, then
ts, data and chain value of every record. 2 names those that were appended before, with their last
seq and its chain value; then nothing is appended.
"""

FENCE = Script(
    _COMMON
    + """
if redis.call('HGET', META, 'e') ~= ARGV[1] then return 0 end
redis.call('HSET', META, 'e', ARGV[2])
announce(ARGV[3], ARGV[4], ARGV[5])
return 1
"""
)
"""Set the epoch if it is still the expected one. Arguments: expected, new, topic, channel, who."""

MOVED = Script(
    """
local count, since = tonumber(redis.call('GET', KEYS[2]) or '0'), ARGV[1]
if count < tonumber(since) then since = '0' end
return {string.format('%.0f', count), redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. since, '+inf')}
"""
)
"""The count of moves of a session, and the topics that moved after the count given (all, if it went back)."""

ALL = (LOOK, APPEND, FENCE, MOVED)
