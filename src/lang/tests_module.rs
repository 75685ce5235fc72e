//! Modules.

use super::testing::{line, load_files};
use super::{Loaded, Vars};

const TEAM: &str = "variable \"name\" {\n  type = string\n}\n\
    variable \"days\" {\n  type    = number\n  default = 30\n}\n\
    bucket \"data\" {\n  note = \"${var.name} ${var.days}\"\n}\n\
    output \"bucket\" {\n  value = bucket.data\n}\n\
    output \"label\" {\n  value = \"${var.name}: ${bucket.data.name}\"\n}\n";

fn load(main: &str) -> Loaded {
    load_files(&[("main.hcl", main), ("modules/team/main.hcl", TEAM)], &Vars::new())
}

fn fine(loaded: &Loaded) -> Vec<String> {
    let said: Vec<String> = loaded.problems.iter().map(|problem| line(problem, loaded)).collect();
    assert!(said.is_empty(), "{said:#?}");
    loaded.blocks.iter().filter_map(|block| Some(block.address.as_ref()?.to_string())).collect()
}

fn problem(loaded: &Loaded) -> String {
    let said: Vec<String> = loaded.problems.iter().map(|problem| line(problem, loaded)).collect();
    assert_eq!(said.len(), 1, "{said:#?}");
    said.into_iter().next().unwrap_or_default()
}

fn shown(loaded: &Loaded) -> Vec<String> {
    loaded.outputs.iter().map(|output| output.value.describe()).collect()
}

#[test]
fn a_module_is_a_folder_with_inputs_and_outputs() {
    let loaded = load(
        "module \"speech\" {\n  source = \"./modules/team\"\n  name   = \"speech\"\n}\n\
         cluster \"c\" {\n  network = network.main\n  mount \"/data\" {\n    \
         from = module.speech.bucket\n  }\n}\nnetwork \"main\" {\n  cidr = \"10.0.0.0/16\"\n}\n\
         output \"label\" {\n  value = module.speech.label\n}\n",
    );
    let expect = ["cluster.c", "network.main", "module.speech.bucket.data"];
    assert_eq!(fine(&loaded), expect);
    assert_eq!(shown(&loaded), ["\"speech: t-data\""]);
    let note = loaded.blocks[2].attr("note").and_then(|note| note.as_str().map(str::to_owned));
    assert_eq!(note.as_deref(), Some("speech 30"));
    let mount = loaded.blocks[0].blocks[0].attr("from").and_then(super::Value::address);
    assert_eq!(mount.map(ToString::to_string).as_deref(), Some("module.speech.bucket.data"));
}

#[test]
fn modules_are_repeated() {
    let loaded = load(
        "module \"team\" {\n  for_each = { speech = 7, vision = 14 }\n  \
         source = \"./modules/team\"\n  name = each.key\n  days = each.value\n}\n\
         module \"n\" {\n  count = 2\n  source = \"./modules/team/\"\n  name = \"n${count.index}\"\n}\n\
         output \"a\" {\n  value = module.team[\"vision\"].label\n}\n\
         output \"b\" {\n  value = module.n[*].label\n}\n\
         output \"c\" {\n  value = { for k, m in module.team : k => m.bucket.name }\n}\n",
    );
    let mut addresses = fine(&loaded);
    addresses.sort();
    let expect = [
        "module.n[0].bucket.data",
        "module.n[1].bucket.data",
        "module.team[\"speech\"].bucket.data",
        "module.team[\"vision\"].bucket.data",
    ];
    assert_eq!(addresses, expect);
    let expect = [
        "\"vision: t-data\"",
        "[\"n0: t-data\", \"n1: t-data\"]",
        "{ speech = \"t-data\", vision = \"t-data\" }",
    ];
    assert_eq!(shown(&loaded), expect);
    // Four instances, one reading.
    assert_eq!(loaded.sources.iter().filter(|(name, _)| name.contains('/')).count(), 1);
}

