//! The matrix: every operation that an undisturbed run of the scenes sends, times every
//! class of fault that can befall it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::cell::{Cell, Copy, End, Object, Root, World, play, runtime, wrongs};
use super::class::{Class, Fault};
use super::scene::Scene;
use super::wire::{Op, Request, Wire};
use super::{SKIPS, Skip};

/// A scene with the world in which it begins, and what it sends undisturbed.
pub struct Stage {
    pub scene: Scene,
    pub world: Copy,
    /// The first request of each operation.
    pub sent: BTreeMap<Op, Request>,
}

/// One cell.
#[derive(Clone, Debug)]
pub struct Spot {
    pub stage: usize,
    pub fault: Fault,
}

/// Makes the world of a scene, and runs it undisturbed in a copy.
pub fn stage(root: &Root, scene: Scene, first: &BTreeSet<Object>) -> Stage {
    let world = root.world.copy();
    let wire = Wire::to(world.0.port, None);
    if let Some(before) = &scene.before {
        let run = runtime().block_on(async { Cell::new(&world.0).apply(before, &wire).await });
        let run = run.expect("an apply");
        assert!(run.ended.is_converged(), "{}: {:?} {:#?}", scene.name, run.said, run.ended);
    }
    (scene.by_hand)(&world.0);
    let calm = world.0.copy();
    let wire = Wire::to(calm.0.port, None);
    let run = runtime().block_on(async { Cell::new(&calm.0).apply(&scene.after, &wire).await });
    let run = run.expect("an apply");
    assert!(run.ended.is_converged(), "{}: {:?} {:#?}", scene.name, run.said, run.ended.left);
    let strays: BTreeSet<Object> =
        world.0.inventory().into_iter().filter(|one| one.address.is_none()).collect();
    let first: BTreeSet<Object> = first.union(&strays).cloned().collect();
    assert_eq!(wrongs(&calm.0, &scene.after, &first), Vec::<String>::new(), "{}", scene.name);
    let mut sent = BTreeMap::new();
    for request in wire.sent() {
        sent.entry(request.op.clone()).or_insert(request);
    }
    println!("{:<22} {:>3} operations, {:?}", scene.name, sent.len(), run.took);
    Stage { scene, world, sent }
}

/// Why a cell is skipped.
pub type Skipped = BTreeMap<(usize, Op, Class), &'static str>;

/// Every cell that makes sense, and those that are skipped by name.
pub fn spots(stages: &[Stage]) -> (Vec<Spot>, Skipped) {
    let (mut spots, mut skipped) = (Vec::new(), BTreeMap::new());
    for (at, stage) in stages.iter().enumerate() {
        for (op, request) in &stage.sent {
            for class in Class::ALL.iter().copied().filter(|class| class.applies(request)) {
                let covers = |skip: &&Skip| (skip.covers)(op, class);
                match SKIPS.iter().find(covers) {
                    Some(skip) => {
                        skipped.insert((at, op.clone(), class), skip.why);
                    }
                    None => {
                        let fault = Fault { op: op.clone(), class };
                        spots.push(Spot { stage: at, fault });
                    }
                }
            }
        }
    }
    (spots, skipped)
}

/// Every class at every operation once, in the first scene that sends it.
pub fn once(spots: Vec<Spot>) -> Vec<Spot> {
    let mut first: BTreeMap<Op, usize> = BTreeMap::new();
    for spot in &spots {
        first.entry(spot.fault.op.clone()).or_insert(spot.stage);
    }
    spots.into_iter().filter(|spot| first[&spot.fault.op] == spot.stage).collect()
}

/// The k-th of n parts, written `k/n`.
pub fn part(spots: Vec<Spot>, which: &str) -> Vec<Spot> {
    let numbers: Vec<usize> = which.split('/').filter_map(|text| text.parse().ok()).collect();
    let [k, n] = numbers.as_slice() else { panic!("MLINFRA_FAULTS_PART is k/n, not {which}") };
    let mine = |at: &usize| at % n + 1 == *k;
    spots.into_iter().enumerate().filter(|(at, _)| mine(at)).map(|(_, spot)| spot).collect()
}

