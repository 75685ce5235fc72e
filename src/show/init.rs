//! What `init` shows: questions with their choices, notes, files before they are written.

use super::fold::{Page, Row};
use super::screen::{Ink, Screen, Untrusted};
use crate::catalog::Catalog;
use crate::kinds::Offer;
use crate::stack::{Fleet, Rejected};
use crate::wizard::{Draft, Lack, Note, Posed, Question, Shipped};

/// A question, up to the line on which the answer is typed.
pub fn question(posed: &Posed, screen: &Screen) -> String {
    let Posed { key: _, title, line, help: _, default, choices } = posed;
    let mut page = Page::new(*screen);
    page.row(&Row::at(0).words(Ink::Plain, ""));
    page.row(&Row::at(0).words(Ink::Bold, title));
    page.row(&Row::at(2).words(Ink::Dim, line));
    let wide = choices.iter().map(|choice| choice.word.chars().count()).max().unwrap_or(0);
    // In a narrow terminal the words stand above what they mean.
    let beside = wide + 40 <= screen.width;
    let count = choices.len().to_string().len();
    for (at, choice) in choices.iter().enumerate() {
        let is_default = default.as_ref() == Some(&choice.word);
        let (mark, ink) = if is_default { ("›", Ink::Add) } else { (" ", Ink::Plain) };
        let head = format!("{mark} {:>count$}  ", at + 1);
        let hang = head.chars().count();
        let row = Row::at(0).code(ink, &head);
        if beside {
            let row = row.hang(hang + wide + 2).code(ink, &format!("{:<wide$}  ", choice.word));
            page.row(&row.words(Ink::Plain, &choice.says));
        } else {
            page.row(&row.hang(hang).words(ink, &choice.word));
            page.row(&Row::at(hang).words(Ink::Dim, &choice.says));
        }
    }
    if !choices.is_empty() {
        page.row(&Row::at(0).code(Ink::Dim, &format!("  {:>count$}  back", "<")));
    }
    page.finish()
}

/// What stands before the cursor: the key, and what an empty line answers.
pub fn prompt(posed: &Posed, screen: &Screen) -> String {
    let Some(default) = &posed.default else { return posed.key.clone() };
    let room = screen.width.saturating_sub(posed.key.chars().count() + 24).max(8);
    let shown = Untrusted(default).to_string();
    let shown: String = match shown.chars().count() > room {
        true => shown.chars().take(room - 1).chain(['…']).collect(),
        false => shown,
    };
    format!("{} [{shown}]", posed.key)
}

/// Something between two questions.
pub fn note(note: &Note, screen: &Screen) -> String {
    let mut page = Page::new(*screen);
    match note {
        Note::Good(text) => page.row(&Row::marked(0, Ink::Add, "✓").words(Ink::Plain, text)),
        Note::Plain(text) => page.row(&Row::at(0).words(Ink::Plain, text)),
        Note::Warning(text) => {
            page.row(&Row::marked(0, Ink::Warn, "! warning:").hang(2).words(Ink::Plain, text));
        }
        Note::Bad(text) => {
            page.row(&Row::marked(0, Ink::Bad, "✗ no:").hang(2).words(Ink::Plain, text));
        }
        Note::Help(text) => page.row(&Row::marked(0, Ink::Change, "?").words(Ink::Plain, text)),
        Note::Given(key, answer) => {
            let row = Row::marked(0, Ink::Add, "✓").words(Ink::Dim, format!("{key} = "));
            page.row(&row.solid(Ink::Plain, answer));
        }
        Note::Page(text) => return text.clone(),
    }
    page.finish()
}

/// Offers that differ in nothing but their zone.
struct Alike<'a> {
    first: &'a Offer,
    zones: String,
}

fn alike(offers: &[Offer]) -> Vec<Alike<'_>> {
    let mut out: Vec<Alike<'_>> = Vec::new();
    for offer in offers {
        let letter = offer.zone.letter().map(String::from).unwrap_or_default();
        let same = |it: &&mut Alike<'_>| {
            let Offer { instance_type, market, reservation, price, .. } = it.first;
            (instance_type, market, reservation, price)
                == (&offer.instance_type, &offer.market, &offer.reservation, &offer.price)
        };
        match out.iter_mut().find(same) {
            Some(it) => it.zones.push_str(&format!(" {letter}")),
            None => out.push(Alike { first: offer, zones: letter }),
        }
    }
    out
}

/// Rows of offers, and of reasons, that are enough to choose by.
const ROWS: usize = 6;

