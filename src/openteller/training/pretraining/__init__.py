"""Pre-training of language models: the corpus, its windows, masking, the vocabulary, and the run."""
