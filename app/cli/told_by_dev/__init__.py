"""What `nchat-rtc dev` tells others: who waits at the terminal, and the other commands.

In: what runs. Out: the banner, and a file of facts that `token`, `status` and the demo read.
"""
