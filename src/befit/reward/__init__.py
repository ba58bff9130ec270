"""What would this person think of it?"""
