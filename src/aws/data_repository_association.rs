//! Data repository associations of FSx for Lustre.

use aws_sdk_fsx::types::{
    AutoExportPolicy, AutoImportPolicy, DataRepositoryAssociation as WireAssociation, EventType,
    S3DataRepositoryConfiguration,
};

use super::found::{self, Found};
use super::{Aws, ec2, fsx, pages};
use crate::cloud::{Failure, Owner, Phase, Scope};
use crate::kinds::{Change, DataRepositoryAssociation, Edit, Events, Home, KindName};
use crate::model::{BucketArn, CloudId, FileSystemId, Link};

fn phase(association: &WireAssociation) -> Phase {
    let state = association.lifecycle.as_ref().map(|state| state.as_str()).unwrap_or_default();
    match state.to_ascii_uppercase().as_str() {
        "AVAILABLE" | "UPDATING" => Phase::Ready,
        "DELETING" => Phase::Leaving,
        word @ ("FAILED" | "MISCONFIGURED") => {
            let details = association.failure_details.as_ref().and_then(|why| why.message.clone());
            Phase::Failed(details.unwrap_or_else(|| format!("the association is {word}")))
        }
        _ => Phase::Pending,
    }
}

/// In the order in which they are declared: AWS returns them in any.
fn words(events: Option<&[EventType]>) -> Vec<String> {
    let found = events.unwrap_or_default();
    ["NEW", "CHANGED", "DELETED"]
        .into_iter()
        .filter(|word| found.iter().any(|event| event.as_str() == *word))
        .map(str::to_owned)
        .collect()
}

fn wire(events: &Events) -> S3DataRepositoryConfiguration {
    let all = |words: &[String]| {
        Some(words.iter().map(|word| EventType::from(word.as_str())).collect::<Vec<_>>())
    };
    S3DataRepositoryConfiguration::builder()
        .auto_import_policy(AutoImportPolicy::builder().set_events(all(&events.import)).build())
        .auto_export_policy(AutoExportPolicy::builder().set_events(all(&events.export)).build())
        .build()
}

fn read(home: &Home, association: WireAssociation) -> Found {
    let phase = phase(&association);
    let tags = fsx::tags_of(association.tags);
    let path = association.data_repository_path.unwrap_or_default();
    let bucket = path.trim_start_matches("s3://").trim_end_matches('/');
    let s3 = association.s3;
    let import = s3.as_ref().and_then(|s3| s3.auto_import_policy.as_ref()?.events.as_deref());
    let export = s3.as_ref().and_then(|s3| s3.auto_export_policy.as_ref()?.events.as_deref());
    let spec = DataRepositoryAssociation {
        file_system: Link::Id(FileSystemId(association.file_system_id.unwrap_or_default())),
        path: association.file_system_path.unwrap_or_default(),
        bucket: Link::Id(BucketArn(home.arn("s3", bucket))),
        events: Events { import: words(import), export: words(export) },
        tags: found::user_tags(&tags),
    };
    Found::new(association.association_id.unwrap_or_default(), tags, spec).in_phase(phase)
}

impl Aws {
    pub(super) async fn list_associations(&self, scope: &Scope) -> Result<Vec<Found>, Failure> {
        let request = || self.fsx.describe_data_repository_associations().max_results(25);
        let all = pages!(self, "fsx:DescribeDataRepositoryAssociations", request(), associations);
        let all = all.into_iter().map(|association| read(self.home(), association));
        Ok(all.filter(|found| found::is_ours(scope, &found.tags)).collect())
    }

    /// An association by its id, whoever owns it.
    pub(super) async fn find_association(&self, id: &str) -> Result<Vec<Found>, Failure> {
        let found = self.associations(id).await?;
        Ok(found.into_iter().map(|association| read(self.home(), association)).collect())
    }

    async fn associations(&self, id: &str) -> Result<Vec<WireAssociation>, Failure> {
        let request = self.fsx.describe_data_repository_associations().association_ids(id);
        let found = self.send("fsx:DescribeDataRepositoryAssociations", request.send()).await?;
        Ok(found.associations.unwrap_or_default())
    }

    pub(super) async fn create_association(
        &self,
        spec: &DataRepositoryAssociation,
        owner: &Owner,
    ) -> Result<CloudId, Failure> {
        const API: &str = "fsx:CreateDataRepositoryAssociation";
        let tags = found::birth_tags(owner, &spec.tags, &[]);
        let bucket = CloudId(found::id_of(API, &spec.bucket)?);
        let request = self
            .fsx
            .create_data_repository_association()
            .client_request_token(owner.token.as_str())
            .file_system_id(found::id_of(API, &spec.file_system)?)
            .file_system_path(&spec.path)
            .data_repository_path(format!("s3://{}", bucket.short()))
            // What the bucket holds already shows at once, not only what comes later.
            .batch_import_meta_data_on_create(!spec.events.import.is_empty())
            .s3(wire(&spec.events))
            .set_tags(Some(fsx::wire_tags(&tags)));
        let made = self.send(API, request.send()).await?.association;
        ec2::made(API, made.and_then(|association| association.association_id))
    }

    pub(super) async fn edit_association(&self, id: &CloudId, edit: &Edit) -> Result<(), Failure> {
        const KIND: KindName = KindName::DataRepositoryAssociation;
        match (edit.field.as_str(), &edit.change) {
            ("events", Change::Put(to)) => {
                let events: Events = found::value(edit, to)?;
                let request = self
                    .fsx
                    .update_data_repository_association()
                    .association_id(id.as_str())
                    .s3(wire(&events));
                self.send("fsx:UpdateDataRepositoryAssociation", request.send()).await.map(|_| ())
            }
            ("tags", _) => {
                // Its ARN holds the file system's id as well.
                let found = self.associations(id.as_str()).await?;
                let system = found.first().and_then(|found| found.file_system_id.as_deref());
                let resource = format!("association/{}/{id}", system.unwrap_or_default());
                self.edit_fsx_tags(KIND, &resource, edit).await
            }
            (_, Change::Put(_) | Change::Add(_) | Change::Remove(_)) => {
                Err(found::unknown(KIND, edit))
            }
        }
    }

    /// What it has brought stays in the file system, which goes or stays by itself.
    pub(super) async fn delete_association(&self, id: &CloudId) -> Result<(), Failure> {
        let request = self
            .fsx
            .delete_data_repository_association()
            .association_id(id.as_str())
            .delete_data_in_file_system(false);
        self.send("fsx:DeleteDataRepositoryAssociation", request.send()).await.map(|_| ())
    }

    pub(super) async fn association_phase(&self, id: &CloudId) -> Result<Phase, Failure> {
        Ok(self.associations(id.as_str()).await?.first().map_or(Phase::Gone, phase))
    }
}
