bucket "clean" {}

adopt {
  address = bucket.clean
  id      = "by-hand"
}

forget {
  address = bucket.raw
}