#[test]
fn modules_nest_and_read_beside_their_files() {
    let files = [
        (
            "main.hcl",
            "module \"a\" {\n  count = 1\n  source = \"./modules/a\"\n}\noutput \"o\" {\n  value = module.a[0].o\n}\n",
        ),
        (
            "modules/a/main.hcl",
            "module \"b\" {\n  for_each = toset([\"x\"])\n  source = \"../b\"\n  key = each.key\n}\noutput \"o\" {\n  value = module.b[\"x\"].text\n}\n",
        ),
        (
            "modules/b/main.hcl",
            "variable \"key\" {}\nbucket \"deep\" {\n  count = 1\n  note = file(\"./note.txt\")\n}\noutput \"text\" {\n  value = \"${templatefile(\"../../t.tpl\", { x = var.key })}${bucket.deep[0].note2}\"\n}\n",
        ),
        ("modules/b/note.txt", "hello"),
        ("t.tpl", "<${x}>"),
    ];
    let loaded = load_files(&files, &Vars::new());
    assert!(problem(&loaded).contains("L033"), "{:?}", loaded.problems);
    assert_eq!(loaded.problems[0].detail, "in module.a[0].module.b[\"x\"]");
    let mut files = files;
    let text = files[2].1.replace("${bucket.deep[0].note2}", "");
    files[2].1 = &text;
    let loaded = load_files(&files, &Vars::new());
    assert_eq!(fine(&loaded), ["module.a[0].module.b[\"x\"].bucket.deep[0]"]);
    assert_eq!(shown(&loaded), ["\"<x>\""]);
    let note = loaded.blocks[0].attr("note").and_then(|note| note.as_str());
    assert_eq!(note, Some("hello"));
}

#[test]
fn blocks_go_in_by_their_kind() {
    let team = "variable \"data\" {\n  type = bucket\n}\nvariable \"all\" {\n  type = list(bucket)\n  default = []\n}\n\
                output \"names\" {\n  value = concat([var.data.name], var.all[*].name)\n}\n";
    let with = |main: &str| {
        let main =
            format!("bucket \"x\" {{}}\nnetwork \"n\" {{\n  cidr = \"10.0.0.0/16\"\n}}\n{main}");
        load_files(&[("main.hcl", &main), ("modules/team/main.hcl", team)], &Vars::new())
    };
    let loaded = with(
        "module \"m\" {\n  source = \"./modules/team\"\n  data = bucket.x\n  all = [bucket.x]\n}\noutput \"o\" {\n  value = module.m.names\n}\n",
    );
    assert_eq!(fine(&loaded).len(), 2);
    assert_eq!(shown(&loaded), ["[\"t-x\", \"t-x\"]"]);
    let loaded = with("module \"m\" {\n  source = \"./modules/team\"\n  data = network.n\n}\n");
    let found = problem(&loaded);
    assert!(found.contains("expected a bucket block, found the block network.n"), "{found}");
    assert!(found.contains("@ main.hcl:7:10 `network.n`"), "{found}");
}

#[test]
fn what_a_module_is_given_must_fit() {
    let call = |inputs: &str| {
        load(&format!("module \"m\" {{\n  source = \"./modules/team\"\n  {inputs}\n}}\n"))
    };
    for (inputs, words) in [
        ("", "L013 module \"m\" needs \"name\""),
        ("name = \"x\"\n  dayz = 3", "L051 the module has no variable \"dayz\""),
        ("name = \"x\"\n  dayz = 3", "did you mean \"days\"?"),
        ("name = \"x\"\n  days = \"many\"", "expected a number, found the string \"many\""),
        ("name = [\"x\"]", "expected a string, found a list"),
        ("name = var.nope", "L020"),
        ("name = \"x\"\n  lifecycle {}", "`module` holds attributes only"),
        ("name = \"x\"\n  count = 1\n  for_each = {}", "for_each and count stand in one block"),
        ("name = module.m.label", "L021 a circle of references: module.m -> module.m"),
    ] {
        let found = problem(&call(inputs));
        assert!(found.contains(words), "{inputs}: {found}");
    }
    let loaded = load("module \"M\" {\n  source = \"./modules/team\"\n}\n");
    assert!(problem(&loaded).contains("is not a name"));
    let loaded = load("module \"m\" {\n  name = 1\n}\n");
    assert!(problem(&loaded).contains("module needs \"source\""));
    let loaded = load("output \"o\" {\n  value = module.nope.x\n}\n");
    assert!(problem(&loaded).contains("L020 there is no module \"nope\""), "{}", problem(&loaded));
    let both = "module \"m\" {\n  source = \"./modules/team\"\n  name = \"x\"\n}\noutput \"o\" {\n  value = module.m.";
    let loaded = load(&format!("{both}bukket\n}}\n"));
    assert!(problem(&loaded).contains("did you mean \"bucket\"?"), "{}", problem(&loaded));
}

