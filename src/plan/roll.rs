//! At which pace the nodes of a fleet are renewed.

use crate::stack::Fleet;

/// One step of a renewal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Move {
    /// So many nodes are launched.
    Launch(u32),
    /// So many of those that are to go are drained and ended.
    End(u32),
}

/// From so many nodes that stay and so many that are to go, to the number that is wanted:
/// never more than `surge` nodes above it, never more than `max_unavailable` below what
/// there was or shall be.
pub(super) fn waves(fleet: &Fleet, mut good: u32, mut stale: u32) -> Vec<Move> {
    let mut out = Vec::new();
    let wanted = fleet.count;
    let surge = if fleet.surge == 0 && fleet.max_unavailable == 0 { 1 } else { fleet.surge };
    let floor = wanted.saturating_sub(fleet.max_unavailable);
    while good < wanted || stale > 0 {
        let ending = stale.min((good + stale).saturating_sub(floor));
        // Room first where nothing may stand beside it; otherwise successors first.
        let room = (wanted + surge).saturating_sub(good + stale);
        let more = room.min(wanted.saturating_sub(good));
        if more > 0 {
            out.push(Move::Launch(more));
            good += more;
            continue;
        }
        if ending == 0 {
            break;
        }
        out.push(Move::End(ending));
        stale -= ending;
    }
    out
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::kinds::Tags;
    use crate::model::Address;

    fn fleet(count: u32, surge: u32, max_unavailable: u32) -> Fleet {
        Fleet {
            count,
            most: count,
            gang: false,
            surge,
            max_unavailable,
            template: Address::from_tag("cluster.c/template").expect("an address"),
            offers: Vec::new(),
            rejected: Vec::new(),
            advice: Vec::new(),
            types: BTreeSet::new(),
            autoscale: None,
            published: None,
            tags: Tags::new(),
            care: crate::kinds::Care::default(),
        }
    }

    #[test]
    fn successors_come_first_and_room_only_where_it_is_allowed() {
        use Move::{End, Launch};
        let all = |fleet: Fleet, good, stale| waves(&fleet, good, stale);
        assert_eq!(all(fleet(4, 2, 0), 0, 4), [Launch(2), End(2), Launch(2), End(2)]);
        assert_eq!(all(fleet(4, 0, 4), 0, 4), [End(4), Launch(4)]);
        assert_eq!(all(fleet(4, 0, 1), 3, 1), [End(1), Launch(1)]);
        assert_eq!(all(fleet(4, 0, 0), 3, 1), [Launch(1), End(1)]);
        assert_eq!(all(fleet(3, 1, 0), 0, 0), [Launch(3)]);
        assert_eq!(all(fleet(0, 1, 0), 0, 2), [End(2)]);
        assert_eq!(all(fleet(4, 1, 0), 0, 2), [Launch(3), End(1), Launch(1), End(1)]);
    }

    /// Whatever the numbers: it ends where it should, within its limits at each step.
    #[test]
    fn no_wave_breaks_a_limit() {
        for (count, surge, gap) in
            (0..8).flat_map(|c| (0..4).flat_map(move |s| (0..4).map(move |g| (c, s, g))))
        {
            for (good, stale) in (0..=count).flat_map(|g| (0..8).map(move |s| (g, s))) {
                let fleet = fleet(count, surge, gap);
                let (mut now, mut old) = (good, stale);
                let floor = (count - gap.min(count)).min(good + stale);
                for step in waves(&fleet, good, stale) {
                    match step {
                        Move::Launch(more) => now += more,
                        Move::End(gone) => old -= gone,
                    }
                    let most = (count + surge.max(1)).max(good + stale);
                    assert!(now + old <= most, "{fleet:?} {good} {stale}");
                    assert!(now + old >= floor.min(count), "{fleet:?} {good} {stale}");
                }
                assert_eq!((now, old), (count.max(good), 0), "{fleet:?} {good} {stale}");
            }
        }
    }
}
