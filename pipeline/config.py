"""CurateConfig: one TOML file -> everything a curation run depends on, checked before anything runs."""

from pydantic import Field

from pipeline.engine_config import EngineConfig
from pipeline.export.config import ExportConfig
from pipeline.ingest import IngestConfig
from pipeline.operations_config import LogConfig, MetricsConfig
from pipeline.select import SelectConfig
from pipeline.sources import SourceConfig
from pipeline.stages.clean import CheckedCleanConfig, CleanStageConfig
from pipeline.stages.image_caption import ImageCaptionConfig
from pipeline.stages.probe import ProbeConfig
from pipeline.stages.quality import QualityConfig
from pipeline.stages.summary import SummaryConfig
from pipeline.stages.text import TextStageConfig
from pipeline.stages.translation import TranslationConfig
from pipeline.stages.video_caption import VideoCaptionConfig
from schemas.config import Place, StrictConfig
from schemas.location import Location, parse_location


class CurateConfig(StrictConfig):
    """A curation run: where from, where to, how measured, what is chosen."""

    root: Place = Field(min_length=1)  # folder of the dataset; made if it is not there
    source: SourceConfig
    ingest: IngestConfig = IngestConfig()
    probe: ProbeConfig = ProbeConfig()
    quality: QualityConfig = QualityConfig()
    text: TextStageConfig = TextStageConfig()
    clean: CleanStageConfig = CleanStageConfig()
    image_caption: ImageCaptionConfig = ImageCaptionConfig()
    video_caption: VideoCaptionConfig = VideoCaptionConfig()
    summary: SummaryConfig = SummaryConfig()
    translation: TranslationConfig = TranslationConfig()
    select: SelectConfig = SelectConfig()
    export: ExportConfig = ExportConfig()
    engine: EngineConfig = EngineConfig()
    log: LogConfig = LogConfig()
    metrics: MetricsConfig = MetricsConfig()

    @property
    def root_path(self) -> Location:
        """Where the dataset root is. Raises UserError for an address of no kind that we read."""
        return parse_location(self.root)

    def stage_config(self, stage: str) -> StrictConfig:
        """Return the config of one stage; `clean` checks its work with the reader of `text`."""
        config = getattr(self, stage)
        assert isinstance(config, StrictConfig)
        if stage == "clean":
            return CheckedCleanConfig(**dict(self.clean), reader=self.text.reader)
        return config
