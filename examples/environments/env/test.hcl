# What runs at night, on the GPUs of production, cheaper and smaller.
cidr         = "10.71.0.0/16"
accelerators = "A10G:4"
most         = 2
budget       = 20
