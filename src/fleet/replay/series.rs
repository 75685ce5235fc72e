//! A replay over time, in no more points than a picture has columns.

use super::unit::{SECOND, gpu_hours};
use super::world::World;

/// More points than that are folded, two into one.
const MOST: usize = 2_000;

/// A span of time, with the most that there was in it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Point {
    /// Its end, in milliseconds since the first job.
    pub at: i64,
    /// Jobs that waited.
    pub waiting: u32,
    /// Nodes that were paid.
    pub nodes: u32,
    /// Of these nodes with jobs.
    pub busy: u32,
    /// Accelerator-hours that were paid up to its end.
    pub gpu_hours: f64,
    /// Jobs that waited, nodes and nodes with jobs at its end.
    pub left: [u32; 3],
}

/// A replay over time.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// Spans without an event are left out.
    pub points: Vec<Point>,
    width: i64,
}

impl Default for Series {
    fn default() -> Self {
        Self { points: Vec::new(), width: 60 * SECOND }
    }
}

impl Series {
    pub(super) fn see(&mut self, world: &World) {
        let at = (world.now / self.width + 1) * self.width;
        let (nodes, empty) = (world.living(), world.empty_count() + world.booting);
        let waiting = u32::try_from(world.waiting).unwrap_or(u32::MAX);
        let gpu_hours = gpu_hours(world.paid(), world.setting.gpus);
        let busy = nodes.saturating_sub(empty);
        let point = Point { at, waiting, nodes, busy, gpu_hours, left: [waiting, nodes, busy] };
        match self.points.last_mut() {
            Some(last) if last.at == at => *last = fold(*last, point),
            Some(_) | None => self.points.push(point),
        }
        if self.points.len() > MOST {
            self.halve();
        }
    }

    /// The end: what lives is charged.
    pub(super) fn close(&mut self, world: &World) {
        let paid = gpu_hours(world.count.paid, world.setting.gpus);
        if let Some(last) = self.points.last_mut() {
            last.gpu_hours = paid;
        }
    }

    fn halve(&mut self) {
        self.width *= 2;
        let mut points: Vec<Point> = Vec::with_capacity(MOST);
        for mut point in std::mem::take(&mut self.points) {
            point.at = (point.at - 1).div_euclid(self.width) * self.width + self.width;
            match points.last_mut() {
                Some(last) if last.at == point.at => *last = fold(*last, point),
                Some(_) | None => points.push(point),
            }
        }
        self.points = points;
    }
}

fn fold(one: Point, other: Point) -> Point {
    Point {
        at: other.at,
        waiting: one.waiting.max(other.waiting),
        nodes: one.nodes.max(other.nodes),
        busy: one.busy.max(other.busy),
        gpu_hours: other.gpu_hours,
        left: other.left,
    }
}