#[test]
fn a_source_is_a_folder_of_the_stack() {
    for (source, words) in [
        ("\"terraform-aws-modules/vpc/aws\"", "a folder inside the stack's own folder"),
        ("\"git::https://example.com/x.git\"", "copy what lives elsewhere"),
        ("\"/etc\"", "does not begin with ./ or ../"),
        ("\"../elsewhere\"", "lies outside of the stack's folder"),
        ("\"./a/../../x\"", "lies outside of the stack's folder"),
        ("\"./\"", "cannot be the stack's own folder"),
        ("\"./nope\"", "there is no folder \"nope\""),
        ("\"./modules\"", "no .hcl file in \"modules\""),
        ("\"./${local.x}\"", "source is a text without anything computed in it"),
        ("3", "source is a text without anything computed in it"),
    ] {
        let text =
            format!("locals {{\n  x = \"y\"\n}}\nmodule \"m\" {{\n  source = {source}\n}}\n");
        let found = problem(&load(&text));
        assert!(found.starts_with("L025") && found.contains(words), "{source}: {found}");
    }
}

#[test]
fn folders_must_not_use_themselves() {
    let files = [
        ("main.hcl", "module \"a\" {\n  source = \"./a\"\n}\n"),
        ("a/main.hcl", "module \"b\" {\n  source = \"../b\"\n}\n"),
        ("b/main.hcl", "module \"a\" {\n  source = \"../a\"\n}\n"),
    ];
    let found = problem(&load_files(&files, &Vars::new()));
    assert!(found.contains("a module uses itself: ./a -> ./b -> ./a"), "{found}");
    let files = [
        (
            "main.hcl",
            "module \"a\" {\n  source = \"./m\"\n  x = module.b.x\n}\nmodule \"b\" {\n  source = \"./m\"\n  x = module.a.x\n}\n",
        ),
        ("m/main.hcl", "variable \"x\" {}\noutput \"x\" {\n  value = var.x\n}\n"),
    ];
    let found = problem(&load_files(&files, &Vars::new()));
    assert!(found.contains("module.a -> module.b -> module.a"), "{found}");
}

#[test]
fn what_is_wrong_in_a_module_is_told_once_and_says_where() {
    let main = "module \"m\" {\n  for_each = toset([\"a\", \"b\", \"c\"])\n  source = \"./m\"\n}\n";
    for (inner, words) in [
        ("bucket \"x\" {\n  nope = 1\n}\n", "L012"),
        ("bucket \"x\" {\n", "L001"),
        ("stack \"x\" {\n  region = \"us-east-1\"\n}\n", "a module has no stack block"),
        ("locals {\n  a = local.a\n}\n", "L021"),
        ("output \"o\" {\n  value = var.teams\n}\n", "L020"),
        ("bucket \"x\" {}\nbucket \"x\" {}\n", "L014"),
    ] {
        let loaded = load_files(&[("main.hcl", main), ("m/main.hcl", inner)], &Vars::new());
        let found = problem(&loaded);
        assert!(found.contains(words) && found.contains("m/main.hcl:"), "{inner}: {found}");
    }
    let outer = "bucket \"outer\" {}\n".to_owned() + main;
    let inner = "output \"o\" {\n  value = bucket.outer.name\n}\n";
    let loaded = load_files(&[("main.hcl", &outer), ("m/main.hcl", inner)], &Vars::new());
    assert!(
        problem(&loaded).contains("there is no bucket \"outer\""),
        "names are the module's own"
    );
}

#[test]
fn secrets_stay_secret_through_modules() {
    let main = "variable \"s\" {\n  default = \"hunter2\"\n  sensitive = true\n}\n\
                module \"m\" {\n  source = \"./m\"\n  x = var.s\n}\noutput \"o\" {\n  value = module.m.x\n}\n";
    let inner = "variable \"x\" {\n  type = number\n}\noutput \"x\" {\n  value = var.x\n}\n";
    let loaded = load_files(&[("main.hcl", main), ("m/main.hcl", inner)], &Vars::new());
    let found = problem(&loaded);
    assert!(!found.contains("hunter2"), "{found}");
    let inner = inner.replace("number", "string");
    let loaded = load_files(&[("main.hcl", main), ("m/main.hcl", &inner)], &Vars::new());
    assert!(problem(&loaded).contains("L060 output \"o\" would show a sensitive value"));
}

