"""Language-model lab: the unembedding matrix of a checkpoint, its token counts, its losses."""
