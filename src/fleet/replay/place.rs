//! What happens to nodes and jobs: they come, start, end and go. Which job goes where is here.

use std::collections::VecDeque;

use super::world::{Event, Line, Node, Run, Stage, World};

impl World<'_> {
    // ---- what happens ---------------------------------------------------------------

    /// Nodes that are there at once.
    pub(super) fn launch_ready(&mut self, nodes: u32) {
        let first = self.nodes.len();
        self.launch(nodes);
        for node in first..self.nodes.len() {
            self.ready(node);
        }
    }

    /// A node is there; false when it was ended before.
    pub(super) fn ready(&mut self, node: usize) -> bool {
        if self.nodes[node].stage != Stage::Booting {
            return false;
        }
        self.booting -= 1;
        self.there += 1;
        self.nodes[node].stage = Stage::Running;
        self.nodes[node].empty = self.now;
        self.sit(node);
        true
    }

    /// A node is lost, or never came to be.
    pub(super) fn lose(&mut self, node: usize) {
        if self.nodes[node].stage != Stage::Gone {
            self.count.faults += 1;
            self.count.restarts += self.remove(node) as u64;
            self.drain();
        }
    }

    /// A node goes; the jobs on it go back to the end of their lines. How many these were.
    pub(super) fn remove(&mut self, node: usize) -> usize {
        let stage = std::mem::replace(&mut self.nodes[node].stage, Stage::Gone);
        match stage {
            Stage::Gone => return 0,
            Stage::Booting => self.booting -= 1,
            Stage::Running => {
                self.there -= 1;
                self.rise(node);
            }
        }
        let paid = self.now - self.nodes[node].asked;
        self.asked_sum -= self.nodes[node].asked;
        self.count.paid += paid;
        if self.nodes[node].spot {
            self.count.paid_spot += paid;
            self.spot_nodes -= 1;
        }
        let jobs = std::mem::take(&mut self.nodes[node].jobs);
        for job in &jobs {
            self.stop(*job);
            self.enqueue(*job);
        }
        jobs.len()
    }

    /// Charges the nodes that live at the end.
    pub(super) fn close(&mut self) {
        for node in 0..self.nodes.len() {
            if self.nodes[node].stage != Stage::Gone {
                let paid = self.now - self.nodes[node].asked;
                self.count.paid += paid;
                self.count.paid_spot += if self.nodes[node].spot { paid } else { 0 };
            }
        }
    }

    /// A job arrives: it starts at once only if nothing waits.
    pub(super) fn arrive(&mut self, job: usize) {
        if self.waiting == 0 && self.fits(job) {
            self.start(job);
        } else {
            self.enqueue(job);
            self.drain();
        }
    }

    /// A job is done.
    pub(super) fn done(&mut self, job: usize) {
        self.stop(job);
        self.count.done += 1;
        self.drain();
    }

    /// Starts whatever fits, the head that was submitted first before others.
    pub(super) fn drain(&mut self) {
        while self.waiting > 0 {
            let heads = self.lines.iter().enumerate().filter_map(|(at, line)| {
                let job = *line.jobs.front()?;
                self.fits(job).then(|| ((line.key.0, self.jobs[job].submit, job), at))
            });
            let Some((_, at)) = heads.min() else { return };
            let Some(job) = self.lines[at].jobs.pop_front() else { return };
            self.waiting -= 1;
            self.weigh(job, -1);
            self.start(job);
        }
    }

    // ---- placement ------------------------------------------------------------------

    fn fits(&self, job: usize) -> bool {
        let (gpus, nodes) = self.shape(job);
        if nodes > 0 {
            self.empty_count() >= nodes
        } else {
            self.buckets[gpus as usize..].iter().any(|bucket| !bucket.is_empty())
        }
    }

    /// Accelerators that it takes, and whole nodes; 0 nodes when it shares one.
    pub(super) fn shape(&self, job: usize) -> (u32, u32) {
        let job = &self.jobs[job];
        (job.gpus, job.whole_nodes(self.setting.gpus))
    }

    fn start(&mut self, job: usize) {
        let (gpus, nodes) = self.shape(job);
        let full = self.setting.gpus as usize;
        let on: Vec<usize> = if nodes > 0 {
            let last = self.buckets[full].values().rev();
            last.take(nodes as usize).copied().collect()
        } else {
            let best =
                self.buckets[gpus as usize..].iter().find_map(|one| one.values().next_back());
            best.copied().into_iter().collect()
        };
        for node in &on {
            self.rise(*node);
            self.nodes[*node].free -= if nodes > 0 { self.setting.gpus } else { gpus };
            self.nodes[*node].jobs.push(job);
            self.sit(*node);
        }
        let wait = self.now - self.jobs[job].submit;
        self.count.waits.push(wait);
        if nodes > 1 {
            self.count.gang_waits.push(wait);
        }
        self.running += 1;
        let run = &mut self.runs[job];
        *run = Run { starts: run.starts + 1, running: true, started: self.now, nodes: on };
        let start = run.starts;
        self.at(self.now + self.jobs[job].duration, Event::End { job, start });
    }

    /// Takes a job off its nodes.
    fn stop(&mut self, job: usize) {
        let (gpus, nodes) = self.shape(job);
        let run = &mut self.runs[job];
        run.running = false;
        let ran = self.now - run.started;
        let on = std::mem::take(&mut run.nodes);
        self.running -= 1;
        self.count.used += ran * i64::from(gpus);
        if ran < self.jobs[job].duration {
            self.count.wasted += ran * i64::from(gpus);
        }
        for node in on {
            self.nodes[node].jobs.retain(|other| *other != job);
            if self.nodes[node].stage != Stage::Running {
                continue;
            }
            self.rise(node);
            self.nodes[node].free += if nodes > 0 { self.setting.gpus } else { gpus };
            if self.nodes[node].jobs.is_empty() {
                self.nodes[node].empty = self.now;
                self.emptied.push(node);
            }
            self.sit(node);
        }
    }

    /// Puts a job at the end of its line.
    fn enqueue(&mut self, job: usize) {
        let (gpus, nodes) = self.shape(job);
        let key = (-i64::from(self.jobs[job].priority), gpus, nodes);
        let at = match self.lines.binary_search_by_key(&key, |line| line.key) {
            Ok(at) => at,
            Err(at) => {
                self.lines.insert(at, Line { key, jobs: VecDeque::new() });
                at
            }
        };
        self.lines[at].jobs.push_back(job);
        self.waiting += 1;
        self.weigh(job, 1);
    }

    fn weigh(&mut self, job: usize, sign: i32) {
        let (gpus, nodes) = self.shape(job);
        let sum = if nodes > 0 { &mut self.gang_nodes } else { &mut self.small_gpus };
        let weight = if nodes > 0 { nodes } else { gpus };
        *sum = sum.saturating_add_signed(sign * i32::try_from(weight).unwrap_or(i32::MAX));
    }

    /// Takes a seat in the bucket of the node's free accelerators, if it takes jobs.
    pub(super) fn sit(&mut self, node: usize) {
        if self.nodes[node].closed {
            return;
        }
        self.seats += 1;
        self.nodes[node].seat = self.seats;
        self.buckets[self.nodes[node].free as usize].insert(self.seats, node);
    }

    /// Gives it up.
    pub(super) fn rise(&mut self, node: usize) {
        let Node { free, seat, .. } = self.nodes[node];
        self.buckets[free as usize].remove(&seat);
    }
}