#[test]
fn depends_on_reaches_into_modules_and_out_of_them() {
    let main = "module \"a\" {\n  for_each = toset([\"x\", \"y\"])\n  source = \"./m\"\n  depends_on = [bucket.first]\n}\n\
                bucket \"first\" {}\nbucket \"last\" {\n  depends_on = [module.a]\n}\n\
                bucket \"some\" {\n  depends_on = [module.a[\"x\"]]\n}\n";
    let inner =
        "bucket \"b\" {\n  depends_on = [module.n]\n}\nmodule \"n\" {\n  source = \"../n\"\n}\n";
    let loaded = load_files(
        &[("main.hcl", main), ("m/main.hcl", inner), ("n/main.hcl", "bucket \"c\" {}\n")],
        &Vars::new(),
    );
    fine(&loaded);
    let after = |address: &str| {
        let found = loaded
            .blocks
            .iter()
            .find(|block| block.address.as_ref().is_some_and(|at| at.to_string() == address));
        let rules = found.and_then(|block| block.rules.clone()).expect("rules");
        rules.after.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(after("module.a[\"x\"].module.n.bucket.c"), ["bucket.first"]);
    let both = ["module.a[\"x\"].module.n.bucket.c", "bucket.first"];
    assert_eq!(after("module.a[\"x\"].bucket.b"), both);
    assert_eq!(after("bucket.some").len(), 2);
    assert_eq!(after("bucket.last").len(), 4);
}

#[test]
fn bombs_of_modules_end_early() {
    let call =
        |folder: &str| format!("module \"m\" {{\n  count = 100\n  source = \"{folder}\"\n}}\n");
    let (a, b, c, d) = (call("./a"), call("../b"), call("../c"), call("../d"));
    let files = [
        ("main.hcl", a.as_str()),
        ("a/main.hcl", &b),
        ("b/main.hcl", &c),
        ("c/main.hcl", &d),
        ("d/main.hcl", "bucket \"x\" {}\n"),
    ];
    let found = problem(&load_files(&files, &Vars::new()));
    assert!(found.contains("more than 200,000 blocks"), "{found}");
}

#[test]
fn the_stack_s_name_and_environment_are_read_everywhere() {
    let main = "module \"m\" {\n  source = \"./m\"\n}\noutput \"o\" {\n  value = [stack.env, stack.name, stack.region, module.m.env]\n}\n";
    let inner = "output \"env\" {\n  value = \"${stack.name}/${stack.env}\"\n}\n";
    let files = [("main.hcl", main), ("m/main.hcl", inner)];
    let loaded = load_files(&files, &Vars::new());
    assert_eq!(fine(&loaded).len(), 0);
    assert_eq!(shown(&loaded), ["[\"\", \"t\", \"us-east-1\", \"t/\"]"]);
    let mut vars = Vars::new();
    vars.set_env("prod");
    let loaded = load_files(&files, &vars);
    assert_eq!(shown(&loaded), ["[\"prod\", \"t-prod\", \"us-east-1\", \"t-prod/prod\"]"]);
    assert_eq!(loaded.stack.and_then(|stack| stack.label).as_deref(), Some("t-prod"));
    vars.one_name();
    let loaded = load_files(&files, &vars);
    assert_eq!(shown(&loaded), ["[\"prod\", \"t\", \"us-east-1\", \"t/prod\"]"]);
    let mut vars = Vars::new();
    vars.set_env("a-very-long-name-of-an-environment");
    let found = problem(&load_files(&files, &vars));
    assert!(found.contains("the stack's name is too long in environment"), "{found}");
    let wrong = "output \"o\" {\n  value = stack.nam\n}\n";
    let found = problem(&load_files(&[("main.hcl", wrong)], &Vars::new()));
    assert!(found.contains("L020") && found.contains("did you mean \"name\"?"), "{found}");
    // The stack block may read its environment, and not what it says itself.
    let stack =
        "stack \"s\" {\n  region = stack.env == \"prod\" ? \"eu-west-1\" : \"us-east-1\"\n}\n";
    let mut vars = Vars::new();
    vars.set_env("prod");
    let loaded = super::testing::load_text(stack, &vars);
    let region = loaded.stack.as_ref().and_then(|stack| stack.attr("region")?.as_str());
    assert_eq!(region, Some("eu-west-1"), "{:?}", loaded.problems);
    let circle = "stack \"s\" {\n  region = stack.name\n}\n";
    assert!(problem(&super::testing::load_text(circle, &Vars::new())).contains("L021"));
}
