stack "s" {
  region = "us-east-1"
}

bucket "data" {
  expire {
    after = "36h"
  }
}
