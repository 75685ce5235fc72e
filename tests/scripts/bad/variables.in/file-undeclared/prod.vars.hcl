nodes = 2
noodles = 3
