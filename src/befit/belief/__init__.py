"""The Gaussian posterior, its likelihoods and the fold. numpy only."""
