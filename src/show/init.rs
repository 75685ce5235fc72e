//! What `init` shows: questions with their choices, notes, files before they are written.

use super::fold::{Page, Row};
use super::screen::{Ink, Screen, Untrusted};
use crate::catalog::Catalog;
use crate::kinds::Offer;
use crate::stack::{Fleet, Rejected};
use crate::wizard::{Draft, Lack, Note, Posed, Question, Shipped};

/// A question, up to the line on which the answer is typed.
pub fn question(posed: &Posed, screen: &Screen) -> String {
    heading(posed, screen) + &choices(posed, posed.default.as_deref(), screen)
}

/// What is asked, and why.
pub fn heading(posed: &Posed, screen: &Screen) -> String {
    let Posed { key: _, title, line, help: _, default: _, choices: _, back: _ } = posed;
    let mut page = Page::new(*screen);
    page.row(&Row::at(0).words(Ink::Plain, ""));
    page.row(&Row::at(0).words(Ink::Bold, title));
    page.row(&Row::at(2).words(Ink::Dim, line));
    page.finish()
}

/// The answers to choose from, one of them pointed at; [`BACK`] for the way back.
pub fn choices(posed: &Posed, at: Option<&str>, screen: &Screen) -> String {
    let Posed { key: _, title: _, line: _, help: _, default: _, choices, back } = posed;
    let mut page = Page::new(*screen);
    if screen.plain {
        spoken(&mut page, posed);
        return page.finish();
    }
    let wide = choices.iter().map(|choice| choice.word.chars().count()).max().unwrap_or(0);
    // In a narrow terminal the words stand above what they mean.
    let beside = wide + 40 <= screen.width;
    let count = if posed.is_numbered() { choices.len().to_string().len() + 2 } else { 0 };
    let pointer = |word: &str| match at == Some(word) {
        true => ("›", Ink::Add),
        false => (" ", Ink::Plain),
    };
    for (place, choice) in choices.iter().enumerate() {
        let (mark, ink) = pointer(&choice.word);
        let number =
            if count > 0 { format!("{:>1$}  ", place + 1, count - 2) } else { String::new() };
        let head = format!("{mark} {number}");
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
    if *back && !choices.is_empty() {
        let (mark, ink) = pointer(BACK);
        let sign = format!("{mark} {BACK:>0$}", count.saturating_sub(2).max(1));
        let word = if count > 0 { "  back" } else { " back" };
        let ink = if ink == Ink::Plain { Ink::Dim } else { ink };
        page.row(&Row::at(0).code(ink, &format!("{sign}{word}")));
    }
    page.finish()
}

/// What is typed to go back.
pub const BACK: &str = "<";

/// The same for an ear: a line for each, without signs.
fn spoken(page: &mut Page, posed: &Posed) {
    for (place, choice) in posed.choices.iter().enumerate() {
        let number = if posed.is_numbered() { format!("{}: ", place + 1) } else { String::new() };
        let text = format!("{number}{}: {}", choice.word, choice.says);
        let usual = if posed.default.as_ref() == Some(&choice.word) { " (default)" } else { "" };
        page.row(&Row::at(0).words(Ink::Plain, text + usual));
    }
    if posed.back && !posed.choices.is_empty() {
        page.row(&Row::at(0).words(Ink::Plain, "<: back"));
    }
}

/// What stands before the cursor: the key, and what an empty line answers.
pub fn prompt(posed: &Posed, empty: Option<&str>, screen: &Screen) -> String {
    let Some(default) = empty else { return posed.key.clone() };
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
    let mut told = |ink: Ink, (mark, word): (&str, &'static str), text: &str| {
        for (at, line) in text.lines().enumerate() {
            let row = match (at, mark) {
                (0, "") => Row::at(0).words(Ink::Plain, line),
                (0, mark) => Row::marked(0, ink, mark).spoken(word).hang(2).words(Ink::Plain, line),
                // A command is not broken, so that it can be copied.
                (_, _) if line.starts_with("aws ") => Row::at(2).code(Ink::Plain, line),
                (_, _) => Row::at(2).words(Ink::Plain, line),
            };
            page.row(&row);
        }
    };
    match note {
        Note::Good(text) => told(Ink::Add, ("✓", ""), text),
        Note::Plain(text) => told(Ink::Plain, ("", ""), text),
        Note::Warning(text) => told(Ink::Warn, ("! warning:", "warning:"), text),
        Note::Bad(text) => told(Ink::Bad, ("✗ no:", "no:"), text),
        Note::Help(text) => told(Ink::Change, ("?", ""), text),
        Note::Given(key, answer) => {
            let row = Row::marked(0, Ink::Add, "✓").words(Ink::Dim, format!("{key} = "));
            page.row(&row.solid(Ink::Plain, answer));
        }
        Note::Page(text) => return text.clone(),
    }
    page.finish()
}

/// Offers that differ in nothing but their zone, and perhaps in what it costs there.
struct Alike<'a> {
    first: &'a Offer,
    zones: String,
    /// Some zones cost more than the first.
    from: bool,
}

