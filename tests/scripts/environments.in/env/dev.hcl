teams = ["speech"]
keep  = "7d"
token = "one"
