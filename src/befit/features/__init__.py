"""What several mechanisms measure on a text: surface style, statements, embeddings."""
