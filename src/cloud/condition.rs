//! How a node is: what it says of itself in its tags, and what the cloud says of it.

use serde::{Deserialize, Serialize};

use super::Phase;
use super::capacity::{is_closing, taken_back};
use super::notice::{Notice, NoticeKind};
use crate::kinds::Tags;
use crate::model::{Moment, tags};

/// How a node is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Condition {
    /// What it says of itself: `booting`, `ready`, `busy`, `idle` or `unhealthy`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What it was told: the value of [`tags::DRAIN`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mark: Option<String>,
    /// Its private address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// The job that it says it works on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job: Option<String>,
    /// When it was launched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub launched: Option<Moment>,
    /// Only its own word says whether it can serve.
    #[serde(default)]
    pub reports: bool,
    /// It has failed and is kept to be looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quarantine: Option<Quarantine>,
    /// When its Capacity Block ends: the value of [`tags::ENDS`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends: Option<Moment>,
    /// The cloud's own checks of the machine; none where nobody could say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checks: Option<Checks>,
    /// What the cloud has announced for it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub announced: Vec<Announced>,
}

/// A node that has failed is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quarantine {
    /// Until then; without it until somebody takes the mark away.
    pub until: Option<Moment>,
    /// How it has failed.
    pub reason: String,
}

/// What the cloud's checks say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Checks {
    /// They have not ended yet.
    Starting,
    /// All of them are good.
    Good,
    /// One of them is not: which.
    Bad(String),
}

/// What the cloud has announced for a node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Announced {
    /// The machine under it goes: it ends then, whatever runs on it.
    Retirement {
        /// When, as the cloud writes it.
        at: String,
    },
    /// It is restarted or serviced then, and stays.
    Maintenance {
        /// The cloud's word for it, such as `system-reboot`.
        what: String,
        /// When, as the cloud writes it.
        at: String,
    },
    /// A spot instance is being taken back.
    Interruption {
        /// The cloud's word for it, such as `marked-for-termination`.
        what: String,
    },
}

impl Announced {
    /// It takes the node along.
    pub fn ends_it(&self) -> bool {
        match self {
            Self::Retirement { .. } | Self::Interruption { .. } => true,
            Self::Maintenance { .. } => false,
        }
    }

    /// For people.
    pub fn words(&self) -> String {
        let when = |at: &str| if at.is_empty() { String::new() } else { format!(" at {at}") };
        match self {
            Self::Retirement { at } => format!("AWS retires its machine{}", when(at)),
            Self::Maintenance { what, at } => format!("AWS has scheduled {what}{}", when(at)),
            Self::Interruption { what } => format!("spot takes it back ({what})"),
        }
    }

    /// The word for it in JSON.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Retirement { .. } => "retirement",
            Self::Maintenance { .. } => "maintenance",
            Self::Interruption { .. } => "interruption",
        }
    }
}

/// Whether a node can serve.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Health {
    /// Not yet.
    Starting,
    /// It can.
    Serving,
    /// Its own checks say that it never will.
    Failed(String),
    /// The cloud's checks say that something is wrong with it.
    Impaired(String),
}

impl Condition {
    /// Read off the tags of a node.
    pub fn of(all: &Tags, launched: Option<Moment>, address: Option<String>) -> Self {
        let text = |key: &str| all.get(key).filter(|text| !text.is_empty()).cloned();
        let until = text(tags::QUARANTINE).and_then(|until| Moment::read(&until));
        let kept = || Quarantine {
            // A mark without a time is a person's, who wants to look for longer.
            until,
            reason: text(tags::QUARANTINE_REASON).unwrap_or_default(),
        };
        Self {
            state: text(tags::STATE),
            reason: text(tags::REASON),
            mark: text(tags::DRAIN).filter(|mark| mark != "false"),
            job: text(tags::JOB),
            launched,
            address,
            reports: all.get(tags::GATE).is_some_and(|gate| gate == tags::REPORT),
            quarantine: text(tags::QUARANTINE).map(|_| kept()),
            ends: text(tags::ENDS).and_then(|at| Moment::read(&at)),
            checks: None,
            announced: Vec::new(),
        }
    }

    /// Whether spot takes it back, by the cloud's word or by its own.
    pub fn is_interrupted(&self) -> bool {
        let told = Notice::all(self.reason.as_deref().unwrap_or_default());
        let announced = |one: &Announced| matches!(one, Announced::Interruption { .. });
        self.announced.iter().any(announced)
            || told.into_iter().any(|notice| notice.kind == NoticeKind::Interruption)
    }

    /// When AWS takes it back with its Capacity Block, once that is to be left.
    pub fn block_closes(&self, now: Moment) -> Option<Moment> {
        self.ends.filter(|ends| is_closing(*ends, now)).map(taken_back)
    }

    /// The cloud's checks say that something is wrong with its machine.
    pub fn is_impaired(&self) -> bool {
        matches!(self.checks, Some(Checks::Bad(_)))
    }

