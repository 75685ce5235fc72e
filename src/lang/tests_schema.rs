//! Blocks against their schema.

use super::testing::problems;

type Cases = &'static [(&'static str, &'static [&'static str])];

/// Each text has exactly these problems.
fn check(cases: Cases) {
    for (text, expect) in cases {
        assert_eq!(problems(text), *expect, "{text}");
    }
}

const ATTRIBUTES: Cases = &[
    (
        "bucket \"x\" {\n  versionning = true\n}\n",
        &[
            "L012 unknown attribute \"versionning\" @ main.hcl:2:3 `versionning` [not an attribute of bucket] (did you mean \"versioning\"?)",
        ],
    ),
    (
        "network \"x\" {}\n",
        &[
            "L013 network needs \"cidr\" @ main.hcl:1:1 `network \"x\"` [missing here] (cidr = …: Its range.)",
        ],
    ),
    (
        "network \"x\" {\n  cidr = null\n}\n",
        &[
            "L013 network needs \"cidr\" @ main.hcl:2:10 `null` [its value is null] (cidr = …: Its range.)",
        ],
    ),
    (
        "bucket \"x\" {\n  versioning = []\n}\n",
        &[
            "L015 versioning has the wrong type @ main.hcl:2:16 `[]` [expected true or false, found a list]",
        ],
    ),
    (
        "bucket \"x\" {\n  readers = \"me\"\n}\n",
        &[
            "L015 readers has the wrong type @ main.hcl:2:13 `\"me\"` [expected a list, each element a string, found the string \"me\"] (a list of one is written [value])",
        ],
    ),
    (
        "bucket \"x\" {\n  readers = [\"a\", [1]]\n}\n",
        &[
            "L015 readers[1] has the wrong type @ main.hcl:2:19 `[1]` [expected a string, found a list]",
        ],
    ),
    (
        "bucket \"x\" {\n  readers = [\"a\", null]\n}\n",
        &[
            "L015 readers[1] has the wrong type @ main.hcl:2:19 `null` [expected a string, found null]",
        ],
    ),
    (
        "bucket \"x\" {\n  tags = { a = [] }\n}\n",
        &[
            "L015 tags[\"a\"] has the wrong type @ main.hcl:2:16 `[]` [expected a string, found a list]",
        ],
    ),
    (
        "bucket \"x\" {\n  class = \"glacir\"\n}\n",
        &[
            "L017 class has a value that it cannot have @ main.hcl:2:11 `\"glacir\"` [expected one of \"standard\", \"glacier\", found the string \"glacir\"] (did you mean \"glacier\"?)",
        ],
    ),
    (
        "bucket \"x\" {\n  size = \"200GB\"\n}\n",
        &[
            "L015 size has the wrong type @ main.hcl:2:10 `\"200GB\"` [\"200GB\" is no amount of storage: a whole number and GiB, TiB or PiB, such as \"200GiB\" or \"2TiB\"]",
        ],
    ),
    (
        "bucket \"x\" {\n  expire {\n    after = \"2w\"\n  }\n}\n",
        &[
            "L015 after has the wrong type @ main.hcl:3:13 `\"2w\"` [\"2w\" is no amount of time: a whole number and s, m, h or d, such as \"90s\", \"10m\", \"12h\" or \"14d\"]",
        ],
    ),
    (
        "bucket \"x\" {\n  expire = {}\n}\n",
        &[
            "L012 unknown attribute \"expire\" @ main.hcl:2:3 `expire` [this is a block] (write it without `=`: expire { … })",
        ],
    ),
    (
        "bucket \"x\" {\n  note = bucket.y\n}\nbucket \"y\" {}\n",
        &[
            "L015 note has the wrong type @ main.hcl:2:10 `bucket.y` [expected a string, found the block bucket.y] (use one of its attributes, such as bucket.y.id)",
        ],
    ),
    (
        "bucket \"x\" {\n  note = \"a\"\n  note = \"b\"\n}\n",
        &[
            "L014 attribute \"note\" is set twice @ main.hcl:3:3 `note` [set again here] (keep one of the two)",
        ],
    ),
    (
        "x = 1\n",
        &[
            "L012 attribute \"x\" stands outside of a block @ main.hcl:1:1 `x` [not in a block] (values of variables stand in a --var-file, others in `locals`)",
        ],
    ),
];

