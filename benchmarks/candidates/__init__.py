"""What is measured against what: each candidate starts its server and speaks its protocol."""
