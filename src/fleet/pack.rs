//! Who of those that wait has room where, and what is lacking.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::decision::Fate;
use super::demand::{Job, Shape};
use super::grow::Grow;
use super::id::{JobId, Seconds};
use super::round::{Round, age};
use super::state::Node;
use super::stock::{Spot, Stock};
use super::why::NotMore;

/// A job that waits longer than so many boots goes before those that are larger or came later.
const AGED: u32 = 3;
/// One that waits longer than this goes before those of a higher priority, too.
const STARVING: Seconds = Seconds::minutes(360);

/// No fleet has room for more gangs that differ in nothing; a queue that lies may tell of more.
const MANY: u32 = 10_000;

/// What came of packing.
pub(super) struct Packed {
    pub stock: Stock,
    pub fates: Vec<Fate>,
    /// Gangs for which nodes are kept.
    kept: BTreeSet<JobId>,
    /// Shapes of which not even one more gang can have nodes, and why.
    hopeless: BTreeMap<Shape, NotMore>,
}

/// In which order jobs are served: first those who starve, then by priority, then those who
/// have waited for long in the order in which they came, then gangs, then by size.
type Order = (bool, Reverse<i32>, bool, i64, bool, Reverse<u64>, i64);

/// Jobs that are served one after the other.
struct Line<'a> {
    order: Order,
    shape: Shape,
    count: u32,
    fate: usize,
    first: &'a Job,
}

/// What a job needs, as the rest of the decision reads it.
pub(super) fn usual(shape: Shape, slots: u32) -> (Shape, u32) {
    let gpus = if shape.gpus == 0 { slots } else { shape.gpus };
    let nodes = shape.nodes.max(1);
    if shape.is_gang() {
        (Shape { gpus, nodes, gang: true }, 1)
    } else {
        (Shape { gpus, nodes: 1, gang: false }, nodes)
    }
}

/// Packs all that wait on what is there and what comes, and asks for what is lacking.
pub(super) fn pack(round: &Round<'_>, grow: &mut Grow<'_>) -> Packed {
    let waiting = round.demand.work().map_or(&[][..], |work| &work.waiting);
    let (lines, fates) = lines(round, waiting);
    let present = present(round, &lines, waiting);
    let memory = &round.memory;
    let keeps = |node: &Node| -> Option<JobId> {
        let batch = || memory.batches.get(&node.batch)?.gang.as_ref().map(|(gang, _)| gang);
        let kept = memory.nominations.get(&node.id).or_else(batch)?;
        present.contains(kept).then(|| kept.clone())
    };
    let some = !present.is_empty();
    let stock = Stock::new(round, |node| if some { keeps(node) } else { None });
    let hopeless = BTreeMap::new();
    let mut out = Packed { stock, fates, kept: present.clone(), hopeless };
    // What later jobs could put on a node that is launched for an earlier one.
    let need = |line: &Line<'_>| match line.shape.gang {
        true => 0,
        false => u64::from(line.shape.gpus) * u64::from(line.count),
    };
    let mut later: u64 = lines.iter().map(need).fold(0, u64::saturating_add);
    for line in &lines {
        later = later.saturating_sub(need(line));
        if line.shape.gang {
            out.gangs(line, grow);
        } else {
            out.jobs(line, grow, later);
        }
    }
    out
}

impl Packed {
    fn jobs(&mut self, line: &Line<'_>, grow: &mut Grow<'_>, later: u64) {
        let placed = self.stock.jobs(line.shape.gpus, line.count);
        let fate = &mut self.fates[line.fate];
        fate.on_free = fate.on_free.saturating_add(placed.now);
        fate.on_coming = fate.on_coming.saturating_add(placed.later);
        if placed.left > 0 {
            let (got, held) = grow.jobs((line.shape, placed.left), later);
            fate.launched = fate.launched.saturating_add(got);
            fate.held = fate.held.take().or(held);
        }
    }

    fn gangs(&mut self, line: &Line<'_>, grow: &mut Grow<'_>) {
        for number in 0..line.count.min(MANY) {
            let gang = name(line, number);
            if !self.kept.contains(&gang)
                && let Some(why) = self.hopeless.get(&line.shape)
            {
                self.fates[line.fate].held.get_or_insert(why.clone());
                continue;
            }
            if let Err(why) = self.gang((line, &gang), grow) {
                self.hopeless.insert(line.shape, why.clone());
                self.fates[line.fate].held.get_or_insert(why);
            }
        }
    }

