"""Running ``desk`` commands for a page: what reaches beyond the store (Rasa's memory, files) is theirs to do."""

import asyncio
import sys

SECONDS = 60
_CALL = "import sys; from desk.cli import app; app(sys.argv[1:])"


async def desk(*arguments: str) -> tuple[int, str]:
    """The exit status and what was printed; status −1 if it did not end in a minute."""
    running = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        _CALL,
        *arguments,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(SECONDS):
            output, _ = await running.communicate()
    except TimeoutError:
        running.kill()
        await running.wait()
        return -1, ""
    return running.returncode or 0, output.decode(errors="replace")
