"""What is done with all recordings at once, a module a deed.

In: the settings and what was typed. Out: an exit code, and a report.
"""
