//! The launch of every type with accelerators as it goes over the wire: interfaces, how it is paid
//! and how its nodes stand, the disk of its template, and what its boot check will expect; of the
//! types to train on also on spot, in reservations and in a Capacity Block. Held to a text that people have read beside the
//! documents of EC2. `BLESS=1` writes it anew.

use std::fmt::Write as _;

use mlinfra::catalog::{Catalog, InstanceType, expectation};
use mlinfra::cloud::{Call, Launch};
use mlinfra::kinds::{LaunchTemplate, Market, Offer, Spec};
use mlinfra::model::{Link, TemplateId, Text};
use mlinfra::sim::Settings;

use crate::aws_compute::{Parts, parts};
use crate::aws_network::{link, tags};
use crate::aws_requests::judge;
use crate::aws_stage::Stage;
use crate::lab::Lab;
use crate::moto::Params;

/// What the stack makes of a cluster of two such nodes: its first offer, and its template.
async fn wanted(found: &InstanceType, capacity: &str) -> (Offer, LaunchTemplate) {
    // The images that have names here are for x86_64.
    let arm = "/aws/service/deeplearning/ami/arm64/base-oss-nvidia-driver-gpu-ubuntu-22.04/latest";
    let image = match found.architecture.as_str() {
        "x86_64" => String::new(),
        _ => format!("  image = \"{arm}/ami-id\"\n"),
    };
    let text = format!(
        "stack \"s\" {{\n  region = \"us-east-1\"\n}}\nnetwork \"n\" {{}}\ncluster \"c\" {{\n  \
         network = network.n\n  instance_type = {:?}\n  nodes = 2\n  capacity = [{capacity:?}]\n\
         {image}}}\n",
        found.name
    );
    let mut settings = Settings::default();
    let kept = |more: &str| format!("{},us-east-1a,2{more}", found.name);
    for (id, more) in [("cr-0a", ""), ("cr-0b", ",placement=near"), ("cr-0c", ",capacity-block")] {
        settings.set(&format!("reservation.{id}"), &kept(more)).expect("a reservation");
    }
    let desired = Lab::new(settings).desired(&text).await;
    let fleet = desired.fleets.values().next().expect("a fleet");
    let at = "cluster.c/template".parse().expect("an address");
    let Some(Spec::LaunchTemplate(made)) = desired.specs.get(&at) else { panic!("no template") };
    (fleet.offers.first().expect("an offer").clone(), made.clone())
}

/// A template as its stack wants it, made of parts that exist; what of it was sent of its disk.
async fn made(
    stage: &Stage,
    parts: &Parts,
    (name, wanted): (&str, LaunchTemplate),
) -> (TemplateId, String) {
    let real = LaunchTemplate {
        name: format!("gpu-{name}"),
        image: parts.image.clone(),
        profile: link(&parts.profile),
        groups: vec![link(&parts.group)],
        user_data: Text::Known("#!/bin/sh\n".to_owned()),
        ..wanted
    };
    let owner = stage.owner("cluster.train/template");
    let id = stage.create(&real.into(), &owner).await.expect("a template");
    let sent = stage.moto.sent("CreateLaunchTemplate").pop().expect("it was sent");
    let disk = "LaunchTemplateData.BlockDeviceMapping.1.";
    assert!(!sent.contains_key("LaunchTemplateData.BlockDeviceMapping.2.DeviceName"), "{sent:?}");
    let of = |key: &str| sent.get(&format!("{disk}{key}")).cloned().unwrap_or_default();
    assert_eq!(of("Ebs.DeleteOnTermination"), "true");
    let words = format!(
        "{} {} {} GiB, {} IOPS, {} MiB/s, {}",
        of("DeviceName"),
        of("Ebs.VolumeType"),
        of("Ebs.VolumeSize"),
        of("Ebs.Iops"),
        of("Ebs.Throughput"),
        if of("Ebs.Encrypted") == "true" { "encrypted" } else { "not encrypted" }
    );
    (TemplateId(id.0), words)
}

/// How a launch is paid and how its nodes stand, as it was sent.
fn way(sent: &Params) -> String {
    let said = |key: &str| sent.get(key).map(String::as_str);
    let id = "CapacityReservationSpecification.CapacityReservationTarget.CapacityReservationId";
    let market = said("InstanceMarketOptions.MarketType").unwrap_or("on demand");
    let kept = said(id).map(|id| format!(", in {id}")).unwrap_or_default();
    let group = match said("Placement.GroupName") {
        Some("near") => "the reservation's placement group",
        Some(_) => "cluster placement group",
        None => "no placement group",
    };
    format!("{market}{kept}, {group}")
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
    // Only a group of the stack's own has yet to be made.
    if matches!(real.placement, Some(Link::To(_))) {
        real.placement = Some(link(&parts.placement));
    }
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
    let (mut text, mut forms) = (String::new(), Vec::new());
    for found in Catalog::shipped().types().filter(|found| found.accelerators() > 0) {
        writeln!(text, "{}: {}", found.name, found.accelerator_words()).expect("memory");
        let (offer, wanted) = self::wanted(found, "on-demand").await;
        let (template, disk) = made(&stage, &parts, (&found.name, wanted)).await;
        let form = sent(&stage, &parts, &template, &offer).await;
        assert_eq!(form.get("InstanceType"), Some(&found.name));
        assert_eq!((&*form["MinCount"], &*form["MaxCount"]), ("2", "2"));
        let expected = expectation(Catalog::shipped(), &offer).unwrap_or_default();
        let lines = [cards(&form), way(&form), disk, format!("expects {expected}")];
        lines.iter().for_each(|line| writeln!(text, "  {line}").expect("memory"));
        let block = found.markets.contains(&Market::CapacityBlock);
        let ways = ["spot", "reservation:cr-0a", "reservation:cr-0b", "capacity-block:cr-0c"];
        for capacity in ways.iter().filter(|_| found.name.starts_with('p')) {
            if capacity.starts_with("capacity-block") && !block {
                continue;
            }
            let (offer, _) = self::wanted(found, capacity).await;
            let other = sent(&stage, &parts, &template, &offer).await;
            assert_eq!(cards(&other), cards(&form), "{} by {capacity}", found.name);
            writeln!(text, "  {}", way(&other)).expect("memory");
            forms.push(other);
        }
        forms.push(form);
    }
    forms.extend(stage.moto.sent("CreateLaunchTemplate"));
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
