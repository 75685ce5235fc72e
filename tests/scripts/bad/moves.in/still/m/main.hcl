bucket "raw" {}

bucket "clean" {}

moved {
  from = bucket.raw
  to   = bucket.clean
}
