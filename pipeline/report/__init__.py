"""Report: a dataset root -> one folder of HTML to look at, which needs no network and no server."""
