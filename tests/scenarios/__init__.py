"""What lanes do, told as stories: one file per behaviour, on a whole facility in virtual time."""
