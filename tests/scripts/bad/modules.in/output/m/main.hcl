bucket "data" {}

output "bucket" {
  value = bucket.data.name
}
