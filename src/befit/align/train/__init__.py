"""Training time: learners that write artifacts."""
