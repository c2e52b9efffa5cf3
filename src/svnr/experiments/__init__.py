"""What is run: settings, training, evaluation and the store of finished runs."""
