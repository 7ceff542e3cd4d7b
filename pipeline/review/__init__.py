"""Review: what people said about samples -> which samples are in or out, and which captions are theirs."""
