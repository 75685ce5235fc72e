//! Whole configurations: declarations, order, schema, variables, outputs.

use super::testing::{load_with_stack, problems, value};

#[test]
fn a_whole_stack_evaluates() {
    let loaded = load_with_stack(
        r#"
variable "max" {
  type    = number
  default = 16
}
network "main" {
  cidr = cidrsubnet("10.0.0.0/8", 8, 20)
}
bucket "data" {
  versioning = "true"
  expire {
    after = "14d"
  }
  tags = { a = 1, id = network.main.id, n = bucket.logs.name }
}
bucket "logs" {}
cluster "train" {
  network = network.main
  nodes   = { min = 0, max = var.max }
  mount "/data" {
    from = bucket.data
  }
}
output "o" {
  value = "x-${bucket.data.name}"
}
"#,
    );
    assert_eq!(loaded.problems, []);
    assert_eq!(loaded.blocks.len(), 4);
    assert_eq!(loaded.outputs[0].value.as_str(), Some("x-t-data"));
}

#[test]
fn values_and_problems_meet() {
    assert_eq!(value("\"2\" + 1"), "3");
    assert_eq!(
        problems("bucket \"x\" {\n  versionning = true\n}\n"),
        ["L012 unknown attribute \"versionning\" @ main.hcl:2:3 `versionning` \
          [not an attribute of bucket] (did you mean \"versioning\"?)"]
    );
}
