"""What Aegis costs, measured; figures are reported here and never asserted in tests."""
