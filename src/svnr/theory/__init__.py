"""What is proved, exactly, on finite games: arrays in, arrays out."""
