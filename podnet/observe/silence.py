"""Whether somebody answers at an SSH port at all: a machine that hangs takes connections, and then says nothing."""

from __future__ import annotations

import asyncio


async def is_silent(host: str, port: int, *, dial: float, patience: float) -> bool:
    """Tell whether a connection is taken there, stays open, and brings no word.

    An SSH server speaks first (RFC 4253, 4.2), so there is no need to log in. dial: seconds for the connection.
    patience: seconds for the word. Where there is no connection, or one that is closed again, nobody is silent: whoever
    dials is told so, and dials again.
    """
    try:
        reader, writer = await asyncio.wait_for(asyncio.open_connection(host, port), dial)
    except OSError:
        return False
    try:
        await asyncio.wait_for(reader.read(1), patience)
    except TimeoutError:
        return True
    except OSError:
        return False
    finally:
        writer.close()
    return False
