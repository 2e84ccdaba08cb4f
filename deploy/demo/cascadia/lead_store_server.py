"""The process of the lead lists' object store: moto's server, on a port that the system gives.

It serves until its standard input ends, and that ends with whoever started it, however that happens.
"""

import logging
import sys

from moto.server import ThreadedMotoServer


def main() -> None:
    """Serve, say where, and wait."""
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    sys.stdout.write(f"http://{host}:{port}\n")
    sys.stdout.flush()
    sys.stdin.buffer.read()


if __name__ == "__main__":
    main()
