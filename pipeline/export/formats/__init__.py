"""Formats: a training set of Parquet files -> the same samples as other tools want them, one file per format."""
