"""The temporary Prefect server: `python -m flows.own_server PORT HOME`, gone as soon as whoever started it is."""

import shutil
import sys

import uvicorn
from prefect.server.api.server import create_app

from flows.process_end import end_with_parent


def main() -> None:
    """Serve on loopback until told to stop, or until the parent is gone; then its database goes too."""
    port, home = int(sys.argv[1]), sys.argv[2]
    end_with_parent(lambda: shutil.rmtree(home, ignore_errors=True))
    uvicorn.run(create_app(ephemeral=True, final=True), host="127.0.0.1", port=port, log_level="error")


if __name__ == "__main__":
    main()
