//! What EFS keeps beside a file system: when files move to infrequent access, and its backup.

use aws_sdk_efs::types::{BackupPolicy, LifecyclePolicy, Status, TransitionToIaRules};

use super::Aws;
use crate::cloud::Failure;

/// EFS says so of a file system that never had a backup policy.
const NO_POLICY: &str = "PolicyNotFound";

/// `AFTER_30_DAYS`
fn word(days: u32) -> String {
    format!("AFTER_{days}_DAY{}", if days == 1 { "" } else { "S" })
}

fn days(word: &str) -> Option<u32> {
    let rest = word.strip_prefix("AFTER_")?;
    rest.strip_suffix("_DAYS").or(rest.strip_suffix("_DAY"))?.parse().ok()
}

fn infrequent_after(policies: &[LifecyclePolicy]) -> Option<u32> {
    let moves = policies.iter().filter_map(|policy| policy.transition_to_ia.as_ref());
    moves.map(TransitionToIaRules::as_str).find_map(days)
}

impl Aws {
    /// After how many days without use files move to infrequent access.
    pub(super) async fn efs_infrequent_after(&self, id: &str) -> Result<Option<u32>, Failure> {
        let request = self.efs.describe_lifecycle_configuration().file_system_id(id);
        let found = self.send("efs:DescribeLifecycleConfiguration", request.send()).await?;
        Ok(infrequent_after(&found.lifecycle_policies.unwrap_or_default()))
    }

    /// One call sets all of it; nothing in it ends every move.
    pub(super) async fn put_efs_lifecycle(
        &self,
        id: &str,
        after: Option<u32>,
    ) -> Result<(), Failure> {
        let policy = |days| {
            let rule = TransitionToIaRules::from(word(days).as_str());
            LifecyclePolicy::builder().transition_to_ia(rule).build()
        };
        let request = self.efs.put_lifecycle_configuration().file_system_id(id);
        let request = request.set_lifecycle_policies(Some(after.map(policy).into_iter().collect()));
        self.send("efs:PutLifecycleConfiguration", request.send()).await.map(|_| ())
    }

    /// Whether AWS Backup copies it.
    pub(super) async fn efs_backup(&self, id: &str) -> Result<bool, Failure> {
        let request = self.efs.describe_backup_policy().file_system_id(id);
        let found = match self.send("efs:DescribeBackupPolicy", request.send()).await {
            Ok(found) => found,
            Err(failure) if failure.code == NO_POLICY => return Ok(false),
            Err(failure) => return Err(failure),
        };
        let status = found.backup_policy.map(|policy| policy.status);
        Ok(matches!(status, Some(Status::Enabled | Status::Enabling)))
    }

    pub(super) async fn put_efs_backup(&self, id: &str, on: bool) -> Result<(), Failure> {
        const API: &str = "efs:PutBackupPolicy";
        let status = if on { Status::Enabled } else { Status::Disabled };
        let policy = BackupPolicy::builder().status(status).build();
        let policy = policy.map_err(|bad| super::failure::invalid(API, bad.to_string()))?;
        let request = self.efs.put_backup_policy().file_system_id(id).backup_policy(policy);
        self.send(API, request.send()).await.map(|_| ())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_written_and_read_as_efs_does() {
        assert_eq!((word(1), word(30)), ("AFTER_1_DAY".to_owned(), "AFTER_30_DAYS".to_owned()));
        for number in [1, 7, 14, 30, 60, 90, 180, 270, 365] {
            let rule = TransitionToIaRules::from(word(number).as_str());
            assert!(TransitionToIaRules::values().contains(&rule.as_str()), "{number}");
            let policy = LifecyclePolicy::builder().transition_to_ia(rule).build();
            assert_eq!(
                infrequent_after(&[LifecyclePolicy::builder().build(), policy]),
                Some(number)
            );
        }
        assert_eq!(infrequent_after(&[]), None);
        assert_eq!(days("ON_1ST_ACCESS"), None);
    }
}