fn alike(offers: &[Offer]) -> Vec<Alike<'_>> {
    let mut out: Vec<Alike<'_>> = Vec::new();
    for offer in offers {
        let letter = offer.zone.letter().map(String::from).unwrap_or_default();
        let same = |it: &&mut Alike<'_>| {
            let Offer { instance_type, market, reservation, .. } = it.first;
            (instance_type, market, reservation)
                == (&offer.instance_type, &offer.market, &offer.reservation)
        };
        match out.iter_mut().find(same) {
            Some(it) => {
                it.zones.push_str(&format!(" {letter}"));
                it.from |= it.first.price != offer.price;
            }
            None => out.push(Alike { first: offer, zones: letter, from: false }),
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
    let price = |it: &Alike<'_>| {
        it.first.price.map_or_else(|| "price unknown".to_owned(), |price| format!("{price}/h"))
    };
    let shown = || all.iter().take(ROWS);
    let wide = shown().map(|it| it.first.instance_type.len()).max().unwrap_or(0);
    let tall = shown().map(|it| price(it).len()).max().unwrap_or(0);
    for (at, it) in shown().enumerate() {
        let (mark, ink) = if at == 0 { ("›", Ink::Add) } else { (" ", Ink::Plain) };
        let known = catalog.get(&it.first.instance_type);
        let mut says = known.map(|known| known.accelerator_words()).into_iter().collect::<Vec<_>>();
        let dearer = if it.from { ", some dearer" } else { "" };
        says.push(format!("zones {}{dearer}", it.zones));
        says.push(match &it.first.reservation {
            Some(id) => format!("{} {id}", it.first.market.word()),
            None => it.first.market.word().to_owned(),
        });
        if screen.plain {
            says.splice(0..0, [it.first.instance_type.clone(), price(it)]);
            page.row(&Row::at(0).words(Ink::Plain, says.join(", ")));
            continue;
        }
        let head = format!("{mark} {:<wide$}  {:>tall$}  ", it.first.instance_type, price(it));
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
    let refused = refused(&fleet.rejected);
    for (whats, why) in refused.iter().take(ROWS) {
        let row = Row::marked(0, Ink::Remove, "✗").words(Ink::Plain, format!("not {whats}: "));
        page.row(&row.words(Ink::Dim, why));
    }
    if refused.len() > ROWS {
        let more = format!("and {} more reasons (mlinfra offers tells all)", refused.len() - ROWS);
        page.row(&Row::at(2).words(Ink::Dim, more));
    }
    page.finish()
}

/// What will not do, each reason once.
pub(super) fn refused(all: &[Rejected]) -> Vec<(String, &str)> {
    let mut out: Vec<(String, &str)> = Vec::new();
    for Rejected { what, why } in all {
        match out.iter_mut().find(|(_, known)| known == why) {
            Some((whats, _)) => whats.push_str(&format!(", {what}")),
            None => out.push((what.clone(), why)),
        }
    }
    out
}

/// Files as they will be written. Code stands as it is, so that it can be copied; comments that
/// are wider than the screen are folded as comments.
pub fn drafts(drafts: &[Draft], screen: &Screen) -> String {
    let mut page = Page::new(*screen);
    for Draft { name, text } in drafts {
        page.row(&Row::at(0).words(Ink::Plain, ""));
        if screen.plain {
            page.row(&Row::at(0).words(Ink::Bold, format!("File {name}:")));
        } else {
            let rule = "─".repeat(screen.width.min(72).saturating_sub(name.chars().count() + 4));
            page.row(&Row::at(0).code(Ink::Bold, &format!("── {name} {rule}")));
        }
        let lines: Vec<&str> = text.lines().collect();
        for run in lines.chunk_by(|one, next| goes_on(one, next)) {
            let wide = run.iter().any(|line| line.chars().count() > screen.width);
            match run {
                [first, ..] if wide && first.trim_start().starts_with('#') => {
                    for line in folded(run, screen.width) {
                        page.row(&Row::at(0).code(Ink::Dim, &line));
                    }
                }
                _ => page.rows(&run.iter().map(|line| code(line)).collect::<Vec<_>>()),
            }
        }
    }
    page.finish()
}

