"""What carries a notice to a person: services, rates, lanes, words, push, SMS.

Nothing of this runs in the safety process: the notifier and its children do.
"""
