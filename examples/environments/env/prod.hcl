cidr         = "10.72.0.0/16"
accelerators = "A10G:4"
most         = 16
capacity     = ["on-demand"]
keep         = true
budget       = 120