/// Where a draft's cluster can run and for how much, best first, and what will not do.
pub fn offers(catalog: &Catalog, fleet: &Fleet, screen: &Screen) -> String {
    let mut page = Page::new(*screen);
    let all = alike(&fleet.offers);
    page.row(&Row::at(0).words(Ink::Plain, ""));
    let head = if all.is_empty() { "Nothing fits." } else { "Where it can run, best first:" };
    page.row(&Row::at(0).words(if all.is_empty() { Ink::Bad } else { Ink::Bold }, head));
    for (at, it) in all.iter().take(ROWS).enumerate() {
        let (mark, ink) = if at == 0 { ("›", Ink::Add) } else { (" ", Ink::Plain) };
        let known = catalog.get(&it.first.instance_type);
        let price =
            it.first.price.map_or_else(|| "price unknown".to_owned(), |it| format!("{it}/h"));
        let mut says = known.map(|known| known.accelerator_words()).into_iter().collect::<Vec<_>>();
        says.push(format!("zones {}", it.zones));
        says.push(match &it.first.reservation {
            Some(id) => format!("{} {id}", it.first.market.word()),
            None => it.first.market.word().to_owned(),
        });
        let head = format!("{mark} {:<16} {price:>9}  ", it.first.instance_type);
        let row = Row::at(0).code(ink, &head);
        if screen.width >= 72 {
            page.row(&row.hang(head.chars().count()).list(Ink::Plain, &says));
        } else {
            page.row(&row);
            page.row(&Row::at(4).list(Ink::Dim, &says));
        }
    }
    if all.len() > ROWS {
        let more = format!("and {} more, dearer (mlinfra offers shows all)", all.len() - ROWS);
        page.row(&Row::at(2).words(Ink::Dim, more));
    }
    for Rejected { what, why } in fleet.rejected.iter().take(ROWS) {
        let row = Row::marked(0, Ink::Remove, "✗").words(Ink::Plain, format!("not {what}: "));
        page.row(&row.words(Ink::Dim, why));
    }
    if fleet.rejected.len() > ROWS {
        let more = format!("and {} more that will not do", fleet.rejected.len() - ROWS);
        page.row(&Row::at(2).words(Ink::Dim, more));
    }
    page.finish()
}

/// Files as they will be written.
pub fn drafts(drafts: &[Draft], screen: &Screen) -> String {
    let mut page = Page::new(*screen);
    for Draft { name, text } in drafts {
        page.row(&Row::at(0).words(Ink::Plain, ""));
        let rule = "─".repeat(screen.width.min(72).saturating_sub(name.chars().count() + 4));
        page.row(&Row::at(0).code(Ink::Bold, &format!("── {name} {rule}")));
        for line in text.lines() {
            let ink = if line.trim_start().starts_with('#') { Ink::Dim } else { Ink::Plain };
            // As it is written, so that it can be copied.
            page.row(&Row::at(0).code(ink, line));
        }
    }
    page.finish()
}

/// The stacks to start from.
pub fn stacks(all: &[Shipped], screen: &Screen) -> String {
    let mut page = Page::new(*screen);
    page.row(&Row::at(0).words(Ink::Bold, "Stacks to start from (mlinfra init --from NAME)"));
    let wide = all.iter().map(|stack| stack.name.len()).max().unwrap_or(0);
    for stack in all {
        let row = Row::at(2).hang(4 + wide).code(Ink::Plain, &format!("{:<wide$}  ", stack.name));
        page.row(&row.words(Ink::Plain, stack.says()));
    }
    page.finish()
}

/// The keys that flags and files answer by.
pub fn keys(questions: &[Question], screen: &Screen) -> String {
    let mut page = Page::new(*screen);
    page.row(&Row::at(0).words(Ink::Plain, ""));
    page.row(&Row::at(0).words(Ink::Bold, "Answers (--set KEY=VALUE, or lines of --answers FILE)"));
    let wide = questions.iter().map(|question| question.key.len()).max().unwrap_or(0);
    for Question { key, title, .. } in questions {
        let row = Row::at(2).hang(4 + wide).code(Ink::Plain, &format!("{key:<wide$}  "));
        page.row(&row.words(Ink::Plain, title));
    }
    page.finish()
}

/// What to do now: commands with what they do.
pub fn next(commands: &[(String, &str)], screen: &Screen) -> String {
    let mut page = Page::new(*screen);
    page.row(&Row::at(0).words(Ink::Plain, ""));
    page.row(&Row::at(0).words(Ink::Bold, "Next:"));
    let wide = commands.iter().map(|(command, _)| command.chars().count()).max().unwrap_or(0);
    let beside = wide + 24 <= screen.width;
    for (command, says) in commands {
        if beside {
            let row = Row::at(2).hang(4 + wide).code(Ink::Add, &format!("{command:<wide$}  "));
            page.row(&row.words(Ink::Plain, says));
        } else {
            page.row(&Row::at(2).code(Ink::Add, command));
            page.row(&Row::at(6).words(Ink::Plain, says));
        }
    }
    page.finish()
}

/// The flag that gives an answer.
pub fn flag(lack: &Lack) -> String {
    match lack.key.as_str() {
        "name" | "region" | "gpu" | "gpus" | "nodes" | "profile" => format!("--{} …", lack.key),
        "cloud" => "--sandbox or --set cloud=aws".to_owned(),
        "overwrite" => "--force".to_owned(),
        key => format!("--set {key}=…"),
    }
}
