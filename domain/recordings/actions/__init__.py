"""The actions on recordings, one file per verb."""