#[test]
fn references_and_shapes_are_checked() {
    let with =
        |text: &str| format!("bucket \"b\" {{}}\nnetwork \"n\" {{\n  cidr = \"x\"\n}}\n{text}");
    let said = |text: &str| problems(&with(text)).join("\n");
    assert_eq!(
        said("cluster \"c\" {\n  network = bucket.b\n}\n"),
        "L016 network refers to another kind of block @ main.hcl:6:13 `bucket.b` [expected a network block, found bucket.b]"
    );
    assert_eq!(
        said("cluster \"c\" {\n  network = network.n.id\n}\n"),
        "L015 network has the wrong type @ main.hcl:6:13 `network.n.id` [expected a network block, found a text known only after apply] (write the block itself, without quotes or attribute: network.name)"
    );
    assert_eq!(
        said("cluster \"c\" {\n  network = network.n\n  nodes = { min = 1 }\n}\n"),
        "L013 nodes is incomplete @ main.hcl:7:11 `{ min = 1 }` [\"max\" is required] (Most.)"
    );
    assert_eq!(
        said("cluster \"c\" {\n  network = network.n\n  nodes = { max = 1, mn = 2 }\n}\n"),
        "L012 nodes does not fit @ main.hcl:7:27 `2` [unknown attribute \"mn\"] (did you mean \"min\"?)"
    );
    assert_eq!(
        said("cluster \"c\" {\n  network = network.n\n  nodes = { max = 1.5 }\n}\n"),
        "L015 nodes.max has the wrong type @ main.hcl:7:19 `1.5` [expected a whole number, found the number 1.5]"
    );
    assert_eq!(
        said("cluster \"c\" {\n  network = network.n\n  nodes = [1]\n}\n"),
        "L015 nodes has the wrong type @ main.hcl:7:11 `[1]` [expected a whole number or an object { min, max }, found a list]"
    );
    assert_eq!(said("cluster \"c\" {\n  network = network.n\n  nodes = \"4\"\n}\n"), "");
    // A value from a local is shown at both places.
    assert_eq!(
        said(
            "locals {\n  n = \"many\"\n}\ncluster \"c\" {\n  network = network.n\n  nodes = local.n\n}\n"
        ),
        "L015 nodes has the wrong type @ main.hcl:10:11 `local.n` [expected a whole number or an object { min, max }, found the string \"many\"]"
    );
}

