//! SQS queues. Calls name a queue by its address, which follows from its name.

use std::collections::HashMap;

use aws_sdk_sqs::types::QueueAttributeName as Name;
use serde_json::{Value, json};

use super::Aws;
use super::found::{self, Found, TagChange};
use crate::cloud::{Class, Failure, Left, Owner, Phase, Scope};
use crate::kinds::{Change, DeadLetter, Edit, Home, KindName, Queue, Tags, canonical_json};
use crate::model::{CloudId, Link, QueueArn, Text};

const CREATE: &str = "sqs:CreateQueue";

type Attributes = HashMap<Name, String>;

fn url(home: &Home, name: &str) -> String {
    let tail = if home.partition() == "aws-cn" { ".cn" } else { "" };
    format!("https://sqs.{}.amazonaws.com{tail}/{}/{name}", home.region, home.account)
}

fn id_of(home: &Home, name: &str) -> CloudId {
    CloudId(home.arn("sqs", name))
}

fn redrive(letter: &DeadLetter) -> Result<String, Failure> {
    let queue = found::id_of(CREATE, &letter.queue)?;
    Ok(json!({ "deadLetterTargetArn": queue, "maxReceiveCount": letter.max_receives }).to_string())
}

fn read_redrive(text: &str) -> Option<DeadLetter> {
    let value: Value = serde_json::from_str(text).ok()?;
    let queue = value.get("deadLetterTargetArn")?.as_str()?.to_owned();
    // A number, and from older tools a text.
    let max = value.get("maxReceiveCount")?;
    let max = max.as_u64().or_else(|| max.as_str()?.parse().ok())?;
    let max_receives = u32::try_from(max).ok()?;
    Some(DeadLetter { queue: Link::Id(QueueArn(queue)), max_receives })
}

/// What the create call says.
fn attributes(spec: &Queue) -> Result<Attributes, Failure> {
    let mut all = HashMap::from([
        (Name::VisibilityTimeout, spec.visibility_timeout.to_string()),
        (Name::MessageRetentionPeriod, spec.retention.to_string()),
        (Name::ReceiveMessageWaitTimeSeconds, spec.receive_wait.to_string()),
        (Name::SqsManagedSseEnabled, spec.encrypted.to_string()),
    ]);
    if spec.fifo {
        // The attribute is refused on a standard queue, even when false.
        all.insert(Name::FifoQueue, "true".to_owned());
    }
    if let Some(letter) = &spec.dead_letter {
        all.insert(Name::RedrivePolicy, redrive(letter)?);
    }
    if let Some(policy) = &spec.policy {
        all.insert(Name::Policy, found::known(CREATE, policy)?.to_owned());
    }
    Ok(all)
}

fn read(name: &str, all: &Attributes, tags: &Tags) -> Queue {
    let text = |key: &Name| all.get(key).map(String::as_str).filter(|text| !text.is_empty());
    let number = |key: &Name| text(key).and_then(|text| text.parse().ok()).unwrap_or(0);
    let policy = text(&Name::Policy);
    Queue {
        name: name.to_owned(),
        fifo: text(&Name::FifoQueue) == Some("true"),
        visibility_timeout: number(&Name::VisibilityTimeout),
        retention: number(&Name::MessageRetentionPeriod),
        receive_wait: number(&Name::ReceiveMessageWaitTimeSeconds),
        encrypted: text(&Name::SqsManagedSseEnabled) == Some("true"),
        dead_letter: text(&Name::RedrivePolicy).and_then(read_redrive),
        policy: policy.map(|p| Text::Known(canonical_json(p).unwrap_or_else(|| p.to_owned()))),
        tags: found::user_tags(tags),
    }
}

/// The one attribute that an edit sets; an empty one is removed.
fn edited(edit: &Edit) -> Result<(Name, String), Failure> {
    let number = |value| found::value::<u32>(edit, value).map(|number| number.to_string());
    match (edit.field.as_str(), &edit.change) {
        ("visibility_timeout", Change::Put(to)) => Ok((Name::VisibilityTimeout, number(to)?)),
        ("retention", Change::Put(to)) => Ok((Name::MessageRetentionPeriod, number(to)?)),
        ("receive_wait", Change::Put(to)) => Ok((Name::ReceiveMessageWaitTimeSeconds, number(to)?)),
        ("encrypted", Change::Put(to)) => {
            Ok((Name::SqsManagedSseEnabled, found::value::<bool>(edit, to)?.to_string()))
        }
        ("dead_letter", Change::Put(to)) => {
            let letter = found::value::<Option<DeadLetter>>(edit, to)?;
            let text = letter.as_ref().map(redrive).transpose()?;
            Ok((Name::RedrivePolicy, text.unwrap_or_default()))
        }
        ("policy", Change::Put(to)) => {
            let policy = found::value::<Option<Text>>(edit, to)?;
            let text = policy.as_ref().map(|text| found::known(CREATE, text)).transpose()?;
            Ok((Name::Policy, text.unwrap_or_default().to_owned()))
        }
        (_, Change::Put(_) | Change::Add(_) | Change::Remove(_)) => {
            Err(found::unknown(KindName::Queue, edit))
        }
    }
}

