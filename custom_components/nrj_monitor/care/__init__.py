"""What is wrong with a meter, said as repairs."""
