//! What is said beside a plan of how clusters get their nodes: reservations that stay unused, spot
//! alone. What is asked to know it, and what is not.

use mlinfra::cloud::Cloud;
use mlinfra::model::{Problem, Severity};
use mlinfra::sim::Settings;

use crate::lab::Lab;

/// A cluster with some lines of its own, in a region with some settings.
async fn advice(changes: &[(&str, &str)], lines: &str) -> (Vec<Problem>, u64) {
    let mut settings = Settings::default();
    for (key, value) in changes {
        settings.set(key, value).expect("a setting");
    }
    let lab = Lab::new(settings);
    let text = format!(
        "stack \"m\" {{ region = \"us-east-1\" }}\nnetwork \"n\" {{ zones = [\"a\", \"b\"] }}\n\
         cluster \"c\" {{\n  network = network.n\n  zones = [\"a\"]\n{lines}\n}}\n"
    );
    let desired = lab.desired(&text).await;
    let fleet = desired.fleets.values().next().expect("a cluster").clone();
    assert!(fleet.advice.iter().all(|one| one.severity == Severity::Warning));
    let asked = lab.region.calls().get("ec2:DescribeCapacityReservations").map_or(0, |it| it.calls);
    (fleet.advice, asked)
}

/// The codes of it, and how often reservations were asked for.
async fn codes(changes: &[(&str, &str)], lines: &str) -> (Vec<&'static str>, u64) {
    let (advice, asked) = advice(changes, lines).await;
    (advice.iter().map(|one| one.code).collect(), asked)
}

const KEPT: &str = "reservation.cr-0a";
const GANG: &str = "instance_type = \"p5.48xlarge\"\nnodes = 2";

#[tokio::test(start_paused = true)]
async fn an_open_reservation_that_a_gang_would_fit_in_is_told() {
    let room = [(KEPT, "p5.48xlarge,us-east-1a,3")];
    let (told, asked) = advice(&room, GANG).await;
    let [problem] = told.as_slice() else { panic!("{told:?}") };
    assert_eq!(problem.code, "G004");
    assert_eq!(problem.summary, "cluster.c leaves reservations unused that it would fit in");
    assert_eq!(problem.detail, "cr-0a has 3 free places of p5.48xlarge in us-east-1a");
    assert!(problem.help.contains("`capacity = [\"reserved\", \"on-demand\"]`"), "{problem:?}");
    assert_eq!(asked, 1);

    // Whoever names it is not told of it, however it is named.
    for capacity in ["reserved", "reservation:cr-0a"] {
        let lines = format!("{GANG}\ncapacity = [\"{capacity}\", \"on-demand\"]");
        assert_eq!(codes(&room, &lines).await.0, Vec::<&str>::new(), "{capacity}");
    }
    // And whoever names another has chosen: the rest may be somebody else's.
    let lines = format!("{GANG}\ncapacity = [\"reserved:team=llm\", \"on-demand\"]");
    let theirs = [(KEPT, "p5.48xlarge,us-east-1a,3,team=vision")];
    assert_eq!(codes(&theirs, &lines).await.0, Vec::<&str>::new());
    // Who names none reads whose it is.
    let told = advice(&theirs, GANG).await.0;
    assert!(told[0].detail.ends_with(" in us-east-1a, team=vision"), "{told:?}");
}

#[tokio::test(start_paused = true)]
async fn what_a_cluster_cannot_use_is_not_told() {
    for kept in [
        "p5.48xlarge,us-east-1a,1",          // too small for the gang
        "p5.48xlarge,us-east-1b,3",          // where it may not run
        "p5en.48xlarge,us-east-1a,3",        // another type
        "p5.48xlarge,us-east-1a,3,targeted", // kept for whoever names it
    ] {
        assert_eq!(codes(&[(KEPT, kept)], GANG).await, (vec![], 1), "{kept}");
    }
}

/// On demand and outside of a group of its own EC2 puts nodes into an open reservation itself: there
/// is nothing to say, and so nothing to ask.
#[tokio::test(start_paused = true)]
async fn where_ec2_uses_a_reservation_itself_nobody_is_asked() {
    let room = [(KEPT, "m7i.large,us-east-1a,3")];
    let plain = "instance_type = \"m7i.large\"\nnodes = 2";
    assert_eq!(codes(&room, plain).await, (vec![], 0));
    // Together, or on spot, it does not.
    let lines = format!("{plain}\nplacement = \"cluster\"");
    assert_eq!(codes(&room, &lines).await, (vec!["G004"], 1));
    let lines = format!("{plain}\ncapacity = [\"spot\"]");
    assert_eq!(codes(&room, &lines).await, (vec!["G004", "G005"], 1));
    // One in a placement group is for that group alone.
    let near = [(KEPT, "p5.48xlarge,us-east-1a,3,placement=near")];
    assert_eq!(codes(&near, GANG).await.0, ["G004"]);
    // Whoever asks for any has asked.
    let lines = format!("{plain}\ncapacity = [\"reserved\", \"spot\"]");
    assert_eq!(codes(&room, &lines).await, (vec![], 1));
}

#[tokio::test(start_paused = true)]
async fn spot_alone_with_few_types_is_told() {
    let spot = |more: &str| format!("nodes = {{ min = 2, gang = false }}\n{more}");
    let one = spot("instance_type = \"g5.xlarge\"\ncapacity = [\"spot\"]");
    let (told, _) = advice(&[], &one).await;
    let [problem] = told.as_slice() else { panic!("{told:?}") };
    assert_eq!(problem.code, "G005");
    assert_eq!(problem.summary, "cluster.c gets its nodes on spot alone, as one instance type");
    assert!(problem.help.contains("`capacity = [\"spot\", \"on-demand\"]`"), "{problem:?}");

    let types = ["g5.xlarge", "g5.2xlarge", "g5.4xlarge", "g6.xlarge", "g6.2xlarge"];
    let of = |count: usize| {
        let names: Vec<String> = types[..count].iter().map(|it| format!("{it:?}")).collect();
        spot(&format!("instance_types = [{}]\ncapacity = [\"spot\"]", names.join(", ")))
    };
    let four = advice(&[], &of(4)).await.0;
    assert!(four[0].summary.ends_with("as 4 instance types"), "{four:?}");
    assert_eq!(codes(&[], &of(5)).await.0, Vec::<&str>::new());
    // A way behind it will do, unless it is forbidden.
    let behind = spot("instance_type = \"g5.xlarge\"\ncapacity = [\"spot\", \"on-demand\"]");
    assert_eq!(codes(&[], &behind).await.0, Vec::<&str>::new());
    let first = advice(&[], &format!("{behind}\nfallback = false")).await.0;
    assert!(first[0].help.contains("`fallback = false`"), "{first:?}");
    // A limit on prices that leaves few types counts too.
    let dear = format!("{}\nmax_price = 0.46", of(5));
    assert_eq!(codes(&[], &dear).await.0, ["G005"]);
}
