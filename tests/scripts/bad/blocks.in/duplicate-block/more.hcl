bucket "data" {
  versioning = false
}
