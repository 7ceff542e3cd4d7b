"""Alert: a webhook's address from the environment -> a block on Prefect's server, which an automation calls.

`MOBIUS_ALERT_URL=https://... python -m flows.alert` prints the id of the block; docs/prefect.md says what it is for.
The address stays out of files and parameters: whoever knows it may post.
"""

import os
import sys

from prefect.blocks.webhook import Webhook
from pydantic import SecretStr

VARIABLE, BLOCK = "MOBIUS_ALERT_URL", "mobius-alert"


def main() -> int:
    """Save the block, over an older one of its name."""
    url = os.environ.get(VARIABLE)
    if not url:
        sys.stderr.write(f"{VARIABLE} is not set, expected the address that is to be told when a run fails\n")
        return 2
    sys.stdout.write(f"{Webhook(url=SecretStr(url)).save(BLOCK, overwrite=True)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
