//! Whether the service is well, and whether it knows what it is for.

use std::time::Duration;

use super::super::status::{Pulse, Status};

/// A look may take three periods, and this at least: some looks launch fleets.
const LEAST: Duration = Duration::from_secs(30);
/// Whoever waits for the lead may wait for a lease to run out.
const LEASE: Duration = Duration::from_secs(120);

/// What ails it, if anything does.
pub fn healthy(status: &Status, pulse: &Pulse) -> Result<(), String> {
    let Pulse { since_look, since_word, up } = *pulse;
    let most = (Duration::from_secs(u64::from(status.every_s)) * 3).max(LEAST);
    if up <= most {
        return Ok(());
    }
    let (ago, what, most) = match status.leader {
        Some(true) => (since_look.unwrap_or(up), "look", most),
        Some(false) | None => (since_word.unwrap_or(up), "sign of life", most.max(LEASE)),
    };
    if ago <= most {
        return Ok(());
    }
    let (ago, most) = (ago.as_secs(), most.as_secs());
    Err(format!("the last {what} was {ago} s ago; more than {most} s are too many"))
}

/// What it does not know yet, if anything. Whoever follows has nothing to know.
pub fn ready(status: &Status) -> Result<(), String> {
    if let Some(problem) = &status.problem {
        return Err(problem.clone());
    }
    if let Some(unread) = &status.unread {
        return Err(format!("the stack as it is now is not used: {unread}"));
    }
    match status.leader {
        None => return Err("it is not known yet who leads".to_owned()),
        Some(false) => return Ok(()),
        Some(true) => {}
    }
    if status.ticked_at.is_none() {
        return Err("the first look has not ended".to_owned());
    }
    let ails = status.clusters.iter().filter_map(|(name, it)| {
        let why = match (&it.blocked, it.demand.as_str()) {
            (Some(blocked), _) => blocked.clone(),
            (None, "known" | "stale") => return None,
            (None, _) => it.demand_problem.clone().unwrap_or_else(|| "no answer".to_owned()),
        };
        Some(format!("{name}: {why}"))
    });
    let ails: Vec<String> = ails.collect();
    if ails.is_empty() { Ok(()) } else { Err(ails.join("; ")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Moment;
    use crate::serve::autoscale::ClusterStatus;

    fn pulse(look: Option<u64>, word: u64, up: u64) -> Pulse {
        let seconds = Duration::from_secs;
        Pulse { since_look: look.map(seconds), since_word: Some(seconds(word)), up: seconds(up) }
    }

    #[test]
    fn a_leader_is_well_when_it_has_looked_within_three_periods() {
        let status = Status { leader: Some(true), every_s: 20, ..Status::default() };
        assert_eq!(healthy(&status, &pulse(None, 0, 60)), Ok(()));
        assert_eq!(healthy(&status, &pulse(Some(60), 0, 900)), Ok(()));
        let why = healthy(&status, &pulse(Some(61), 0, 900)).expect_err("ill");
        assert_eq!(why, "the last look was 61 s ago; more than 60 s are too many");
        assert!(healthy(&status, &pulse(None, 0, 61)).is_err());
        let quick = Status { every_s: 1, ..status };
        assert_eq!(healthy(&quick, &pulse(Some(29), 0, 900)), Ok(()));
    }

    #[test]
    fn a_follower_is_well_when_it_still_asks_for_the_lead() {
        for leader in [Some(false), None] {
            let status = Status { leader, every_s: 10, ..Status::default() };
            assert_eq!(healthy(&status, &pulse(None, 119, 900)), Ok(()));
            let why = healthy(&status, &pulse(Some(1), 121, 900)).expect_err("ill");
            assert_eq!(why, "the last sign of life was 121 s ago; more than 120 s are too many");
        }
    }

    #[test]
    fn it_is_ready_when_all_is_known_or_another_leads() {
        let mut status = Status::default();
        assert_eq!(ready(&status), Err("it is not known yet who leads".to_owned()));
        status.leader = Some(false);
        assert_eq!(ready(&status), Ok(()));
        status.unread = Some("main.hcl:3: what".to_owned());
        let unread = Err("the stack as it is now is not used: main.hcl:3: what".to_owned());
        assert_eq!(ready(&status), unread);
        (status.leader, status.unread) = (Some(true), None);
        assert_eq!(ready(&status), Err("the first look has not ended".to_owned()));
        status.ticked_at = Some(Moment(1));
        assert_eq!(ready(&status), Ok(()));
        let known = ClusterStatus { demand: "known".to_owned(), ..ClusterStatus::default() };
        let stale = ClusterStatus { demand: "stale".to_owned(), ..ClusterStatus::default() };
        status.clusters = [("a".to_owned(), known), ("b".to_owned(), stale)].into();
        assert_eq!(ready(&status), Ok(()));
        let demand_problem = Some("refused".to_owned());
        let error = ClusterStatus {
            demand: "error".to_owned(),
            demand_problem,
            ..ClusterStatus::default()
        };
        status.clusters.insert("c".to_owned(), error);
        let blocked = Some("no template".to_owned());
        let blocked = ClusterStatus { blocked, ..ClusterStatus::default() };
        status.clusters.insert("d".to_owned(), blocked);
        assert_eq!(ready(&status), Err("c: refused; d: no template".to_owned()));
        status.problem = Some("main.hcl:3: what".to_owned());
        assert_eq!(ready(&status), Err("main.hcl:3: what".to_owned()));
    }
}
