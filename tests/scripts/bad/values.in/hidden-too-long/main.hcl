stack "s" {
  region = "us-east-1"
}

queue "jobs" {
  visibility_timeout = "13h"
}
