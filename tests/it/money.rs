//! Plans' arithmetic against figures that were worked out by hand. Nothing here is computed
//! with the code under test: each figure is written down with how it came about.
//!
//! Prices of us-east-1 on demand, per hour: p5.48xlarge 55.04, g5.8xlarge 2.448,
//! m7i.2xlarge 0.4032, a NAT gateway 0.045, a public IPv4 address 0.005. Per month, gp3: a GiB
//! 0.08, an IOPS beyond 3000 0.005, a MiB/s beyond 125 0.04. A month has 730 hours.
//!
//! So a network with its NAT gateway is 0.045 + 0.005 = 0.05 an hour, × 730 = 36.50 a month;
//! the default disk (200 GiB, 6000 IOPS, 500 MiB/s) is 200 × 0.08 + 3000 × 0.005 + 375 × 0.04 =
//! 16 + 15 + 15 = 46.00 a month; a g5.8xlarge 2.448 × 730 = 1,787.04, with its disk 1,833.04.

use mlinfra::catalog::Catalog;
use mlinfra::kinds::Plan;
use mlinfra::lang::{self, File, Vars};
use mlinfra::model::{Money, Region, Severity};
use mlinfra::plan::cost::{Bill, Line, Prices, Rate, Sum, When, bill};
use mlinfra::policy;
use mlinfra::sim::Settings;
use mlinfra::stack::{self, Desired, Words};

use crate::lab::Lab;

const HEAD: &str = "stack \"s\" {\n  region = \"us-east-1\"\n}\n";
const NETWORK: &str = "network \"n\" {\n  zones = [\"a\"]\n}\n";
const BARE: &str = "network \"n\" {\n  zones = [\"a\"]\n  nat = \"none\"\n}\n";

fn cluster(instance_type: &str, nodes: u32, more: &str) -> String {
    format!(
        "cluster \"c\" {{\n  network = network.n\n  instance_type = {instance_type:?}\n  \
         nodes = {nodes}\n{more}}}\n"
    )
}

async fn priced(lab: &Lab, desired: &Desired, region: &str) -> Bill {
    let observed = {
        use mlinfra::cloud::Cloud;
        lab.region.observe(&lab.scope(desired)).await
    };
    let plan = lab.plan(desired).await.expect("a plan");
    let (catalog, region) = (Catalog::shipped(), Region::from(region));
    bill(desired, &observed, &plan, Prices { catalog, region: &region })
}

/// The bill of a stack's plan, where another one was applied before.
async fn bill_of(before: Option<&str>, after: Option<&str>) -> Bill {
    let lab = Lab::new(Settings::default());
    let mut desired = lab.desired(HEAD).await;
    if let Some(before) = before {
        desired = lab.desired(&format!("{HEAD}{before}")).await;
        lab.apply(&desired).await.expect("applied");
    }
    let desired = match after {
        Some(after) => lab.desired_after(&format!("{HEAD}{after}"), &desired).await,
        None => Desired::nothing(desired.stack.clone()),
    };
    priced(&lab, &desired, "us-east-1").await
}

fn usd(text: &str) -> Money {
    Money::new(text.parse().expect("a number"))
}

/// What a block costs in a month.
fn block(bill: &Bill, address: &str, when: When) -> Money {
    let blocks = bill.blocks();
    let lines = blocks.get(&address.parse().expect("an address"));
    lines.into_iter().flatten().map(|line| line.sum(when)).sum::<Sum>().per_month()
}

fn check(bill: &Bill, before: &str, after: &str) {
    let sum = |when| bill.sum(when);
    assert_eq!(sum(When::Before).per_month(), usd(before), "before: {bill:#?}");
    assert_eq!(sum(When::After).per_month(), usd(after), "after: {bill:#?}");
    assert!(sum(When::Before).is_whole() && sum(When::After).is_whole(), "{bill:#?}");
}

#[tokio::test(start_paused = true)]
async fn money_1_what_is_paid_by_use_is_in_no_sum() {
    let bill = bill_of(None, Some("bucket \"b\" {}\nqueue \"q\" {}\n")).await;
    check(&bill, "0", "0");
    let used: Vec<_> = bill.lines.iter().filter_map(|line| line.rate.by_use.as_deref()).collect();
    assert_eq!(used, ["storage and requests", "requests", "requests"]);
}

