stack "llm" {
  region = "us-east-1"
}

variable "release" {
  type    = string
  default = "v3.1.0"
}

network "main" {
  cidr = "10.20.0.0/16"
}

bucket "artifacts" {}

service "mlflow" {
  network = network.main
  nodes   = 2
  cpus    = 2
  memory  = "8GiB"
  ports   = [5000]

  container {
    image   = "ghcr.io/mlflow/mlflow:${var.release}"
    command = ["mlflow", "server", "--host", "0.0.0.0", "--default-artifact-root", "s3://${bucket.artifacts.name}"]
    secrets = { MLFLOW_BACKEND_STORE_URI = "ssm:/llm/mlflow/database" }
  }

  mount "/artifacts" {
    from = bucket.artifacts
  }

  health {
    http = "/health"
  }
}

output "tracking" {
  value = service.mlflow.url
}
