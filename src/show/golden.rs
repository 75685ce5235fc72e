//! Golden texts: what a printer must print, to the letter, in files beside it.

use std::fs;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/show/golden/");

/// Compares with the golden file. Built with `BLESS=1` in the environment it writes the
/// file instead; read the difference before committing it.
pub(super) fn check(name: &str, actual: &str) {
    let path = format!("{FOLDER}{name}");
    if option_env!("BLESS").is_some() {
        fs::create_dir_all(FOLDER).expect("the folder of golden texts");
        fs::write(&path, actual).expect("a golden text written");
    }
    let wanted = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        wanted == actual,
        "{name} differs (BLESS=1 accepts it)\n--- wanted\n{wanted}\n--- actual\n{actual}"
    );
}