#[tokio::test(start_paused = true)]
async fn money_2_a_network_is_its_gateway_and_address() {
    let bill = bill_of(None, Some(NETWORK)).await;
    check(&bill, "0", "36.50"); // 0.05 × 730
    assert_eq!(bill.sum(When::After).per_hour(), usd("0.05"));
    assert_eq!(bill_of(None, Some(BARE)).await, Bill::default());
}

#[tokio::test(start_paused = true)]
async fn money_3_nodes_are_paid_with_their_disks() {
    let text = format!("{BARE}{}", cluster("g5.8xlarge", 2, ""));
    let bill = bill_of(None, Some(&text)).await;
    check(&bill, "0", "3666.08"); // 2 × 1,833.04
    let after = bill.sum(When::After);
    assert_eq!((after.hourly, after.monthly), (usd("4.896"), usd("92"))); // 2 × 2.448; 2 × 46
    // 4.896 + 92 / 730 = 4.896 + 0.1260273…
    assert_eq!(after.per_hour().dollars().round_dp(6).to_string(), "5.022027");
    assert_eq!((bill.sum(When::Floor), bill.sum(When::Ceiling)), (after, after));
}

#[tokio::test(start_paused = true)]
async fn money_4_sixteen_large_nodes_with_plain_disks() {
    let disk = "  disk {\n    size = \"500GiB\"\n    iops = 3000\n    throughput = 125\n  }\n";
    let text = format!("{NETWORK}{}", cluster("p5.48xlarge", 16, disk));
    let bill = bill_of(None, Some(&text)).await;
    // 16 × 55.04 = 880.64; × 730 = 642,867.20. Disks: 16 × 500 × 0.08 = 640.
    assert_eq!(block(&bill, "cluster.c", When::After), usd("643507.20"));
    check(&bill, "0", "643543.70"); // + 36.50
}

#[tokio::test(start_paused = true)]
async fn money_5_a_large_fast_disk() {
    let disk = "  disk {\n    size = \"1TiB\"\n    iops = 16000\n    throughput = 1000\n  }\n";
    let text = format!("{BARE}{}", cluster("m7i.2xlarge", 1, disk));
    // 1024 × 0.08 = 81.92; 13,000 × 0.005 = 65; 875 × 0.04 = 35: 181.92.
    // 0.4032 × 730 = 294.336.
    check(&bill_of(None, Some(&text)).await, "0", "476.256");
}

#[tokio::test(start_paused = true)]
async fn money_6_a_cluster_grows() {
    let of = |nodes| format!("{NETWORK}{}", cluster("g5.8xlarge", nodes, ""));
    let bill = bill_of(Some(&of(2)), Some(&of(5))).await;
    // 2 × 1,833.04 + 36.50; 5 × 1,833.04 = 9,165.20, + 36.50.
    check(&bill, "3702.58", "9201.70");
    assert_eq!(block(&bill, "network.n", When::Before), usd("36.50"));
    assert_eq!(block(&bill, "network.n", When::After), usd("36.50"));
}

#[tokio::test(start_paused = true)]
async fn money_7_a_cluster_shrinks_to_nothing() {
    let of = |nodes| format!("{NETWORK}{}", cluster("g5.8xlarge", nodes, ""));
    check(&bill_of(Some(&of(3)), Some(&of(0))).await, "5535.62", "36.50"); // 3 × 1,833.04 + 36.50
}

#[tokio::test(start_paused = true)]
async fn money_8_other_types_take_the_places_of_nodes() {
    let of = |name| format!("{BARE}{}", cluster(name, 2, ""));
    let bill = bill_of(Some(&of("g5.8xlarge")), Some(&of("m7i.2xlarge"))).await;
    // 2 × 1,833.04; 2 × (294.336 + 46) = 680.672.
    check(&bill, "3666.08", "680.672");
}

#[tokio::test(start_paused = true)]
async fn money_9_everything_goes_or_nothing_changes() {
    let text = format!("{NETWORK}bucket \"b\" {{}}\n{}", cluster("g5.8xlarge", 1, ""));
    check(&bill_of(Some(&text), None).await, "1869.54", "0"); // 1,833.04 + 36.50
    check(&bill_of(Some(&text), Some(&text)).await, "1869.54", "1869.54");
}

