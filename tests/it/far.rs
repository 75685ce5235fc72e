//! A set-up that is too long for user data: kept in a bucket of the cluster's own, read by its
//! nodes alone, followed by the roll of its nodes, and gone when nobody needs it any more.

use std::collections::BTreeSet;

use mlinfra::kinds::{Action, Plan, Spec, packed, walk};
use mlinfra::model::{CloudId, tags};
use mlinfra::sim::Settings;

use crate::lab::Lab;

/// Text that no compression makes short.
pub fn noise(seed: u64, bytes: usize) -> String {
    let mut state = seed;
    let mut one = || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        char::from(
            b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_"
                [usize::try_from(state >> 58).expect("six bits")],
        )
    };
    (0..bytes).map(|_| one()).collect()
}

/// A small stack whose cluster has this set-up.
pub fn stack(setup: &str, nodes: &str) -> String {
    format!(
        "stack \"s\" {{\n  region = \"us-east-1\"\n}}\nnetwork \"n\" {{\n  zones = [\"a\"]\n}}\n\
         filesystem \"home\" {{\n  type = \"efs\"\n  network = network.n\n  precious = false\n}}\n\
         cluster \"c\" {{\n  network = network.n\n  instance_type = \"c7i.large\"\n  \
         nodes = {nodes}\n  image = \"ubuntu-24.04\"\n  setup = {setup}\n}}\n"
    )
}

/// A script of that length, with an id in it that is known only after apply.
pub fn long(seed: u64) -> String {
    let head = "echo ${filesystem.home.id}";
    format!("\"{head}\\n: {}\\n\"", noise(seed, 30_000))
}

fn user_data(lab: &Lab) -> String {
    let objects = lab.objects("s");
    let template = &objects["cluster.c/template"][0];
    let Spec::LaunchTemplate(template) = &template.spec else { panic!("{template:?}") };
    template.user_data.known().expect("all of it").to_owned()
}

/// The place of the first step that fits.
fn place(plan: &Plan, fits: impl Fn(&str, &Action) -> bool) -> usize {
    let found = plan.steps.iter().position(|step| fits(&step.address.to_string(), &step.action));
    found.unwrap_or_else(|| panic!("{:#?}", plan.steps))
}

#[tokio::test(start_paused = true)]
async fn a_long_set_up_is_kept_in_a_bucket_and_named_by_its_checksum() {
    let lab = Lab::new(Settings::default());
    let desired = lab.desired(&stack(&long(1), "2")).await;
    let (_, ended) = lab.apply(&desired).await.expect("applied");
    assert!(ended.outcome.is_complete(), "{:?}", ended.outcome.failed);
    assert!(lab.plan(&desired).await.expect("a plan").is_empty());
    assert_eq!(lab.wrongs(&desired), Vec::<String>::new());

    let objects = lab.objects("s");
    let Spec::BucketObject(object) = &objects["cluster.c/setup"][0].spec else { panic!() };
    let content = object.content.known().expect("all of it");
    assert!(content.starts_with("#!/bin/bash\nset -euo pipefail\necho fs-"), "{}", &content[..60]);
    let data = user_data(&lab);
    assert!(packed(&data).len() < 16_384 && !data.contains(&content[1000..1100]));
    let arn = objects["cluster.c/setup"][0].id.to_string();
    assert_eq!(arn, "arn:aws:s3:::s-setup-c-000000000000-us-east-1-an/mlinfra/setup");
    let told = format!("      {arn}\n      {}\n", walk::sha256(content));
    assert!(data.contains(&told), "{told}");

    let Spec::Bucket(bucket) = &objects["cluster.c/shelf"][0].spec else { panic!() };
    assert!(bucket.versioning && bucket.public_access_block && bucket.encryption.is_some());
    let Spec::Role(role) = &objects["cluster.c/role"][0].spec else { panic!() };
    let rights: Vec<&str> = role
        .policies
        .iter()
        .filter_map(|it| it.document.known())
        .filter(|it| it.contains("s3:"))
        .collect();
    let one = format!("\"Action\":\"s3:GetObject\",\"Effect\":\"Allow\",\"Resource\":\"{arn}\"");
    assert!(rights.len() == 1 && rights[0].contains(&one), "{rights:?}");
}