const BLOCKS: Cases = &[
    (
        "buckt \"x\" {}\n",
        &[
            "L010 unknown block \"buckt\" @ main.hcl:1:1 `buckt` [not known] (did you mean \"bucket\"?)",
        ],
    ),
    (
        "resource \"aws_s3_bucket\" \"x\" {}\n",
        &[
            "L010 unknown block \"resource\" @ main.hcl:1:1 `resource` [not known] (this is not Terraform: blocks are bucket, cluster, locals, module, network, output, stack, variable)",
        ],
    ),
    (
        "bucket {}\n",
        &[
            "L011 `bucket` needs a label @ main.hcl:1:1 `bucket` [no label] (write bucket \"name\" { … }: its name)",
        ],
    ),
    (
        "bucket \"a\" \"b\" {}\n",
        &[
            "L011 `bucket` takes one label @ main.hcl:1:12 `\"b\"` [one too many] (write bucket \"name\" { … })",
        ],
    ),
    (
        "locals \"a\" {}\n",
        &["L011 `locals` takes no label @ main.hcl:1:8 `\"a\"` [remove this] (write locals { … })"],
    ),
    (
        "bucket \"Data\" {}\n",
        &[
            "L011 \"Data\" is not a name: a lower-case letter, then up to 39 of a-z 0-9 _ - @ main.hcl:1:8 `\"Data\"` [not a name]",
        ],
    ),
    (
        "variable \"1x\" {}\n",
        &[
            "L011 \"1x\" is not a name: a letter or _, then letters, digits, _ and - @ main.hcl:1:10 `\"1x\"` [not a name]",
        ],
    ),
    (
        "bucket \"a\" {}\nbucket \"a\" {}\n",
        &[
            "L014 bucket.a is declared twice @ main.hcl:2:1 `bucket \"a\"` [again here] @ main.hcl:1:1 `bucket \"a\"` [first here]",
        ],
    ),
    (
        "locals {\n  a = 1\n}\nlocals {\n  a = 2\n}\n",
        &[
            "L014 local.a is declared twice @ main.hcl:5:3 `a` [again here] @ main.hcl:2:3 `a` [first here]",
        ],
    ),
    (
        "output \"a\" {\n  value = 1\n}\noutput \"a\" {\n  value = 1\n}\n",
        &[
            "L014 output.a is declared twice @ main.hcl:4:1 `output \"a\"` [again here] @ main.hcl:1:1 `output \"a\"` [first here]",
        ],
    ),
    (
        "bucket \"a\" {\n  expir {}\n}\n",
        &[
            "L010 unknown block \"expir\" @ main.hcl:2:3 `expir` [not a block of bucket] (did you mean \"expire\"?)",
        ],
    ),
    (
        "bucket \"a\" {\n  tags {\n    a = 1\n  }\n}\n",
        &[
            "L010 unknown block \"tags\" @ main.hcl:2:3 `tags` [this is an attribute] (write it with `=`: tags = …)",
        ],
    ),
    (
        "network \"a\" {\n  cidr = \"x\"\n  b {}\n}\n",
        &[
            "L010 unknown block \"b\" @ main.hcl:3:3 `b` [not a block of network] (`network` holds attributes only)",
        ],
    ),
    (
        "network \"n\" {\n  cidr = \"x\"\n}\ncluster \"a\" {\n  network = network.n\n  autoscale {}\n  autoscale {}\n}\n",
        &[
            "L018 `autoscale` stands more than once @ main.hcl:7:3 `autoscale` [again here] @ main.hcl:6:3 `autoscale` [first here] (keep one of them)",
        ],
    ),
    (
        "bucket \"b\" {}\nnetwork \"n\" {\n  cidr = \"x\"\n}\ncluster \"a\" {\n  network = network.n\n  mount \"/a\" {\n    from = bucket.b\n  }\n  mount \"/a\" {\n    from = bucket.b\n  }\n}\n",
        &[
            "L018 `mount \"/a\"` stands twice @ main.hcl:10:3 `mount \"/a\"` [again here] @ main.hcl:7:3 `mount \"/a\"` [first here] (keep one of them)",
        ],
    ),
];

#[test]
fn attributes_are_checked() {
    check(ATTRIBUTES);
}

#[test]
fn blocks_and_labels_are_checked() {
    check(BLOCKS);
}

#[test]
fn sensitive_values_are_not_shown_by_checks() {
    for attribute in ["versioning", "class", "size", "readers", "tags"] {
        for value in
            ["\"hunter2\"", "[\"hunter2\", [\"hunter2\"]]", "{ a = [\"hunter2\"], hunter2 = [] }"]
        {
            let text = format!(
                "bucket \"b\" {{\n  {attribute} = var.s\n}}\nvariable \"s\" {{\n  sensitive = true\n  default = {value}\n}}\n"
            );
            for said in problems(&text) {
                assert!(!said.contains("hunter2"), "{said}");
            }
        }
    }
}
