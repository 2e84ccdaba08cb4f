"""What the business must be able to show: the log of 11 CCR 7101 and the figures of 11 CCR 7102.

Both are made anew from the lifecycle topics each time, which are kept for ever and hold no identity.
"""
