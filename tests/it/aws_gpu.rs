//! The launch of every type with accelerators as it goes over the wire: interfaces, placement,
//! disk, and what its boot check will expect. Held to a text that people have read beside the
//! documents of EC2. `BLESS=1` writes it anew.

use std::fmt::Write as _;

use mlinfra::catalog::{Catalog, InstanceType, expectation};
use mlinfra::cloud::{Call, Launch};
use mlinfra::kinds::{Market, Offer, Spec};
use mlinfra::model::TemplateId;
use mlinfra::sim::Settings;

use crate::aws_compute::{Parts, parts, template};
use crate::aws_network::{link, tags};
use crate::aws_requests::judge;
use crate::aws_stage::Stage;
use crate::lab::Lab;
use crate::moto::Params;

/// What the stack makes of a cluster of two such nodes: its first offer and its disk.
async fn wanted(found: &InstanceType) -> Option<(Offer, String)> {
    let market =
        [Market::OnDemand, Market::Spot].into_iter().find(|it| found.markets.contains(it))?;
    // The images that have names here are for x86_64.
    let arm = "/aws/service/deeplearning/ami/arm64/base-oss-nvidia-driver-gpu-ubuntu-22.04/latest";
    let image = match found.architecture.as_str() {
        "x86_64" => String::new(),
        _ => format!("  image = \"{arm}/ami-id\"\n"),
    };
    let text = format!(
        "stack \"s\" {{\n  region = \"us-east-1\"\n}}\nnetwork \"n\" {{}}\ncluster \"c\" {{\n  \
         network = network.n\n  instance_type = {:?}\n  nodes = 2\n  capacity = [{:?}]\n{image}}}\n",
        found.name,
        market.word()
    );
    let desired = Lab::new(Settings::default()).desired(&text).await;
    let fleet = desired.fleets.values().next().expect("a fleet");
    let at = "cluster.c/template".parse().expect("an address");
    let Some(Spec::LaunchTemplate(made)) = desired.specs.get(&at) else { panic!("no template") };
    let disk = &made.disk;
    let words = format!(
        "{} {} GiB, {} IOPS, {} MiB/s, {}",
        disk.volume_type,
        disk.size,
        disk.iops.unwrap_or(0),
        disk.throughput.unwrap_or(0),
        if disk.encrypted { "encrypted" } else { "not encrypted" }
    );
    Some((fleet.offers.first()?.clone(), words))
}

/// `card:device kind`, runs of cards folded.
fn cards(sent: &Params) -> String {
    let of = |at: usize, name: &str| {
        sent.get(&format!("NetworkInterface.{at}.{name}")).cloned().unwrap_or_default()
    };
    let all =
        (1..).take_while(|at| sent.contains_key(&format!("NetworkInterface.{at}.DeviceIndex")));
    let mut runs: Vec<(u32, u32, String)> = Vec::new();
    for at in all {
        let card: u32 = of(at, "NetworkCardIndex").parse().expect("a card");
        let kind = of(at, "InterfaceType");
        let kind = if kind.is_empty() { "(its own)" } else { &kind };
        let what = format!("device {} {kind}", of(at, "DeviceIndex"));
        assert!(!of(at, "SubnetId").is_empty() && !of(at, "SecurityGroupId.1").is_empty());
        match runs.last_mut() {
            Some((_, last, before)) if *last + 1 == card && *before == what => *last = card,
            _ => runs.push((card, card, what)),
        }
    }
    let run = |(first, last, what): &(u32, u32, String)| match first == last {
        true => format!("card {first} {what}"),
        false => format!("cards {first}-{last} {what}"),
    };
    runs.iter().map(run).collect::<Vec<_>>().join("; ")
}

async fn sent(stage: &Stage, parts: &Parts, template: &TemplateId, offer: &Offer) -> Params {
    let mut real = offer.clone();
    real.subnet = link(&parts.subnet);
    real.zone = "us-east-1a".into();
    real.placement = offer.placement.as_ref().map(|_| link(&parts.placement));
    let launch = Launch {
        template: template.clone(),
        offer: real,
        count: 2,
        whole: true,
        batch: 1,
        owner: stage.owner("cluster.train/nodes"),
        tags: tags(&[]),
    };
    // moto knows the newest types not at all; what is sent counts here.
    if let Ok(made) = stage.act(Call::Launch(launch)).await {
        stage.act(Call::Terminate { ids: made.ids }).await.expect("terminated");
    }
    stage.moto.sent("RunInstances").pop().expect("it was sent")
}

#[tokio::test]
#[ignore = "needs moto: run `make test`"]
async fn aws_gpu_launches_are_what_their_types_need() {
    let stage = Stage::new().await;
    let parts = parts(&stage).await;
    let made = TemplateId(stage.make("cluster.train/template", template(&parts)).await.0);
    let (mut text, mut forms) = (String::new(), Vec::new());
    for found in Catalog::shipped().types().filter(|found| found.accelerators() > 0) {
        writeln!(text, "{}: {}", found.name, found.accelerator_words()).expect("memory");
        let Some((offer, disk)) = wanted(found).await else {
            writeln!(text, "  in Capacity Blocks only").expect("memory");
            continue;
        };
        let form = sent(&stage, &parts, &made, &offer).await;
        assert_eq!(form.get("InstanceType"), Some(&found.name));
        assert_eq!((&*form["MinCount"], &*form["MaxCount"]), ("2", "2"));
        let group = form.contains_key("Placement.GroupName");
        let placement = if group { "cluster placement group" } else { "no placement group" };
        let expected = expectation(Catalog::shipped(), &offer).unwrap_or_default();
        let lines = [cards(&form), placement.to_owned(), disk, format!("expects {expected}")];
        lines.iter().for_each(|line| writeln!(text, "  {line}").expect("memory"));
        forms.push(form);
    }
    let (fits, said) = judge(&forms);
    assert!(fits, "{said}");
    let golden = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/golden/gpu_launches.txt");
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(golden, &text).expect("written");
    }
    let written = std::fs::read_to_string(golden).expect("the golden text");
    assert!(written == text, "{golden} says otherwise; read the difference, then BLESS=1\n{text}");
    assert!(forms.len() >= 40, "{}", forms.len());
}
