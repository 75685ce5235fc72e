//! Whether a call that failed is sent again, and when. Pure: the class of the failure,
//! how often it was tried and how long that took decide.

use std::time::Duration;

use crate::cloud::Class;

/// What to do after a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Wait, then send the same call again.
    After(Duration),
    /// It will not pass.
    GiveUp,
}

/// First pause in milliseconds, longest pause and total patience in seconds, per class. A bucket of
/// EC2's slowest calls holds another one after half a second
/// (<https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html>). Dependents of a
/// deleted object (network interfaces above all) can take twenty minutes to go; what was
/// just made is known everywhere within a few minutes
/// (<https://docs.aws.amazon.com/ec2/latest/devguide/eventual-consistency.html>).
fn patience(class: Class) -> Option<(u64, u64, u64)> {
    match class {
        Class::Throttled => Some((500, 20, 600)),
        Class::Unavailable => Some((1000, 30, 300)),
        Class::Settling | Class::Gone => Some((2000, 15, 300)),
        Class::InUse => Some((5000, 30, 1200)),
        Class::Capacity
        | Class::Quota
        | Class::Denied
        | Class::Expired
        | Class::Exists
        | Class::Mismatch
        | Class::Invalid
        | Class::Unknown => None,
    }
}

/// How long an offer that had no capacity so often in a row is asked last: three minutes, as
/// Karpenter has it (<https://karpenter.sh/docs/concepts/scheduling/>), doubling up to thirty.
pub fn cool_down(times: u32) -> Duration {
    Duration::from_secs((180 << times.saturating_sub(1).min(4)).min(1800))
}

/// Decides about the n-th failure (from 1) of one call, `waited` after the first.
pub fn next(class: Class, failures: u32, waited: Duration) -> Next {
    let Some((first, longest, total)) = patience(class) else { return Next::GiveUp };
    if waited.as_secs() >= total {
        return Next::GiveUp;
    }
    let doubled = first.saturating_mul(1 << failures.saturating_sub(1).min(10));
    Next::After(Duration::from_millis(doubled.min(longest * 1000)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_limit_and_patience_ends() {
        let pause =
            |failures, waited| next(Class::Throttled, failures, Duration::from_secs(waited));
        assert_eq!(pause(1, 0), Next::After(Duration::from_millis(500)));
        assert_eq!(pause(4, 7), Next::After(Duration::from_secs(4)));
        assert_eq!(pause(40, 100), Next::After(Duration::from_secs(20)));
        assert_eq!(pause(50, 600), Next::GiveUp);
    }

    #[test]
    fn an_offer_cools_down_longer_each_time_up_to_half_an_hour() {
        let minutes = |times| cool_down(times).as_secs() / 60;
        assert_eq!([1, 2, 3, 4, 5, 99].map(minutes), [3, 6, 12, 24, 30, 30]);
    }

    #[test]
    fn what_cannot_pass_is_not_tried_again() {
        for class in [Class::Capacity, Class::Quota, Class::Denied, Class::Expired, Class::Exists] {
            assert_eq!(next(class, 1, Duration::ZERO), Next::GiveUp, "{class:?}");
        }
    }
}
