"""Knowledge: sources, chunking, index, retrieval, validity dates and access labels."""
