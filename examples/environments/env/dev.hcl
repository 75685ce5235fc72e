# For one person at a time.
cidr         = "10.70.0.0/16"
accelerators = "T4:1"
most         = 2
budget       = 5
