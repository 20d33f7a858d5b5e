"""People, and one person: why is this person, or not, in AWS?"""
