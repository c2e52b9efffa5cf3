"""Who learns: one file is one method of the paper."""
