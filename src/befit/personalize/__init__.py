"""Profile to conditioning: prompt, encoding, and their stack."""