/// A part of the cells that has every operation and every class in it: along the
/// diagonals, each operation once or twice.
pub fn sample(spots: &[Spot], per_op: usize) -> Vec<Spot> {
    let mut by_op: BTreeMap<&Op, Vec<&Spot>> = BTreeMap::new();
    for spot in spots {
        by_op.entry(&spot.fault.op).or_default().push(spot);
    }
    let mut chosen: BTreeMap<(Op, Class), Spot> = BTreeMap::new();
    let mut seen: BTreeMap<Class, usize> = BTreeMap::new();
    for (row, all) in by_op.values().enumerate() {
        for turn in 0..per_op {
            // The class that was chosen least so far; among equals, the next diagonal.
            let key = |(at, spot): &(usize, &&Spot)| {
                let often = seen.get(&spot.fault.class).copied().unwrap_or(0);
                (often, (at + all.len() - (row + turn) % all.len()) % all.len())
            };
            let Some((_, spot)) = all.iter().enumerate().min_by_key(key) else { continue };
            *seen.entry(spot.fault.class).or_default() += 1;
            chosen.insert((spot.fault.op.clone(), spot.fault.class), (*spot).clone());
        }
    }
    chosen.into_values().collect()
}

/// How each cell ended.
pub type Ends = BTreeMap<(usize, Op, Class), Result<End, String>>;

/// Plays cells, as many at once as there are processors.
pub fn run(stages: &[Stage], spots: &[Spot], first: &BTreeSet<Object>) -> Ends {
    let (next, ends) = (AtomicUsize::new(0), Mutex::new(Ends::new()));
    // A cell waits for the emulator as long as it works itself.
    let workers = 2 * std::thread::available_parallelism().map_or(2, usize::from).min(8);
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while let Some(spot) = spots.get(next.fetch_add(1, Ordering::SeqCst)) {
                    let end = one(&stages[spot.stage], spot, first);
                    if let Err(bad) = &end {
                        let name = stages[spot.stage].scene.name;
                        println!("WRONG {name}: {} at {}: {bad}", spot.fault.class, spot.fault.op);
                    }
                    let key = (spot.stage, spot.fault.op.clone(), spot.fault.class);
                    ends.lock().expect("ends").insert(key, end);
                }
            });
        }
    });
    ends.into_inner().expect("ends")
}

fn one(stage: &Stage, spot: &Spot, first: &BTreeSet<Object>) -> Result<End, String> {
    let Copy(world) = &stage.world.0.copy_for(spot, stage)?;
    // What others left there is not ours to judge.
    let strays = world.inventory().into_iter().filter(|one| one.address.is_none());
    let strays = strays.filter(|_| spot.fault.class != Class::ExistsByStranger);
    let first: BTreeSet<Object> = first.iter().cloned().chain(strays).collect();
    runtime().block_on(play(world, &stage.scene.after, &spot.fault, &first))
}

impl World {
    /// The world of one cell: a stranger was there before.
    fn copy_for(&self, spot: &Spot, stage: &Stage) -> Result<Copy, String> {
        let copy = self.copy();
        if spot.fault.class == Class::ExistsByStranger {
            let request = stage.sent[&spot.fault.op].by_a_stranger();
            let answer = request.send(copy.0.port).map_err(|bad| bad.to_string())?;
            if !answer.is_success() {
                return Err(format!("the stranger was refused: {}", answer.text()));
            }
        }
        Ok(copy)
    }
}

/// Operations down, classes across: `c` converged, `s` stopped and said why, `!` wrong.
pub fn table(ends: &Ends) -> String {
    let mut rows: BTreeMap<&Op, BTreeMap<&'static str, [usize; 3]>> = BTreeMap::new();
    let mut sums: BTreeMap<&'static str, [usize; 3]> = BTreeMap::new();
    for ((_, op, class), end) in ends {
        let slot = match end {
            Ok(End::Converged) => 0,
            Ok(End::Stopped) => 1,
            Err(_) => 2,
        };
        rows.entry(op).or_default().entry(class.words().0).or_default()[slot] += 1;
        sums.entry(class.words().0).or_default()[slot] += 1;
    }
    let columns: Vec<&str> = sums.keys().copied().collect();
    let mut out = String::from("\nconverged/stopped[/WRONG]\n");
    for (number, column) in columns.iter().enumerate() {
        let _ = writeln!(out, "  {:>2} = {column}", number + 1);
    }
    let head: String = (1..=columns.len()).map(|number| format!("{number:>8}")).collect();
    let _ = writeln!(out, "{:<44}{head}", "");
    let cell = |counts: Option<&[usize; 3]>| match counts {
        None => "-".to_owned(),
        Some([c, s, 0]) => format!("{c}/{s}"),
        Some([c, s, w]) => format!("{c}/{s}/{w}!"),
    };
    let line = |row: &BTreeMap<&'static str, [usize; 3]>| -> String {
        columns.iter().map(|column| format!("{:>8}", cell(row.get(column)))).collect()
    };
    for (op, row) in &rows {
        let _ = writeln!(out, "{op:<44}{}", line(row));
    }
    let _ = writeln!(out, "{:<44}{}", "all", line(&sums));
    out
}