#[tokio::test(start_paused = true)]
async fn another_set_up_rolls_the_nodes_and_the_former_one_goes_behind_them() {
    let lab = Lab::new(Settings::default());
    let first = lab.desired(&stack(&long(1), "2")).await;
    lab.apply(&first).await.expect("applied");
    let before: BTreeSet<CloudId> =
        lab.objects("s")["cluster.c/nodes"].iter().map(|it| it.id.clone()).collect();
    let second = lab.desired(&stack(&long(2), "2")).await;
    let plan = lab.plan(&second).await.expect("a plan");
    let made =
        place(&plan, |at, it| at == "cluster.c/setup" && matches!(it, Action::Create { .. }));
    let template =
        place(&plan, |at, it| at == "cluster.c/template" && matches!(it, Action::Create { .. }));
    let launch = place(&plan, |_, it| matches!(it, Action::Launch { .. }));
    let ends = plan.steps.iter().rposition(|it| matches!(it.action, Action::Terminate { .. }));
    let gone =
        place(&plan, |at, it| at == "cluster.c/template" && matches!(it, Action::Delete { .. }));
    let removed =
        place(&plan, |at, it| at == "cluster.c/setup" && matches!(it, Action::Delete { .. }));
    let order = [made, template, launch, ends.expect("nodes that end"), gone, removed];
    assert!(order.is_sorted(), "{order:?}");
    assert!(plan.steps[removed].needs.contains(&gone), "{:?}", plan.steps[removed]);

    let (_, ended) = lab.apply(&second).await.expect("applied");
    assert!(ended.outcome.is_complete(), "{:?}", ended.outcome.failed);
    assert!(lab.plan(&second).await.expect("a plan").is_empty());
    assert_eq!(lab.wrongs(&second), Vec::<String>::new());
    let objects = lab.objects("s");
    assert!(objects["cluster.c/setup"][0].id.as_str().ends_with("/mlinfra/setup-g2"));
    assert!(objects["cluster.c/nodes"].iter().all(|node| !before.contains(&node.id)));
    assert_eq!(objects["cluster.c/setup"][0].tags[tags::GENERATION], "2");

    // A short one needs no bucket; and everything goes.
    let short = lab.desired(&stack("\"echo hi\"", "2")).await;
    lab.apply(&short).await.expect("applied");
    assert!(lab.plan(&short).await.expect("a plan").is_empty());
    assert_eq!(lab.wrongs(&short), Vec::<String>::new());
    assert!(!lab.objects("s").contains_key("cluster.c/shelf"));
}

#[tokio::test]
async fn what_is_too_long_otherwise_is_told() {
    let lab = Lab::new(Settings::default());
    let keys: Vec<String> =
        (0..400).map(|n| format!("\"ssh-ed25519 AAAA{} u{n}\"", noise(n, 64))).collect();
    let text = stack("\"echo\"", "2").replace(
        "  setup",
        &format!("  access {{\n    ssh_keys = [{}]\n  }}\n  setup", keys.join(", ")),
    );
    let files = [mlinfra::lang::File { name: "main.hcl".to_owned(), text }];
    let words = mlinfra::stack::Words { account: Some(lab.home().account), ..Default::default() };
    let loaded = mlinfra::lang::load(&files, &mlinfra::lang::Vars::new(), &words, None);
    let pins = mlinfra::stack::Pins::default();
    let ask = mlinfra::stack::ask(&loaded, &pins);
    use mlinfra::cloud::Cloud as _;
    let facts = lab.region.facts(&ask).await.expect("facts");
    let problems = mlinfra::stack::expand(&loaded, &facts, &pins).expect_err("too long");
    let said: Vec<&str> = problems.iter().map(|it| it.summary.as_str()).collect();
    assert!(said.iter().any(|it| it.ends_with("compressed, and EC2 takes 16384")), "{said:?}");
}
