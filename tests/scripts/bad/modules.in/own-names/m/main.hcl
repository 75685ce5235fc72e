output "name" {
  value = bucket.data.name
}
