teams = ["speech", "vision"]
token = "two"
