"""What is played: cooperative games over batches of parallel copies."""
