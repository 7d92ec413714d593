"""What the meter can do, measured: accuracy and cost, against truth from outside."""