    /// One gang has all of its nodes, with those that are launched for it, or none.
    fn gang(
        &mut self,
        (line, gang): (&Line<'_>, &JobId),
        grow: &mut Grow<'_>,
    ) -> Result<(), NotMore> {
        let (shape, each) = (line.shape, (line.shape.gpus, line.shape.nodes));
        let spot = self.stock.look(gang, each, |place| grow.is_open(place, shape));
        let fate = &mut self.fates[line.fate];
        let partial = match spot {
            Spot::Now(at) => {
                fate.on_free = fate.on_free.saturating_add(1);
                self.stock.claim(at, gang, each);
                return Ok(());
            }
            Spot::Later(at) => {
                fate.on_coming = fate.on_coming.saturating_add(1);
                self.stock.claim(at, gang, each);
                return Ok(());
            }
            Spot::Lacks(partial) => partial,
        };
        // What is there is claimed only if the rest comes, too: others may need it.
        if let Some((at, have)) = partial
            && grow.gang(gang, shape, (have, self.stock.places.get(at))).is_ok()
        {
            self.stock.claim(at, gang, (each.0, have));
        } else {
            grow.gang(gang, shape, (0, None))?;
        }
        fate.launched = fate.launched.saturating_add(1);
        Ok(())
    }
}

/// A gang by its name, or by its shape and its number among its equals.
fn name(line: &Line<'_>, number: u32) -> JobId {
    match &line.first.id {
        Some(id) if line.count == 1 => id.clone(),
        Some(_) | None => anonymous(line.shape, line.first.priority, number),
    }
}

fn anonymous(shape: Shape, priority: i32, number: u32) -> JobId {
    JobId::from(format!("{}x{}/{priority}#{number}", shape.nodes, shape.gpus))
}

/// The names of gangs that wait, of those for which nodes are kept.
fn present(round: &Round<'_>, lines: &[Line<'_>], waiting: &[Job]) -> BTreeSet<JobId> {
    let memory = &round.memory;
    let batches = memory.batches.values().filter_map(|batch| Some(&batch.gang.as_ref()?.0));
    let kept: BTreeSet<&JobId> = memory.nominations.values().chain(batches).collect();
    let mut out = BTreeSet::new();
    if kept.is_empty() {
        return out;
    }
    out.extend(waiting.iter().filter_map(|job| job.id.clone().filter(|id| kept.contains(id))));
    for line in lines.iter().filter(|line| line.shape.gang && line.first.id.is_none()) {
        let most = line.count.min(kept.len() as u32);
        let names = (0..most).map(|number| name(line, number));
        out.extend(names.filter(|name| kept.contains(name)));
    }
    out
}

/// Puts like to like, and all in order.
fn lines<'a>(round: &Round<'_>, waiting: &'a [Job]) -> (Vec<Line<'a>>, Vec<Fate>) {
    let slots = round.pool.gpus.max(1);
    let aged = Seconds(round.pool.boot.0.saturating_mul(AGED).max(900));
    let mut lines: Vec<Line<'a>> = Vec::new();
    let mut groups: BTreeMap<(Shape, i32, bool, bool), usize> = BTreeMap::new();
    let mut fates: Vec<Fate> = Vec::new();
    let mut fate_of: BTreeMap<(Shape, i32), usize> = BTreeMap::new();
    let mut last: Option<((Shape, i32, bool, bool), usize)> = None;
    for job in waiting.iter().filter(|job| job.count > 0) {
        let (shape, times) = usual(job.shape, slots);
        let count = job.count.saturating_mul(times);
        let waited = job.submitted_at.map_or(Seconds(0), |at| age(round.now, at));
        let old = (waited >= STARVING, waited >= aged);
        let key = (shape, job.priority, old.0, old.1);
        let at = last.filter(|(it, _)| *it == key).map(|(_, at)| at);
        let at = at.or_else(|| groups.get(&key).copied());
        let submitted = job.submitted_at.map_or(i64::MAX, |at| at.0);
        // Gangs with names are served one by one; those without differ in nothing.
        if let Some(at) = at.filter(|_| !(shape.gang && job.id.is_some())) {
            let line = &mut lines[at];
            line.count = line.count.saturating_add(count);
            line.order.6 = line.order.6.min(submitted);
            line.order.3 = if old.1 { line.order.6 } else { i64::MAX };
            fates[line.fate].jobs = fates[line.fate].jobs.saturating_add(count);
            last = Some((key, at));
            continue;
        }
        let fate = *fate_of.entry((shape, job.priority)).or_insert_with(|| {
            fates.push(Fate::none(shape, job.priority, job.id.clone()));
            fates.len() - 1
        });
        fates[fate].jobs = fates[fate].jobs.saturating_add(count);
        let size = u64::from(shape.gpus) * u64::from(shape.nodes);
        let first = if old.1 { submitted } else { i64::MAX };
        let order =
            (!old.0, Reverse(job.priority), !old.1, first, !shape.gang, Reverse(size), submitted);
        if !(shape.gang && job.id.is_some()) {
            groups.insert(key, lines.len());
            last = Some((key, lines.len()));
        }
        lines.push(Line { order, shape, count, fate, first: job });
    }
    lines.sort_by_key(|line| line.order);
    (lines, fates)
}
