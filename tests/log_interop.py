"""Checks that pyarrow and polars read a log as docs/log-format.md says.

    python log_interop.py LOG EXPECTED

EXPECTED has one JSON object a line, in the order of the log: the fields of an event, its texts as
arrays of bytes. Both libraries are to give back exactly these, by the rules of the document alone.
"""

import json
import sys

import polars
import pyarrow

ESCAPES = 0x10FE00
PATH_ABSENT, PATH2_ABSENT = 1 << 16, 1 << 17
PLAIN = ["kind", "pid", "tid", "start_ns", "duration_ns", "syscall", "family", "abi", "nr", "ret", "errno", "ip", "stack"]
STAT = ["st_mode", "st_nlink", "st_size", "st_mtime_ns", "st_ino", "st_dev"]
TEXTS = ["comm", "path_abs", "path2_abs", "file", "file2", "text", "peer"]


def to_bytes(text):
    """The bytes that a text of a log stands for."""
    if text is None:
        return None
    out = bytearray()
    for character in text:
        byte = ord(character) - ESCAPES
        out += bytes([byte]) if 0 <= byte < 256 else character.encode()
    return list(out)


def argv_to_bytes(arguments):
    """An argument list with each argument ended by NUL, but for one marked as unterminated."""
    if arguments is None:
        return None
    out = []
    for argument in arguments:
        ended = not argument.endswith(chr(ESCAPES))
        out += to_bytes(argument if ended else argument[:-1]) + ([0] if ended else [])
    return out


def to_event(row):
    """A row of the table as the event it was made of."""
    event = {name: row[name] for name in PLAIN + STAT}
    event |= {name: to_bytes(row[name]) for name in TEXTS}
    for name, absent in ("path", PATH_ABSENT), ("path2", PATH2_ABSENT):
        text = row[name]
        if text is None and not row["flags"] & absent:
            text = row[name + "_abs"]
        event[name] = to_bytes(text)
    event["args"] = [row[f"a{i}"] for i in range(6)]
    event["argv"] = argv_to_bytes(row["argv"])
    event["flags"] = row["flags"] & 0xFFFF
    return event


def compare(library, rows, expected):
    """Compares all rows; exits with the first difference."""
    if len(rows) != len(expected):
        sys.exit(f"{library}: {len(rows)} rows, not {len(expected)}")
    for number, (row, event) in enumerate(zip(rows, expected)):
        found = to_event(row)
        if found != event:
            keys = [key for key in event if found.get(key) != event[key]]
            sys.exit(f"{library}: row {number}: " + "; ".join(f"{k}: {found.get(k)!r}, not {event[k]!r}" for k in keys))
    print(f"{library}: {len(rows)} rows as expected")


def main():
    log, expected = sys.argv[1:]
    with open(expected, encoding="utf-8") as lines:
        expected = [json.loads(line) for line in lines]
    with pyarrow.ipc.open_stream(log) as stream:
        header = json.loads(stream.schema.metadata[b"trace"])
        table = stream.read_all()
    assert header["format"] == 2, header
    compare("pyarrow", table.to_pylist(), expected)
    frame = polars.read_ipc_stream(log)
    compare("polars", frame.rows(named=True), expected)
    # Dictionaries differ from batch to batch: polars sees through that, pyarrow wants to be told.
    counts = {}
    for event in expected:
        counts[event["errno"]] = counts.get(event["errno"], 0) + 1
    grouped = frame.group_by("errno").len().rows()
    assert dict(grouped) == counts, grouped
    grouped = table.unify_dictionaries().group_by("errno").aggregate([("pid", "count")]).to_pylist()
    assert {row["errno"]: row["pid_count"] for row in grouped} == counts, grouped


main()