#[tokio::test(start_paused = true)]
async fn money_10_several_blocks_of_a_kind_add_up() {
    let networks = "network \"n\" {\n  count = 3\n  zones = [\"a\"]\n  \
                    cidr = \"10.${count.index}.0.0/16\"\n}\n";
    let bill = bill_of(None, Some(networks)).await;
    check(&bill, "0", "109.50"); // 3 × 36.50
    assert_eq!(block(&bill, "network.n[2]", When::After), usd("36.50"));
}

/// The bill of a stack's first plan in a region with a setting.
async fn bill_where(key: &str, value: &str, text: &str) -> Bill {
    let mut settings = Settings::default();
    settings.set(key, value).expect("a setting");
    let lab = Lab::new(settings);
    let desired = lab.desired(&format!("{HEAD}{text}")).await;
    priced(&lab, &desired, "us-east-1").await
}

#[tokio::test(start_paused = true)]
async fn money_11_nodes_on_spot_cost_what_spot_asks_now() {
    let spot = "  capacity = [\"spot\", \"on-demand\"]\n";
    let text = format!("{BARE}{}", cluster("g5.8xlarge", 3, spot));
    let bill = bill_where("spot.g5.8xlarge@us-east-1a", "0.7", &text).await;
    // 3 × 0.70 = 2.10 an hour; × 730 = 1,533.00. Disks: 3 × 46 = 138.
    check(&bill, "0", "1671");
    let after = bill.sum(When::After);
    assert_eq!((after.hourly, after.monthly), (usd("2.10"), usd("138")));
    let told = bill.origins().iter().any(|it| it.day.is_none() && it.source.contains("spot"));
    assert!(told, "{bill:#?}");
}

#[tokio::test(start_paused = true)]
async fn money_12_volumes_pay_for_what_goes_beyond_the_free_part() {
    let volume = |more: &str| format!("volume \"v\" {{\n  zone = \"a\"\n  size = {more}\n}}\n");
    // 500 × 0.08 = 40; 3,000 IOPS and 125 MiB/s are free.
    check(&bill_of(None, Some(&volume("\"500GiB\""))).await, "0", "40");
    // + (6,000 - 3,000) × 0.005 = 15 + (250 - 125) × 0.04 = 5.
    let fast = volume("\"500GiB\"\n  iops = 6000\n  throughput = 250");
    check(&bill_of(None, Some(&fast)).await, "0", "60");
    // io2: 100 × 0.125 = 12.50; all of its IOPS are paid, 10,000 × 0.065 = 650.
    let io2 = volume("\"100GiB\"\n  type = \"io2\"\n  iops = 10000");
    check(&bill_of(None, Some(&io2)).await, "0", "662.50");
    // Of 40,000 the first 32,000 cost 2,080; what the others cost is not known, and not nothing.
    let large = volume("\"100GiB\"\n  type = \"io2\"\n  iops = 40000");
    let bill = bill_of(None, Some(&large)).await;
    let after = bill.sum(When::After);
    assert_eq!((after.per_month(), after.unknown), (usd("2092.50"), 1));
    let unknown: Vec<_> = bill.lines.iter().flat_map(|line| &line.rate.unknown).collect();
    assert_eq!(unknown, ["io2-iops-2"]);
}

/// Two machines, their disks and the zone that their name stands in.
#[tokio::test(start_paused = true)]
async fn money_13_a_service_is_its_machines_and_its_zone() {
    let text = format!(
        "{BARE}service \"web\" {{\n  network = network.n\n  instance_type = \"m7i.2xlarge\"\n  \
         ports = [80]\n  nodes = 2\n  container {{\n    image = \"ghcr.io/acme/web:v1\"\n  }}\n}}\n"
    );
    let bill = bill_of(None, Some(&text)).await;
    // 2 × 0.4032 × 730 = 588.672; disks of 50 GiB, 2 × 50 × 0.08 = 8; a hosted zone 0.50.
    check(&bill, "0", "597.172");
    let zone = bill.lines.iter().find(|line| line.what == "hosted zone").expect("its zone");
    assert_eq!((zone.rate.monthly, zone.after), (usd("0.50"), 1));
    assert_eq!(zone.rate.by_use.as_deref(), Some("queries"));
}

