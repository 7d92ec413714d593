"""Messages of the firmware: codes with values, said in the language of Home Assistant."""
