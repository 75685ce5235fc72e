variable "days" {
  type = number

  validation {
    condition     = var.days < 31
    error_message = "At most a month."
  }
}
