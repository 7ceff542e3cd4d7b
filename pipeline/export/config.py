"""ExportConfig: how the files of a training set are cut."""

from pydantic import Field

from schemas.config import StrictConfig


class ExportConfig(StrictConfig):
    """Sizes that Parquet readers and dataset viewers like."""

    row_group_bytes: int = Field(32 << 20, ge=1 << 16)  # encoded media per row group; one sample more at most
    file_bytes: int = Field(384 << 20, ge=1 << 20)  # encoded media per file; one row group more at most
