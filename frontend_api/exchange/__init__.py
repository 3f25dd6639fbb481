"""What leaves the site: AQ 3064.2 tickets and alarms, and witnessed journal heads."""
