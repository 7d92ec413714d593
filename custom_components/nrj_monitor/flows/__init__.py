"""Config flow steps, a file for each source of readings; config_flow.py joins them."""
