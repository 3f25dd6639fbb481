"""The host process: loads one integration and joins it to core."""
