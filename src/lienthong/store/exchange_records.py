"""The operational record of exchanges (X-Road's monitoring record): who asked what, when, how long it took, how it ended.

Kept beside the ledger, not in it: the ledger proves, this measures. A server gathers the records of a second and leaves them as one packed
row, as it leaves its ledger entries; so a record costs its request a few microseconds. What a second held is lost when a server is killed;
the ledger's entries are not. Addresses are told by their template: the key of a record is never kept, only whether keys were asked for in order.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence

import msgspec

OK, MISSING, REFUSED, INVALID, ERROR = "ok", "missing", "refused", "invalid", "error"
NONE_THERE, FAILED = -1, -2
OUTCOMES = (OK, MISSING, REFUSED, INVALID, ERROR)
TEMPLATES = {"look_up": "/records/{key}", "list": "/records", "bulk": "/records", "changes": "/changes", "submit": "/records"}


class Message(msgspec.Struct, array_like=True, gc=False):
    """What an X-Road message said of itself."""

    id: str = ""
    request_id: str = ""
    user_id: str = ""
    issue: str = ""
    party_class: str = ""
    party_code: str = ""
    protocol: str = ""
    server: str = ""


class Exchange(msgspec.Struct, array_like=True, gc=False):
    """One exchange. Add fields only at the end, with a default: older packed rows stay readable."""

    began_ms: int
    took_us: int
    door: str  # api, xroad-rest, xroad-soap, govstack
    provider: str  # agency code
    service: str  # dataset, or brokered service
    operation: str
    caller: str
    official: str
    purpose: str
    agreement: str
    status: int
    outcome: str
    rule: str
    bytes_in: int
    bytes_out: int
    follows: bool = False  # the key asked for is the neighbour of the one before, of the same official
    message: Message | None = None
    trace: str = ""  # `traceparent` of the request, where one was sent


class Run(msgspec.Struct, array_like=True, gc=False):
    """Look-ups alike in all but time, size and end: what they share is kept once. Of each: when, how long, bytes of its answer."""

    shared: Exchange
    began_ms: list[int] = []
    took_us: list[int] = []
    bytes_out: list[int] = []  # NONE_THERE: there is no such record; FAILED
    following: list[int] = []  # places of those whose key is the neighbour of the one before

    def exchanges(self) -> Iterator[Exchange]:
        following = set(self.following)
        shared = self.shared
        for place, (began, took, size) in enumerate(zip(self.began_ms, self.took_us, self.bytes_out, strict=True)):
            status, outcome = (200, OK) if size >= 0 else (404, MISSING) if size == NONE_THERE else (500, ERROR)
            yield msgspec.structs.replace(
                shared,
                began_ms=began,
                took_us=took,
                status=status,
                outcome=outcome,
                bytes_out=max(size, 0),
                follows=place in following,
            )


class Gathered(msgspec.Struct, array_like=True, gc=False):
    """What a server gathered in a second."""

    single: list[Exchange]
    runs: list[Run]

    def __len__(self) -> int:
        return len(self.single) + sum(len(run.began_ms) for run in self.runs)

    def span_ms(self) -> tuple[int, int]:
        """(when the first began, when the last ended); there is at least one."""
        began = [exchange.began_ms for exchange in self.single] + [min(run.began_ms) for run in self.runs]
        ended = [exchange.began_ms + exchange.took_us // 1000 for exchange in self.single]
        ended += [began + took // 1000 for run in self.runs for began, took in zip(run.began_ms, run.took_us, strict=True)]
        return min(began), max(ended)

    def exchanges(self) -> Iterator[Exchange]:
        """Each exchange, look-ups too."""
        yield from self.single
        for run in self.runs:
            yield from run.exchanges()


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Gathered).decode


def outcome_of(status: int, operation: str) -> str:
    """How an exchange ended. A record that is not there is an answer too."""
    if status < 400:
        return OK
    if status == 404 and operation == "look_up":
        return MISSING
    if status in (401, 403, 429):
        return REFUSED
    return INVALID if status < 500 else ERROR


def template_of(exchange: Exchange) -> str:
    """The path behind the service as a template; of a brokered call its endpoint is `VERB /template`."""
    verb, space, template = exchange.operation.partition(" /")
    if space and verb.isupper():
        return f"/{template}"
    return TEMPLATES.get(exchange.operation, f"/{exchange.operation}")


def verb_of(exchange: Exchange) -> str:
    """The verb of an exchange."""
    verb, space, _ = exchange.operation.partition(" /")
    if space and verb.isupper():
        return verb
    return "POST" if exchange.operation == "submit" else "GET"


def pack(gathered: Gathered) -> bytes:
    """What was gathered as one packed value."""
    return zlib.compress(_encode(gathered), 1)


def unpack(body: bytes) -> list[Exchange]:
    """The records of a packed value, in the order they began."""
    return sorted(_decode(zlib.decompress(body)).exchanges(), key=lambda exchange: exchange.began_ms)


def in_order(body: bytes) -> Iterator[tuple[str, str, int]]:
    """(caller, official, when it began in ms) of each record of a packed value that `follows`; the others are not looked at."""
    gathered = _decode(zlib.decompress(body))
    for exchange in gathered.single:
        if exchange.follows:
            yield exchange.caller, exchange.official, exchange.began_ms
    for run in gathered.runs:
        for place in run.following:
            yield run.shared.caller, run.shared.official, run.began_ms[place]


LOWEST_US = 100.0
STEPS_A_DOUBLING = 4
BUCKETS = 84  # 0.1 ms to 3.5 minutes; each bound is a fifth above the one before


def bucket_of(microseconds: int) -> int:
    """The place of a duration among the buckets of latencies."""
    if microseconds <= LOWEST_US:
        return 0
    place = (microseconds / LOWEST_US).hex()  # exponent and mantissa, exactly and without a logarithm's rounding
    mantissa, _, exponent = place.partition("p")
    within = float.fromhex(mantissa)
    return min(BUCKETS - 1, int(exponent) * STEPS_A_DOUBLING + sum(within > bound for bound in _WITHIN))


_WITHIN = tuple(2 ** (step / STEPS_A_DOUBLING) for step in range(STEPS_A_DOUBLING))


def bounds_us() -> Iterator[float]:
    """The upper bound of each bucket, in microseconds."""
    for place in range(BUCKETS):
        yield LOWEST_US * 2 ** (place / STEPS_A_DOUBLING)


def percentile_ms(latencies: Sequence[int], share: float) -> float:
    """The duration within which a share of the exchanges was answered, in milliseconds: the bound of its bucket, at most a fifth too high."""
    total = sum(latencies)
    if total == 0:
        return 0.0
    wanted, seen = share * total, 0
    for count, bound in zip(latencies, bounds_us(), strict=False):
        seen += count
        if seen >= wanted:
            return bound / 1000
    return LOWEST_US * 2 ** ((BUCKETS - 1) / STEPS_A_DOUBLING) / 1000
