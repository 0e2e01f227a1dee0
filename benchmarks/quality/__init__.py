"""Quality of compressed embeddings at equal true bytes: the package's methods against those of other papers."""
