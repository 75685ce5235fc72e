# Values for production.
text   = "from the file"
number = 2
list   = ["a", "b"]
