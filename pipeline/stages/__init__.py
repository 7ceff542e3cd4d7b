"""The stages, one file each; `table.py` lists them in the order in which data travels."""
