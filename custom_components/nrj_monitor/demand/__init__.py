"""Mean power of the import over the intervals that a demand tariff bills."""
