"""The curation stages and what runs one shard through one stage. No Prefect, no trainer."""
