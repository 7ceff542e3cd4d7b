"""The temporary Prefect server: `python -m flows.own_server PORT HOME PARENT`, gone as soon as PARENT is."""

import shutil
import sys

from flows.process_end import end_with_parent


def main() -> None:
    """Serve on loopback until told to stop, or until the parent is gone; then its database goes too."""
    port, home, parent = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    end_with_parent(parent, lambda: shutil.rmtree(home, ignore_errors=True))
    import uvicorn  # only now: these take seconds, in which the parent may be killed
    from prefect.server.api.server import create_app

    uvicorn.run(create_app(webserver_only=True, final=True), host="127.0.0.1", port=port, log_level="error")


if __name__ == "__main__":
    main()
