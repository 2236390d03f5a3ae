"""The vault: kinds of credentials, what acts for whom, masking, replacement, rotation."""