#[tokio::test(start_paused = true)]
async fn money_14_two_services_share_a_zone() {
    let of = |name: &str| {
        format!(
            "service {name:?} {{\n  network = network.n\n  instance_type = \"t3.large\"\n  \
             ports = [80]\n  container {{\n    image = \"x\"\n  }}\n}}\n"
        )
    };
    let (one, two) = (of("a"), of("b"));
    let before = format!("{BARE}{one}");
    let bill = bill_of(Some(&before), Some(&format!("{before}{two}"))).await;
    // 0.0832 × 730 = 60.736; + 50 × 0.08 = 4: 64.736 a machine. 64.736 + 0.50; 129.472 + 0.50.
    check(&bill, "65.236", "129.972");
}

#[tokio::test(start_paused = true)]
async fn money_unknown_prices_are_never_zero() {
    let text = format!("{NETWORK}{}", cluster("p5e.48xlarge", 3, ""));
    let bill = bill_of(None, Some(&text)).await;
    let after = bill.sum(When::After);
    // Disks and network are known: 3 × 46 + 36.50.
    assert_eq!((after.per_month(), after.unknown), (usd("174.50"), 3));
    let unknown: Vec<_> = bill.lines.iter().flat_map(|line| &line.rate.unknown).collect();
    assert_eq!(unknown, ["p5e.48xlarge on-demand"]);

    // Elsewhere nobody knows anything.
    let lab = Lab::new(Settings::default());
    let desired = lab.desired(&format!("{HEAD}{text}")).await;
    let bill = priced(&lab, &desired, "eu-west-1").await;
    let after = bill.sum(When::After);
    assert_eq!((after.per_month(), after.is_whole()), (Money::ZERO, false));
    assert_eq!(after.unknown, 8, "3 nodes, 3 disks, a gateway, an address");
}

#[tokio::test(start_paused = true)]
async fn money_what_has_moved_is_counted_where_it_is_now() {
    let old = "network \"a\" {\n  zones = [\"a\"]\n}\n";
    let new =
        "network \"b\" {\n  zones = [\"a\"]\n}\nmoved {\n  from = network.a\n  to = network.b\n}\n";
    let bill = bill_of(Some(old), Some(new)).await;
    check(&bill, "36.50", "36.50");
    assert_eq!(block(&bill, "network.b", When::Before), usd("36.50"));
    assert_eq!(block(&bill, "network.a", When::Before), Money::ZERO);
}

#[tokio::test(start_paused = true)]
async fn money_a_range_has_a_floor_and_a_ceiling() {
    let text = format!(
        "{BARE}{}",
        cluster("g5.8xlarge", 0, "").replace("nodes = 0", "nodes = { min = 1, max = 4 }")
    );
    let bill = bill_of(None, Some(&text)).await;
    let month = |when| bill.sum(when).per_month();
    assert_eq!(month(When::Floor), usd("1833.04"));
    assert_eq!(month(When::Ceiling), usd("7332.16")); // 4 × 1,833.04
}

#[tokio::test(start_paused = true)]
async fn money_a_reservation_was_paid_before() {
    let mut settings = Settings::default();
    settings.set("reservation.cr-0aa", "g5.8xlarge,us-east-1a,4").expect("a reservation");
    let lab = Lab::new(settings);
    let ladder = "  capacity = [\"reserved\", \"on-demand\"]\n";
    let text = format!("{HEAD}{BARE}{}", cluster("g5.8xlarge", 2, ladder));
    let desired = lab.desired(&text).await;
    let bill = priced(&lab, &desired, "us-east-1").await;
    check(&bill, "0", "92"); // The disks: 2 × 46.
    assert!(bill.lines.iter().any(|line| line.rate.prepaid && line.after == 2), "{bill:#?}");
}

