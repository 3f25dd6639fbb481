"""An integration whose driver fails in the ways of its options."""
