bucket "data" {
