//! Whether a stack stands where its configuration says: a region, an account or a name that
//! was changed after an apply would leave everything behind, billed and looked for by nobody.

use crate::ledger::{Applied, Ledger, Site, Store};
use crate::model::Problem;
use crate::sim::ACCOUNT;

use super::connect::{Session, Side};
use super::halt::Halt;

/// What stands where the last apply took place.
enum Left {
    /// It is known that nothing does.
    Nothing,
    /// So many objects, after the apply of this number.
    Objects(usize, u64),
    /// The last apply did not come to its end, or what it left was lost.
    Unknown,
}

impl Session {
    /// Where this session looks.
    pub fn site(&self) -> Site {
        Site::new(&self.stack.config.stack, &self.facts.home)
    }

    /// Refuses while objects stand where the configuration does not look any more.
    pub async fn stands_here(&self, store: &dyn Store, ledger: &Ledger) -> Result<(), Halt> {
        let here = self.site();
        let Some(there) = ledger.site.as_ref().filter(|there| **there != here) else {
            return Ok(());
        };
        match left(store, ledger).await {
            Left::Nothing => Ok(()),
            left @ (Left::Objects(..) | Left::Unknown) => {
                Err(self.halt(vec![self.elsewhere(there, &here, &left)]))
            }
        }
    }

    fn elsewhere(&self, there: &Site, here: &Site, left: &Left) -> Problem {
        let Told { text, field, label, help } = if there.account != here.account {
            let simulated = matches!(self.side, Side::Sandbox(_));
            other_account(there, here, (simulated, &self.ledger_place()))
        } else if there.region != here.region {
            other_region(there, here)
        } else {
            other_name(there, here)
        };
        let detail = match left {
            Left::Objects(1, apply) => format!("1 object was left there by apply {apply}"),
            Left::Objects(count, apply) => {
                format!("{count} objects were left there by apply {apply}")
            }
            Left::Nothing | Left::Unknown => "what was left there is not known".to_owned(),
        };
        let problem = Problem::error("C003", text).detail(detail).help(help);
        match &self.stack.loaded.stack {
            Some(block) => problem.at(block.place(field), label),
            None => problem,
        }
    }
}

/// What is said, and of which attribute.
struct Told {
    text: String,
    field: &'static str,
    label: String,
    help: String,
}

fn other_account(there: &Site, here: &Site, (simulated, ledger): (bool, &str)) -> Told {
    let Site { account, region, .. } = there;
    let (text, help) = if simulated && account.as_str() != ACCOUNT {
        let text =
            format!("the stack stands in account {account} ({region}), and this is simulated");
        let help = format!(
            "its ledger ({ledger}) is that of the account: leave --sandbox away, or try in a\n\
             copy of the folder without {ledger}"
        );
        (text, help)
    } else if !simulated && account.as_str() == ACCOUNT {
        let help = format!(
            "`mlinfra destroy --sandbox` empties its ledger ({ledger}) of what stands there\n\
             only. Or move that away, and begin with a new one"
        );
        ("the stack was applied in the simulated region, and this is AWS".to_owned(), help)
    } else {
        let text = format!(
            "the stack stands in account {account}, and these credentials are of account {}",
            here.account
        );
        let help = format!(
            "use credentials of account {account} (--profile). To have it in both: a folder or\n\
             an environment (--env) for each"
        );
        (text, help)
    };
    Told { text, field: "account", label: format!("what was applied is in {account}"), help }
}

fn other_region(Site { region, .. }: &Site, here: &Site) -> Told {
    let text = format!("the stack stands in {region}, and its configuration says {}", here.region);
    let help = format!(
        "set the region back to {region}. To move: `mlinfra destroy` there, then change the\n\
         region and apply. To have both: a folder or an environment (--env) for each"
    );
    Told { text, field: "region", label: format!("what was applied is in {region}"), help }
}

fn other_name(Site { stack, .. }: &Site, here: &Site) -> Told {
    let text =
        format!("the stack was applied as \"{stack}\", and is called \"{}\" now", here.stack);
    let help = format!(
        "call it \"{stack}\" again: names in the cloud cannot be changed. To rename it:\n\
         `mlinfra destroy` under the old name, then change the name and apply"
    );
    Told { text, field: "name", label: format!("what was applied is called {stack}"), help }
}

/// Whether it has to be written down still that nothing of a stack is left: all has gone by
/// other hands since the last apply, or that was cut off.
pub async fn is_to_be_closed(store: &dyn Store, ledger: &Ledger) -> bool {
    ledger.total > 0 && !matches!(left(store, ledger).await, Left::Nothing)
}

async fn left(store: &dyn Store, ledger: &Ledger) -> Left {
    let open = ledger.cut_off().is_some() || ledger.open_intents().next().is_some();
    match Applied::last(store).await {
        Ok(Some(applied)) if !open && applied.number == ledger.total => {
            match applied.objects.len() {
                0 => Left::Nothing,
                count => Left::Objects(count, applied.number),
            }
        }
        // One that is damaged or older tells nothing of today.
        Ok(_) | Err(_) => Left::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site(account: &str) -> Site {
        Site { account: account.into(), region: "us-east-1".into(), stack: "llm".into() }
    }

    #[test]
    fn an_account_that_is_left_is_named_with_the_way_back() {
        let told = |there: &str, here: &str, simulated| {
            let Told { text, help, .. } =
                other_account(&site(there), &site(here), (simulated, ".mlinfra"));
            format!("{text}: {help}")
        };
        let both = told("111111111111", "222222222222", false);
        assert!(both.contains("111111111111, and these credentials are of account 222222222222"));
        assert!(both.contains("--profile"), "{both}");
        // Whoever has tried it out goes on to an account.
        let on = told(ACCOUNT, "222222222222", false);
        assert!(on.contains("applied in the simulated region, and this is AWS"), "{on}");
        assert!(on.contains("`mlinfra destroy --sandbox`") && on.contains(".mlinfra"), "{on}");
        let back = told("111111111111", ACCOUNT, true);
        assert!(back.contains("111111111111 (us-east-1), and this is simulated"), "{back}");
        assert!(back.contains("leave --sandbox away"), "{back}");
    }
}
