"""Reads all of a mail as an application would, and says which promise did not hold.

Promises: no accessor raises; nothing fails in a way nobody foresaw; text can be stored and shown on a line;
file names are safe; a mail survives a queue; time and memory are bounded.
"""

from __future__ import annotations

import copy
import pickle
import time
import tracemalloc
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import PurePosixPath, PureWindowsPath

from mailcore import Address, DefectCode, InboundAttachment, InboundMessage, from_json, to_json

__all__ = ["MAX_MEMORY", "MAX_SECONDS", "bounded_memory", "bounded_time", "faults"]

MAX_SECONDS = 1.0
#: Bytes that reading may take beyond three times the mail.
MAX_MEMORY = 50 * 2**20
#: Mails within mails that are opened.
MAX_DEPTH = 3
#: Beyond this, the way through a queue is not tried: it costs more than the mail.
MAX_QUEUED = 200_000

_ADDRESSES = ("from_", "to", "cc", "bcc", "reply_to")
_LINES = ("subject", "message_id", "in_reply_to")
_CONTROLS = frozenset(map(chr, [*range(32), *range(127, 160), 0x2028, 0x2029]))
_DEVICES = frozenset(
    {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(10))}
)


def faults(message: InboundMessage, *, depth: int = MAX_DEPTH) -> Iterator[str]:
    """Use every accessor and yield each promise that does not hold; what an accessor raises is raised."""
    yield from _text_faults(message)
    yield from _value_faults(message)
    for file in message.attachments + message.inlines:
        yield from _file_faults(file)
        if file.message is not None and depth:
            yield from faults(file.message, depth=depth - 1)
    yield from (f"unforeseen: {defect}" for defect in message.defects if defect.code is DefectCode.UNREADABLE)
    if len(message.raw or b"") <= MAX_QUEUED:
        yield from _queue_faults(message)


def _text_faults(message: InboundMessage) -> Iterator[str]:
    lines = [(name, getattr(message, name)) for name in _LINES]
    lines += [(f"header {name!r}", f"{name}{value}") for name, value in message.headers.pairs]
    lines += [("references", one) for one in message.references]
    lines += [
        (field, part)
        for field in _ADDRESSES
        for address in getattr(message, field)
        for part in (address.addr_spec, address.display_name)
    ]
    for name, text in lines:
        if text is not None and (_CONTROLS.intersection(text) or not _is_storable(text)):
            yield f"{name} holds a control character or cannot be stored"
    for name, text in (("text", message.text), ("html", message.html)):
        if text is not None and ("\0" in text or not _is_storable(text)):
            yield f"{name} cannot be stored"


def _value_faults(message: InboundMessage) -> Iterator[str]:
    addresses = [address for field in _ADDRESSES for address in getattr(message, field)]
    for address in addresses:
        if Address.parse_list(address.to_text()) != (Address(address.ascii_spec, address.display_name),):
            yield "an address does not survive being written"
    if message.date is not None and (message.date.tzinfo is None or not isinstance(message.date, datetime)):
        yield "the date names no zone"
    if not isinstance(message.is_auto_generated, bool):
        yield "is_auto_generated is neither true nor false"
    files = message.attachments + message.inlines
    if any(file not in files for file in message.content_id_map.values()):
        yield "content_id_map names a file that is not there"
    tuple(message.raw_headers)


def _file_faults(file: InboundAttachment) -> Iterator[str]:
    name = file.filename
    if not 0 < len(name.encode()) <= 150 or _CONTROLS.intersection(name):
        yield "a file name is empty, long or holds a control character"
    if PurePosixPath(name).name != name or PureWindowsPath(name).name != name or name.startswith("."):
        yield "a file name is a path"
    if name.partition(".")[0].strip().lower() in _DEVICES:
        yield "a file name is a device"
    if len(file.content) != file.size or not isinstance(file.content, bytes):
        yield "a file's content is not bytes of its size"
    if "/" not in file.content_type or (file.content_id is not None and not file.content_id.strip()):
        yield "a file's type or content id is none"
    repr(file)


def _queue_faults(message: InboundMessage) -> Iterator[str]:
    if from_json(InboundMessage, to_json(message)) != message:
        yield "it does not survive JSON"
    if pickle.loads(pickle.dumps(message)) != message or copy.deepcopy(message) != message:  # noqa: S301  # reason: its own
        yield "it does not survive a copy"


def _is_storable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def bounded_time(work: Callable[[], object]) -> str | None:
    """Do some work and return the promise that did not hold, if it took too long."""
    started = time.perf_counter()
    work()
    if time.perf_counter() - started <= MAX_SECONDS:
        return None
    # The machine may have been busy: what counts is the time of this process, which is slow to ask for.
    started = time.process_time()
    work()
    seconds = time.process_time() - started
    return f"took {seconds:.2f} s" if seconds > MAX_SECONDS else None


def bounded_memory(work: Callable[[], object], size: int) -> str | None:
    """Do some work on that many bytes and return the promise that did not hold, if it took much memory."""
    tracemalloc.start()
    try:
        work()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    return f"took {peak / 2**20:.0f} MiB for {size} bytes" if peak > 3 * size + MAX_MEMORY else None
