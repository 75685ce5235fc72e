//! What goes wrong in a replay, by rate: launches that are refused, boots that come to
//! nothing, nodes that are lost. Dice are a hash of a seed and a number, so that every
//! policy meets the same luck and a replay repeats.

use super::unit::SECOND;

/// How often things go wrong, each between 0 and 1.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Faults {
    /// Launches that the cloud refuses for want of capacity.
    pub refuse: f64,
    /// Nodes that never finish their boot.
    pub boot: f64,
    /// Nodes that are lost in an hour of their life.
    pub lost: f64,
    /// Of the dice.
    pub seed: u64,
}

/// How long a node lives if nobody ends it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Life {
    /// It never boots.
    Stillborn,
    /// It is lost so many milliseconds after its boot.
    Short(i64),
    /// As long as it is wanted.
    Long,
}

impl Faults {
    /// Reads `boot=0.05,refuse=0.1,lost=0.001,seed=7`.
    ///
    /// # Errors
    ///
    /// What is wrong with the text, for people.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut faults = Self::default();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let (name, value) = part.split_once('=').ok_or(format!("{part:?} has no `=`"))?;
            let rate = || match value.trim().parse::<f64>() {
                Ok(rate) if (0.0..=1.0).contains(&rate) => Ok(rate),
                Ok(_) | Err(_) => Err(format!("{value:?} is no rate between 0 and 1")),
            };
            match name.trim() {
                "refuse" => faults.refuse = rate()?,
                "boot" => faults.boot = rate()?,
                "lost" => faults.lost = rate()?,
                "seed" => {
                    let seed = value.trim().parse();
                    faults.seed = seed.map_err(|_| format!("{value:?} is no whole number"))?;
                }
                other => {
                    let all = "refuse, boot, lost and seed";
                    return Err(format!("there is no fault {other:?}; there are {all}"));
                }
            }
        }
        Ok(faults)
    }

    /// Whether the launch of this number is refused.
    pub(super) fn refuses(&self, launch: u64) -> bool {
        self.refuse > 0.0 && self.dice(launch, 1) < self.refuse
    }

    /// How long the node of this launch lives.
    pub(super) fn life(&self, launch: u64) -> Life {
        if self.boot > 0.0 && self.dice(launch, 2) < self.boot {
            return Life::Stillborn;
        }
        if self.lost <= 0.0 {
            return Life::Long;
        }
        // Lives without memory: the share that is left after t hours is (1 - lost)^t.
        let hours = self.dice(launch, 3).max(1e-12).ln() / (1.0 - self.lost.min(0.999_999)).ln();
        Life::Short((hours * 3_600.0) as i64 * SECOND)
    }

    /// Evenly between 0 and 1.
    fn dice(&self, number: u64, which: u64) -> f64 {
        mix(self.seed ^ mix(number.wrapping_mul(4).wrapping_add(which))) as f64 / u64::MAX as f64
    }
}

/// A number that has nothing to do with its neighbours' (the finaliser of SplitMix64,
/// <https://prng.di.unimi.it/splitmix64.c>).
pub(super) fn mix(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}