#[tokio::test(start_paused = true)]
async fn money_storage_is_paid_by_its_size() {
    let lustre = "filesystem \"fast\" {\n  type = \"lustre\"\n  network = network.n\n  \
                  size = \"2400GiB\"\n}\n";
    let efs = "filesystem \"home\" {\n  type = \"efs\"\n  network = network.n\n  \
               throughput = 10\n}\n";
    let bill = bill_of(None, Some(&format!("{BARE}{lustre}{efs}"))).await;
    assert_eq!(block(&bill, "filesystem.fast", When::After), usd("348")); // 2400 × 0.145
    assert_eq!(block(&bill, "filesystem.home", When::After), usd("60")); // 10 × 6
    check(&bill, "0", "408");
    let scratch = lustre.replace("}\n", "  deployment = \"scratch-2\"\n}\n");
    // 2400 × 0.14
    check(&bill_of(None, Some(&format!("{BARE}{scratch}"))).await, "0", "336");
    // A speed whose price nobody knows.
    let quick = lustre.replace("}\n", "  throughput = 500\n}\n");
    let bill = bill_of(None, Some(&format!("{BARE}{quick}"))).await;
    let after = bill.sum(When::After);
    assert_eq!((after.per_month(), after.unknown), (Money::ZERO, 1));
}

/// A bill of one kind of node at a dollar an hour.
fn nodes(before: u32, after: u32, floor: u32, ceiling: u32) -> Bill {
    let address = "cluster.c/nodes".parse().expect("an address");
    let rate = Rate { hourly: usd("1"), ..Rate::default() };
    let what = "node".to_owned();
    Bill { lines: vec![Line { address, what, rate, before, after, floor, ceiling }] }
}

/// What the guard rails say of it under a budget.
fn verdict(bill: &Bill, budget: &str) -> Vec<(&'static str, Severity)> {
    let text =
        format!("stack \"s\" {{\n  region = \"us-east-1\"\n  budget {{\n    {budget}\n  }}\n}}\n");
    let files = [File { name: "main.hcl".to_owned(), text }];
    let loaded = lang::load(&files, &Vars::new(), &Words::default(), None);
    assert!(loaded.problems.is_empty() && stack::check(&loaded).is_empty());
    let config = stack::config(&loaded).expect("a stack");
    let found = policy::judge(policy::Subject { config: &config, plan: &Plan::default(), bill });
    assert!(found.iter().all(|problem| problem.labels.len() == 1), "{found:?}");
    found.into_iter().map(|problem| (problem.code, problem.severity)).collect()
}

#[test]
fn money_a_budget_refuses_the_floor_and_warns_of_the_ceiling() {
    let (refused, warned) = (("G001", Severity::Error), ("G002", Severity::Warning));
    // From 0 to 4 nodes that may become 8; the fewest are 2.
    let bill = nodes(0, 4, 2, 8);
    assert_eq!(verdict(&bill, "per_hour = 8"), []);
    assert_eq!(verdict(&bill, "per_hour = 7.99"), [warned]);
    assert_eq!(verdict(&bill, "per_hour = 2"), [warned]);
    assert_eq!(verdict(&bill, "per_hour = 1.99"), [refused]);
    // 8 × 730 = 5,840; 2 × 730 = 1,460.
    assert_eq!(verdict(&bill, "per_month = 5840"), []);
    assert_eq!(verdict(&bill, "per_month = 5839"), [warned]);
    assert_eq!(verdict(&bill, "per_month = 1459"), [refused]);
    assert_eq!(verdict(&bill, "per_hour = 3\n    per_month = 1000"), [refused, warned]);
    // Coming down, though not far enough; and staying where it is.
    assert_eq!(verdict(&nodes(9, 4, 4, 4), "per_hour = 3"), [("G001", Severity::Warning)]);
    assert_eq!(verdict(&nodes(4, 4, 4, 4), "per_hour = 3"), [refused]);
}

#[test]
fn money_a_budget_is_not_judged_for_what_nobody_knows() {
    let mut bill = nodes(0, 1, 1, 1);
    bill.lines[0].rate.unknown = vec!["p5e.48xlarge on-demand".to_owned()];
    assert_eq!(verdict(&bill, "per_hour = 5"), [("G003", Severity::Warning)]);
    let both = [("G001", Severity::Error), ("G003", Severity::Warning)];
    assert_eq!(verdict(&bill, "per_hour = 0.5"), both, "what is known is enough to refuse");
}