fn code(line: &str) -> Row {
    let ink = if line.trim_start().starts_with('#') { Ink::Dim } else { Ink::Plain };
    Row::at(0).code(ink, line)
}

/// Whether a line goes on with the sentence of the one before it: both are comments, as deep, and
/// neither is a table's or a command's.
fn goes_on(one: &str, next: &str) -> bool {
    let prose = |line: &str| {
        let words = line.trim_start().strip_prefix("# ")?;
        let is = !words.starts_with(' ') && !words.is_empty();
        is.then(|| line.len() - line.trim_start().len())
    };
    prose(one).is_some() && prose(one) == prose(next)
}

/// Lines of a comment, filled anew.
fn folded(run: &[&str], width: usize) -> Vec<String> {
    let first = run.first().copied().unwrap_or_default();
    let bare = first.trim_start();
    let pad = &first[..first.len() - bare.len()];
    // What is set in stays set in.
    let inner = bare.trim_start_matches('#');
    let inner = " ".repeat((inner.len() - inner.trim_start().len()).max(1));
    let head = format!("{pad}#{inner}");
    let words = run.iter().flat_map(|line| line.trim_start().trim_start_matches('#').split(' '));
    let (mut out, mut line) = (Vec::new(), head.clone());
    for word in words.filter(|word| !word.is_empty()) {
        if line.len() > head.len() && line.chars().count() + 1 + word.chars().count() > width {
            out.push(std::mem::replace(&mut line, head.clone()));
        }
        if line.len() > head.len() {
            line.push(' ');
        }
        line.push_str(word);
    }
    out.push(line);
    out
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
    // The first and the last have flags of their own, or are for people alone.
    let given = |it: &&Question| !matches!(it.key.as_str(), "overwrite" | "write");
    let wide = questions.iter().map(|question| question.key.len()).max().unwrap_or(0);
    for Question { key, title, .. } in questions.iter().filter(given) {
        let row = Row::at(2).hang(4 + wide).code(Ink::Plain, &format!("{key:<wide$}  "));
        page.row(&row.words(Ink::Plain, title));
    }
    page.finish()
}