    /// It says that it is as it should be.
    pub fn is_healthy(&self) -> bool {
        matches!(self.state.as_deref(), Some("ready" | "busy" | "idle"))
    }

    /// It says that it is not.
    pub fn is_unhealthy(&self) -> bool {
        self.state.as_deref() == Some("unhealthy")
    }

    /// Whether a node that is so far along can serve. A node that speaks for itself is believed;
    /// one that says nothing, and need not, is judged by the cloud's checks.
    pub fn health(&self, phase: &Phase) -> Health {
        match phase {
            Phase::Ready => {}
            Phase::Pending | Phase::Leaving | Phase::Failed(_) | Phase::Gone => {
                return Health::Starting;
            }
        }
        let impaired = match &self.checks {
            Some(Checks::Bad(what)) => Some(what.clone()),
            Some(Checks::Starting | Checks::Good) | None => None,
        };
        match (self.state.as_deref(), impaired) {
            (Some("unhealthy"), _) => {
                let said = self.reason.as_deref().unwrap_or("it says that it is unhealthy");
                Health::Failed(said.to_owned())
            }
            (_, Some(what)) => Health::Impaired(what),
            (Some("ready" | "busy" | "idle"), None) => Health::Serving,
            (None, None) if !self.reports && self.checks == Some(Checks::Good) => Health::Serving,
            (Some(_) | None, None) => Health::Starting,
        }
    }

    /// What it said last, for one that never came to say that it is ready.
    pub fn last_word(&self) -> String {
        match (&self.state, &self.checks) {
            (Some(state), _) => match &self.reason {
                Some(reason) => format!("it last said {state}: {reason}"),
                None => format!("it last said {state}"),
            },
            (None, _) if self.reports => "it has said nothing".to_owned(),
            (None, Some(Checks::Starting)) => "EC2's status checks have not ended".to_owned(),
            (None, Some(Checks::Good | Checks::Bad(_)) | None) => {
                "it has said nothing, and EC2 tells no status checks".to_owned()
            }
        }
    }

    /// Whether something on it says when it works: its agent, or whatever else writes these words.
    pub fn tells_of_jobs(&self) -> bool {
        self.reports || matches!(self.state.as_deref(), Some("busy" | "idle")) || self.job.is_some()
    }

    /// Its own word, or none: nobody knows of a job on it then.
    pub fn is_busy(&self) -> bool {
        self.state.as_deref() == Some("busy") || self.job.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn condition(state: Option<&str>, reports: bool, checks: Option<Checks>) -> Condition {
        Condition { state: state.map(str::to_owned), reports, checks, ..Condition::default() }
    }

    #[test]
    fn who_reports_is_ready_by_its_own_word_alone() {
        let health =
            |state, reports, checks| condition(state, reports, checks).health(&Phase::Ready);
        assert_eq!(health(None, true, Some(Checks::Good)), Health::Starting);
        assert_eq!(health(Some("booting"), true, Some(Checks::Good)), Health::Starting);
        assert_eq!(health(Some("ready"), true, Some(Checks::Starting)), Health::Serving);
        assert_eq!(health(Some("busy"), true, None), Health::Serving);
        assert_eq!(health(None, false, Some(Checks::Starting)), Health::Starting);
        assert_eq!(health(None, false, Some(Checks::Good)), Health::Serving);
        assert_eq!(health(None, false, None), Health::Starting);
        // A boot under way says so without an agent, too.
        assert_eq!(health(Some("booting"), false, Some(Checks::Good)), Health::Starting);
        let bad = Some(Checks::Bad("system status impaired".to_owned()));
        let impaired = Health::Impaired("system status impaired".to_owned());
        assert_eq!(health(Some("busy"), true, bad), impaired);
        let running = condition(Some("ready"), true, Some(Checks::Good));
        assert_eq!(running.health(&Phase::Pending), Health::Starting);
    }

    #[test]
    fn tags_are_read() {
        let tag = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        let all = Tags::from([
            tag(tags::STATE, "unhealthy"),
            tag(tags::REASON, "check: 7 of 8 GPUs"),
            tag(tags::GATE, "report"),
            tag(tags::JOB, ""),
            tag(tags::QUARANTINE, "2026-11-24T12:00:00Z"),
            tag(tags::QUARANTINE_REASON, "check: 7 of 8 GPUs"),
        ]);
        let read = Condition::of(&all, Some(Moment(7)), None);
        assert_eq!(read.health(&Phase::Ready), Health::Failed("check: 7 of 8 GPUs".to_owned()));
        assert!(read.reports && read.job.is_none());
        let kept = read.quarantine.expect("a quarantine");
        assert_eq!(kept.until.expect("a time").to_string(), "2026-11-24T12:00:00Z");
        let by_hand = Tags::from([tag(tags::QUARANTINE, "true")]);
        assert_eq!(Condition::of(&by_hand, None, None).quarantine.expect("one").until, None);
    }
}