impl Aws {
    pub(super) async fn list_queues(&self, scope: &Scope) -> Result<Vec<Found>, Failure> {
        let prefix = format!("{}-", scope.stack);
        let mut names = Vec::new();
        let mut token: Option<String> = None;
        loop {
            // Without a number of results there is no next page either.
            let request = self
                .sqs
                .list_queues()
                .queue_name_prefix(&prefix)
                .max_results(1000)
                .set_next_token(token.take());
            let page = self.send("sqs:ListQueues", request.send()).await?;
            let urls = page.queue_urls.unwrap_or_default().into_iter();
            names.extend(urls.filter_map(|url| url.rsplit('/').next().map(str::to_owned)));
            match page.next_token {
                Some(next) if !next.is_empty() => token = Some(next),
                Some(_) | None => break,
            }
        }
        let chosen = scope.names.iter().filter(|(kind, _)| *kind == KindName::Queue);
        names.extend(chosen.map(|(_, name)| name.clone()));
        names.sort();
        names.dedup();
        found::each(names, |name| self.look_at_queue(scope, name))
            .await
            .into_iter()
            .filter_map(Result::transpose)
            .collect()
    }

    async fn look_at_queue(&self, scope: &Scope, name: String) -> Result<Option<Found>, Failure> {
        let tags = match self.queue_tags(&name).await {
            Ok(tags) if found::is_ours(scope, &tags) => tags,
            Ok(_) => return Ok(None),
            // A queue stays in the list for a minute after its end.
            Err(failure) if failure.class == Class::Gone => return Ok(None),
            Err(failure) => return Err(failure),
        };
        Ok(Some(self.whole_queue(&name, tags).await))
    }

    /// A queue by its name, whoever owns it.
    pub(super) async fn find_queue(&self, name: &str) -> Result<Option<Found>, Failure> {
        let tags = self.queue_tags(name).await?;
        Ok(Some(self.whole_queue(name, tags).await))
    }

    async fn whole_queue(&self, name: &str, tags: Tags) -> Found {
        let spec = self.queue_attributes(name).await.map(|all| read(name, &all, &tags));
        Found::read(id_of(self.home(), name), tags, spec)
    }

    async fn queue_tags(&self, name: &str) -> Result<Tags, Failure> {
        let request = self.sqs.list_queue_tags().queue_url(url(self.home(), name));
        let found = self.send("sqs:ListQueueTags", request.send()).await?;
        Ok(found.tags.unwrap_or_default().into_iter().collect())
    }

    async fn queue_attributes(&self, name: &str) -> Result<Attributes, Failure> {
        let request = self
            .sqs
            .get_queue_attributes()
            .queue_url(url(self.home(), name))
            .attribute_names(Name::All);
        let found = self.send("sqs:GetQueueAttributes", request.send()).await?;
        Ok(found.attributes.unwrap_or_default())
    }

    /// A create call with the same attributes succeeds on anybody's queue of that name,
    /// so the tags are read before.
    pub(super) async fn create_queue(
        &self,
        spec: &Queue,
        owner: &Owner,
    ) -> Result<CloudId, Failure> {
        let id = id_of(self.home(), &spec.name);
        match self.queue_tags(&spec.name).await {
            Ok(found) if found::is_intent(owner, &found) => return Ok(id),
            Ok(_) => {
                let text = format!("a queue {} exists that this intent did not make", spec.name);
                return Err(Failure::new(
                    Class::Exists,
                    Left::Nothing,
                    CREATE,
                    "QueueNameExists",
                    text,
                ));
            }
            Err(failure) if failure.class == Class::Gone => {}
            Err(failure) => return Err(failure),
        }
        let tags = found::birth_tags(owner, &spec.tags, &[]).into_iter().collect();
        let request = self
            .sqs
            .create_queue()
            .queue_name(&spec.name)
            .set_attributes(Some(attributes(spec)?))
            .set_tags(Some(tags));
        self.send(CREATE, request.send()).await.map(|_| id)
    }

    pub(super) async fn edit_queue(&self, id: &CloudId, edit: &Edit) -> Result<(), Failure> {
        let url = url(self.home(), id.short());
        if edit.field == "tags" {
            return match found::tag_change(KindName::Queue, edit)? {
                TagChange::Add(new) => {
                    let new = new.into_iter().collect();
                    let request = self.sqs.tag_queue().queue_url(url).set_tags(Some(new));
                    self.send("sqs:TagQueue", request.send()).await.map(|_| ())
                }
                TagChange::Remove(keys) => {
                    let request = self.sqs.untag_queue().queue_url(url).set_tag_keys(Some(keys));
                    self.send("sqs:UntagQueue", request.send()).await.map(|_| ())
                }
            };
        }
        let (name, value) = edited(edit)?;
        let request = self.sqs.set_queue_attributes().queue_url(url).attributes(name, value);
        self.send("sqs:SetQueueAttributes", request.send()).await.map(|_| ())
    }

    pub(super) async fn delete_queue(&self, id: &CloudId) -> Result<(), Failure> {
        let request = self.sqs.delete_queue().queue_url(url(self.home(), id.short()));
        self.send("sqs:DeleteQueue", request.send()).await.map(|_| ())
    }

    pub(super) async fn queue_phase(&self, id: &CloudId) -> Result<Phase, Failure> {
        self.queue_tags(id.short()).await.map(|_| Phase::Ready)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_written_as_text_is_a_number() {
        let letter = read_redrive(r#"{"deadLetterTargetArn":"arn:q","maxReceiveCount":"3"}"#);
        assert_eq!(letter.map(|letter| letter.max_receives), Some(3));
    }

    #[test]
    fn what_is_removed_is_set_to_nothing() {
        let edit = Edit { field: "dead_letter".to_owned(), change: Change::Put(Value::Null) };
        assert_eq!(edited(&edit), Ok((Name::RedrivePolicy, String::new())));
    }
}