/// What to do now: commands with what they do.
pub fn next(commands: &[(String, String)], screen: &Screen) -> String {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wizard::Choice;

    fn posed(words: &[&str], default: &str) -> Posed {
        let choice = |word: &&str| Choice {
            word: (*word).to_owned(),
            says: format!("what {word} means, in a few more words than fit"),
        };
        Posed {
            key: "key".to_owned(),
            title: "Which?".to_owned(),
            line: "Why.".to_owned(),
            help: String::new(),
            default: Some(default.to_owned()),
            choices: words.iter().map(choice).collect(),
            back: true,
        }
    }

    #[test]
    fn a_question_fits_its_terminal() {
        let wide = question(&posed(&["one", "three"], "three"), &Screen::PLAIN);
        let wanted = "\nWhich?\n  Why.\n  1  one    what one means, in a few more words than fit\n\
                      › 2  three  what three means, in a few more words than fit\n  <  back\n";
        assert_eq!(wide, wanted);
        let narrow = Screen { width: 40, ..Screen::PLAIN };
        let text = question(&posed(&["one", "three"], "three"), &narrow);
        assert!(text.lines().all(|line| line.chars().count() <= 40), "{text}");
        assert!(text.contains("› 2  three\n     what three means"), "{text}");
    }

    #[test]
    fn numbers_have_no_numbers() {
        let text = question(&posed(&["1", "8"], "8"), &Screen::PLAIN);
        assert!(text.contains("\n› 8  what 8 means") && text.ends_with("\n  < back\n"), "{text}");
    }

    #[test]
    fn a_long_default_is_cut_and_a_hostile_one_is_escaped() {
        let mut one = posed(&[], &"x".repeat(200));
        let shown = |one: &Posed| prompt(one, one.default.as_deref(), &Screen::PLAIN);
        assert!(shown(&one).chars().count() < 80);
        one.default = Some("\u{1b}[2J".to_owned());
        assert_eq!(shown(&one), "key [\\u{1b}[2J]");
        one.default = None;
        assert_eq!(shown(&one), "key");
    }

    #[test]
    fn notes_say_by_sign_and_word_what_they_are() {
        let said = |it: Note| note(&it, &Screen::PLAIN);
        assert_eq!(said(Note::Good("a".to_owned())), "✓ a\n");
        assert_eq!(said(Note::Warning("a\naws b c".to_owned())), "! warning: a\n  aws b c\n");
        assert_eq!(said(Note::Bad("a\u{1b}".to_owned())), "✗ no: a\\u{1b}\n");
        assert_eq!(said(Note::Given("k".to_owned(), "v".to_owned())), "✓ k = v\n");
        let colour = Screen { colour: true, ..Screen::PLAIN };
        assert!(note(&Note::Bad("a".to_owned()), &colour).contains("\u{1b}["));
    }

    #[test]
    fn comments_fold_as_comments_and_code_does_not() {
        let prose = format!("# {}\n# {}\n", "word ".repeat(10).trim(), "more ".repeat(4).trim());
        let command = "#   mlinfra plan    what would be made, and why\n";
        let text = format!("{prose}{command}  a = 1 # {}\n  # in a block\n", "x".repeat(60));
        let draft = Draft { name: "main.hcl".to_owned(), text: text.clone() };
        let narrow = Screen { width: 40, ..Screen::PLAIN };
        let shown = drafts(std::slice::from_ref(&draft), &narrow);
        let wanted = format!(
            "\n── main.hcl {}\n# {}\n# {}\n#   mlinfra plan what would be made, and\n#   why\n  \
             a = 1 # {}\n  # in a block\n",
            "─".repeat(28),
            "word ".repeat(7).trim(),
            format!("{}{}", "word ".repeat(3), "more ".repeat(4)).trim(),
            "x".repeat(60)
        );
        assert_eq!(shown, wanted);
        let wide = drafts(std::slice::from_ref(&draft), &Screen { width: 100, ..Screen::PLAIN });
        assert!(wide.ends_with(&text), "as it is: {wide}");
        let plain = Screen { plain: true, width: usize::MAX, ..Screen::PLAIN };
        let said = drafts(&[draft], &plain);
        assert!(said.starts_with("\nFile main.hcl:\n# word") && said.ends_with(&text), "{said}");
    }

    #[test]
    fn read_aloud_choices_have_words_for_signs() {
        let plain = Screen { plain: true, width: usize::MAX, ..Screen::PLAIN };
        let said = choices(&posed(&["one", "two"], "two"), Some("two"), &plain);
        let wanted = "1: one: what one means, in a few more words than fit\n\
                      2: two: what two means, in a few more words than fit (default)\n<: back\n";
        assert_eq!(said, wanted);
        assert_eq!(note(&Note::Warning("a".to_owned()), &plain), "warning: a\n");
        assert_eq!(note(&Note::Bad("a".to_owned()), &plain), "no: a\n");
        assert_eq!(note(&Note::Good("a".to_owned()), &plain), "a\n");
    }

    #[test]
    fn another_answer_can_be_pointed_at() {
        let one = posed(&["one", "two"], "two");
        let shown = |at: &str| choices(&one, Some(at), &Screen::PLAIN);
        assert!(shown("one").starts_with("› 1  one"), "{}", shown("one"));
        assert!(shown(BACK).ends_with("› <  back\n"), "{}", shown(BACK));
        assert!(!shown(BACK).contains("› 2"));
    }

    #[test]
    fn each_reason_is_told_once() {
        let no = |what: &str, why: &str| Rejected { what: what.to_owned(), why: why.to_owned() };
        let all = [no("g5.xlarge", "has 1"), no("g5.48xlarge", "has 8"), no("g5.2xlarge", "has 1")];
        let wanted =
            [("g5.xlarge, g5.2xlarge".to_owned(), "has 1"), ("g5.48xlarge".to_owned(), "has 8")];
        assert_eq!(refused(&all), wanted);
    }
}
