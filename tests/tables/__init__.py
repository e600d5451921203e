"""What the tables promise by themselves, whoever writes to them."""
