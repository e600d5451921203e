"""What people follow while it happens: cursors over what is committed, woken by hints."""
