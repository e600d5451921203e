"""What people and channels settle beforehand."""
