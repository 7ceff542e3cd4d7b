"""Export: chosen samples and their answers -> the t2i and t2v training sets."""
