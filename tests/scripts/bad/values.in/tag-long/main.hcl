stack "s" {
  region = "us-east-1"
}

bucket "data" {
  tags = {
    note = join("", [for n in range(300) : "x"])
  }
}
