"""Is it any good, for whom, and at what risk?"""
