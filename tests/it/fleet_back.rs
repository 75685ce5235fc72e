//! Work that comes while nodes are about to go: they are taken back before anything is launched,
//! whatever becomes of the service at that moment. What the cloud shows is eight seconds old, the
//! service dies, two run at once, the queue falls silent: in the end no more nodes have come than
//! there were jobs beside the nodes that stood.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use mlinfra::model::{CloudId, tags};
use mlinfra::sim::ObjectView;
use tokio_util::sync::CancellationToken;

use crate::dice::{Dice, number};
use crate::fleet_days::{FAIR, Ground, MOST, Weather, Yard, ground, nodes, services};

/// A node that was cordoned so many milliseconds ago is still there when the next service looks:
/// cordons of these clusters last for 90 s.
const YOUNG: u64 = 60_000;
const STEP: Duration = Duration::from_secs(2);

/// What stood as work came, and what came of it.
#[derive(Debug, Default)]
struct Wave {
    /// Every node that stood.
    stood: BTreeSet<CloudId>,
    /// Those of them that can be counted on.
    back: usize,
    jobs: usize,
    /// Nodes that came later.
    new: BTreeSet<CloudId>,
    done: bool,
}

fn standing(ground: &Ground) -> Vec<ObjectView> {
    nodes(&ground.region).into_iter().filter(|node| node.phase.stands()).collect()
}

fn send(ground: &Ground, dice: &mut Dice, most: usize) -> usize {
    let count = 1 + dice.roll(most as u64);
    let mut jobs = ground.jobs.lock().expect("jobs");
    (0..count).for_each(|_| jobs.waiting.push_back(20 + dice.roll(200)));
    usize::try_from(count).expect("few")
}

/// Jobs come, nodes come, all are done; when all nodes are about to go, more jobs come.
async fn play(ground: &Ground, dice: &mut Dice, rough: bool) -> Wave {
    let mut yard = Yard::new(ground);
    let mut sent = send(ground, dice, MOST);
    let mut marked: BTreeMap<CloudId, u64> = BTreeMap::new();
    let mut wave: Option<Wave> = None;
    for _ in 0..7200 / STEP.as_secs() {
        yard.tick(dice);
        let (all, now) = (standing(ground), ground.region.now());
        let cordoned = |node: &&ObjectView| {
            node.tags.get(tags::DRAIN).is_some_and(|mark| mark == tags::CORDON)
        };
        let ids: BTreeSet<CloudId> = all.iter().filter(cordoned).map(|it| it.id.clone()).collect();
        marked.retain(|id, _| ids.contains(id));
        for id in ids.iter() {
            marked.entry(id.clone()).or_insert(now);
        }
        let done = ground.jobs.lock().expect("jobs").done == sent;
        match &mut wave {
            Some(wave) => {
                let new = all.iter().map(|it| &it.id).filter(|id| !wave.stood.contains(*id));
                wave.new.extend(new.cloned());
                wave.done = done;
                if rough {
                    ground.jobs.lock().expect("jobs").silent = dice.one_in(3);
                }
                if done && all.is_empty() {
                    break;
                }
            }
            None if done && all.is_empty() => sent += send(ground, dice, MOST),
            None if done && ids.len() == all.len() => {
                let back = marked.values().filter(|since| now - **since < YOUNG).count();
                let stood = all.iter().map(|it| it.id.clone()).collect();
                let jobs = send(ground, dice, 2 * MOST);
                sent += jobs;
                wave = Some(Wave { stood, back, jobs, ..Wave::default() });
            }
            None => {}
        }
        tokio::time::sleep(STEP).await;
    }
    wave.unwrap_or_default()
}

async fn history(seed: u64, weather: Weather) -> Wave {
    let mut dice = Dice(seed);
    // All that have nothing to do go at once.
    let mut ground = ground().await;
    ground.down = 100;
    let stop = CancellationToken::new();
    let script = async {
        let wave = play(&ground, &mut dice, weather.rough).await;
        stop.cancel();
        wave
    };
    let (wave, ()) = tokio::join!(script, services(&ground, weather, seed, &stop));
    wave
}

async fn histories(name: &str, weather: Weather) {
    let count: u64 = number("MLINFRA_FLEET_BACK").unwrap_or(25);
    let first: u64 = number("MLINFRA_FLEET_SEED").unwrap_or(1);
    let (mut back, mut jobs, mut new) = (0, 0, 0);
    for seed in first..first + count {
        let wave = history(seed, weather).await;
        let most = wave.jobs.saturating_sub(wave.back);
        let holds = wave.done && wave.back > 0 && wave.new.len() <= most;
        assert!(holds, "{name}: MLINFRA_FLEET_SEED={seed}: {wave:?}");
        (back, jobs, new) = (back + wave.back, jobs + wave.jobs, new + wave.new.len());
    }
    println!("{name}: {count} waves, {jobs} jobs for {back} nodes about to go, {new} more came");
}

#[tokio::test(start_paused = true)]
async fn nodes_about_to_go_are_taken_back_before_more_come() {
    histories("fair", FAIR).await;
}

#[tokio::test(start_paused = true)]
async fn also_by_a_service_that_dies_again_and_again() {
    histories("dying", Weather { dies_every: 12, ..FAIR }).await;
}

#[tokio::test(start_paused = true)]
async fn also_when_two_services_look_at_once() {
    histories("two at once", Weather { dies_every: 60, twin: true, rough: false }).await;
}

#[tokio::test(start_paused = true)]
async fn also_when_the_queue_falls_silent() {
    histories("silent", Weather { dies_every: 30, twin: true, rough: true }).await;
}
