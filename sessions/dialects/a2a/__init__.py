"""A2A 1.0 by the types of its SDK, which take their time to import: loaded when first asked for."""
