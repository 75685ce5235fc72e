//! Requests that moto cannot judge, judged by the services' own published models.

use std::io::Write;
use std::process::{Command, Stdio};

use mlinfra::cloud::{Call, Launch};
use mlinfra::kinds::{Interface, InterfaceKind, Offer, PlacementGroup};
use mlinfra::model::Zone;

use crate::aws_compute::{parts, template};
use crate::aws_network::{link, tags};
use crate::aws_stage::Stage;
use crate::moto::{Params, peers};

/// What the checker says, and whether everything fits.
pub fn judge(forms: &[Params]) -> (bool, String) {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/peer/validate_request.py");
    let mut checker = Command::new(peers().join("bin/python"))
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the checker");
    let lines: Vec<_> =
        forms.iter().map(|form| serde_json::to_string(form).expect("JSON")).collect();
    let mut input = checker.stdin.take().expect("its input");
    input.write_all(lines.join("\n").as_bytes()).expect("it reads");
    drop(input);
    let output = checker.wait_with_output().expect("it ends");
    (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned())
}

#[tokio::test]
#[ignore = "needs moto: run `make test`"]
async fn aws_requests_fit_the_published_models() {
    let stage = Stage::new().await;
    let parts = parts(&stage).await;
    let card = |card, device, kind| Interface { card, device, kind };
    let cards = vec![
        card(0, 0, InterfaceKind::Efa),
        card(1, 1, InterfaceKind::EfaOnly),
        card(2, 1, InterfaceKind::Ip),
    ];
    let made = stage.make("cluster.train/template", template(&parts)).await;
    let launch = Launch {
        template: made.0.into(),
        offer: Offer {
            interfaces: cards,
            placement: Some(link(&parts.placement)),
            ..Offer::plain("p5.48xlarge", Zone::from("us-east-1a"), link(&parts.subnet))
        },
        count: 2,
        whole: true,
        batch: 1,
        owner: stage.owner("cluster.train/nodes"),
        tags: tags(&[("team", "nlp")]),
    };
    let nodes = stage.act(Call::Launch(launch)).await.expect("two nodes").ids;
    stage.act(Call::Terminate { ids: nodes }).await.expect("terminated");
    stage.observe().await;
    let group = PlacementGroup {
        name: "llm-train".to_owned(),
        strategy: "cluster".to_owned(),
        tags: tags(&[]),
    };
    stage.end(&parts.placement, &group.into()).await;

    let sent = stage.moto.all_sent();
    for action in ["CreatePlacementGroup", "CreateLaunchTemplate", "RunInstances", "CreateRole"] {
        assert!(!stage.moto.sent(action).is_empty(), "{action}");
    }
    let (fits, said) = judge(&sent);
    assert!(fits, "{said}");

    // The checker itself refuses what is wrong.
    let mut wrong = stage.moto.sent("RunInstances").remove(0);
    wrong.insert("NetworkInterface.1.Subnet".to_owned(), "subnet-1".to_owned());
    let (fits, said) = judge(&[wrong]);
    assert!(!fits && said.contains("NetworkInterface.1.Subnet"), "{said}");
    let mut wrong = stage.moto.sent("CreatePlacementGroup").remove(0);
    wrong.insert("Strategy".to_owned(), "near".to_owned());
    assert!(!judge(&[wrong]).0);
}
