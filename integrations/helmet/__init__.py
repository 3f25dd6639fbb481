"""Smart helmets: JT/T 808 terminals, and GB/T 28181 alarms and positions."""
