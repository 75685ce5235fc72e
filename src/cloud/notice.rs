//! What the cloud has told a machine of its end. A node passes it on in the tag of its reason:
//! what is written there and what is read from it are one grammar, and stand here.

use crate::model::Moment;

/// What the cloud has announced.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Notice {
    /// What.
    pub kind: NoticeKind,
    /// When it will be done, or was said; as the cloud writes it.
    pub time: String,
}

/// What can be announced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum NoticeKind {
    /// A spot instance is taken back, two minutes later at the earliest.
    Interruption,
    /// A spot instance may be taken back soon.
    Rebalance,
    /// A Capacity Block ends, and AWS takes its machines back.
    BlockEnd,
}

impl NoticeKind {
    const ALL: [Self; 3] = [Self::Interruption, Self::Rebalance, Self::BlockEnd];

    /// What stands before the time.
    fn words(self) -> &'static str {
        match self {
            Self::Interruption => "spot interruption at ",
            Self::Rebalance => "rebalance recommended at ",
            Self::BlockEnd => "Capacity Block taken back from ",
        }
    }
}

impl Notice {
    /// As a part of a reason, for people.
    pub fn words(&self) -> String {
        format!("{}{}", self.kind.words(), self.time)
    }

    /// The one that a part of a reason tells of.
    pub fn read(part: &str) -> Option<Self> {
        NoticeKind::ALL.into_iter().find_map(|kind| {
            let time = part.trim().strip_prefix(kind.words())?;
            Some(Self { kind, time: time.to_owned() })
        })
    }

    /// All that a reason tells of: its parts stand between commas.
    pub fn all(reason: &str) -> impl Iterator<Item = Self> {
        reason.split(", ").filter_map(Self::read)
    }

    /// When it ends the machine; none where it does not, or nobody can read when.
    pub fn ends_at(&self) -> Option<Moment> {
        match self.kind {
            NoticeKind::Interruption | NoticeKind::BlockEnd => Moment::read(&self.time),
            NoticeKind::Rebalance => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let time = "2026-11-24T12:02:00Z".to_owned();
        let all: Vec<Notice> =
            NoticeKind::ALL.map(|kind| Notice { kind, time: time.clone() }).into();
        let words: Vec<String> = all.iter().map(Notice::words).collect();
        let reason = format!("cordoned, {}", words.join(", "));
        assert_eq!(Notice::all(&reason).collect::<Vec<_>>(), all);
        assert_eq!(all[0].ends_at(), Some(Moment(1_795_521_720_000)));
        assert_eq!(all[1].ends_at(), None, "it may never come to that");
        assert_eq!(all[2].ends_at(), all[0].ends_at());
    }

    #[test]
    fn what_people_write_is_no_notice() {
        for reason in
            ["", "cordoned", "no spot interruption at noon", "check: spot interruption at 12:00"]
        {
            assert_eq!(Notice::all(reason).count(), 0, "{reason}");
        }
        let odd = Notice::read("spot interruption at noon").expect("a notice");
        assert_eq!(odd.ends_at(), None);
    }
}
