moved {
  from = bucket.raw
  to   = bucket.clean
}
