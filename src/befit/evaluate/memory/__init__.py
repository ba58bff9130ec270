"""Judge-free measurement of memories: suites with known truth, and other memories beside ours."""
