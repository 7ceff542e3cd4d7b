"""Prefect flows and the `mobius` command line: thin, they only call pipeline and mobius_model."""
