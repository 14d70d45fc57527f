//! What the source of a pure crate may not name, read as Rust tokens: comments and strings never count,
//! macros do.
//!
//! Code that only tests see is free: items under `#[cfg(test)]` or under a feature for tests
//! ([`TEST_FEATURES`], which [`super::rooms`] keeps out of the product), and the files of such modules.
//! Whatever this reader does not understand it treats as product code, so it errs towards a violation.

use super::rooms::TEST_FEATURES;
use crate::workspace::{self, Package};
use anyhow::{Context, Result, anyhow, ensure};
use proc_macro2::{Delimiter, Group, Ident, TokenStream, TokenTree};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Where a name counts.
#[derive(Clone, Copy)]
enum Where {
    /// Wherever it stands.
    Anywhere,
    /// As the first word of a path: `rand::random`.
    Root,
    /// As the name of a macro: `env!`.
    Macro,
}

use Where::{Anywhere, Macro, Root};

/// Names, and why none belongs here. `std` covers `std::time`, `std::fs`, `std::net`, `std::env`,
/// `std::thread` and all else that `core` and `alloc` do not have.
const NAMES: &[(&str, Where, &str)] = &[
    ("std", Anywhere, "the pure ring has core and alloc only"),
    ("SystemTime", Anywhere, "a clock"),
    ("Instant", Anywhere, "a clock"),
    ("OsRng", Anywhere, "randomness"),
    ("SysRng", Anywhere, "randomness"),
    ("ThreadRng", Anywhere, "randomness"),
    ("thread_rng", Anywhere, "randomness"),
    ("getrandom", Anywhere, "randomness"),
    ("RandomState", Anywhere, "randomness"),
    ("rand", Root, "randomness"),
    ("HashMap", Anywhere, "its order differs from run to run"),
    ("HashSet", Anywhere, "its order differs from run to run"),
    ("f32", Anywhere, "floats differ from machine to machine"),
    ("f64", Anywhere, "floats differ from machine to machine"),
    ("async", Anywhere, "async means hands"),
    ("await", Anywhere, "async means hands"),
    ("tokio", Root, "a runtime"),
    ("reqwest", Root, "sockets"),
    ("env", Macro, "the environment of whoever builds"),
    ("option_env", Macro, "the environment of whoever builds"),
    ("include", Macro, "source that this check does not see"),
];

/// What reading one crate gave.
#[derive(Debug, Default)]
pub(crate) struct Scan {
    /// Files that hold product code.
    pub(crate) files: usize,
    /// One line each: file, line, name, reason.
    pub(crate) violations: Vec<String>,
}

/// Reads every file of a pure crate's `src`.
pub(crate) fn scan_crate(package: &Package) -> Result<Scan> {
    let src = workspace::root().join(&package.room).join("src");
    let mut files = Vec::new();
    rust_files(&src, &mut files)?;
    ensure!(!files.is_empty(), "{} has no source in {}", package.name, src.display());
    let mut read = Vec::new();
    for path in files {
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        read.push(File::parse(path, &text)?);
    }
    Ok(scan_files(&src, &read))
}

fn rust_files(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    let entries = fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            rust_files(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    Ok(())
}

/// One file, read.
struct File {
    path: PathBuf,
    /// Inner attributes of the file itself, without their brackets.
    attributes: Vec<String>,
    /// Line, name and reason of each violation.
    found: Vec<(usize, String, &'static str)>,
    /// Modules in files of their own: name, and whether only tests see it.
    modules: Vec<(String, bool)>,
}

impl Where {
    fn is_before(self, after: &[TokenTree]) -> bool {
        let mark = match self {
            Anywhere => return true,
            Root => ':',
            Macro => '!',
        };
        after.first().is_some_and(|next| is_punct(next, mark))
    }
}

impl File {
    fn parse(path: PathBuf, text: &str) -> Result<Self> {
        let tokens: TokenStream =
            text.parse().map_err(|error| anyhow!("{}: not Rust: {error}", path.display()))?;
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let mut file = Self { path, attributes: Vec::new(), found: Vec::new(), modules: Vec::new() };
        file.attributes = inner_attributes(&tokens);
        if !inner_groups(&tokens).any(|group| is_test_cfg(&group)) {
            file.walk(&tokens);
        }
        Ok(file)
    }

    fn walk(&mut self, tokens: &[TokenTree]) {
        let mut at = 0;
        while let Some(token) = tokens.get(at) {
            if let Some(attribute) = outer_attribute(tokens, at) {
                if is_test_cfg(attribute) {
                    let end = item_end(tokens, at + 2);
                    self.note_module(tokens.get(at..end).unwrap_or_default(), true);
                    at = end;
                    continue;
                }
                if names_a_file(attribute) {
                    self.find(attribute.span().start().line, "#[path]", "source out of its place");
                }
            }
            match token {
                TokenTree::Group(group) => self.walk(&group.stream().into_iter().collect::<Vec<_>>()),
                TokenTree::Ident(ident) => self.word(ident, tokens.get(at + 1..).unwrap_or_default()),
                TokenTree::Literal(literal) => {
                    // In `pair.0.1` the two indices are one token; a float never follows a point.
                    let index = at > 0 && tokens.get(at - 1).is_some_and(|token| is_punct(token, '.'));
                    if !index && is_float(&literal.to_string()) {
                        let line = literal.span().start().line;
                        self.find(line, &literal.to_string(), "floats differ from machine to machine");
                    }
                }
                TokenTree::Punct(_) => {}
            }
            at += 1;
        }
    }

    fn word(&mut self, ident: &Ident, after: &[TokenTree]) {
        let word = ident.to_string();
        let line = ident.span().start().line;
        if let Some((_, _, why)) =
            NAMES.iter().find(|(name, place, _)| *name == word && place.is_before(after))
        {
            self.find(line, &path_from(&word, after), why);
        }
        if word == "mod" {
            self.note_module(&[&[TokenTree::from(ident.clone())], after].concat(), false);
        }
    }

    fn find(&mut self, line: usize, name: &str, why: &'static str) {
        self.found.push((line, name.to_owned(), why));
    }

    /// Notes `mod name;` among `tokens`; a module with a body is no file.
    fn note_module(&mut self, tokens: &[TokenTree], only_tests: bool) {
        let words = tokens.iter().position(|token| matches!(token, TokenTree::Ident(word) if word == "mod"));
        let Some([_, TokenTree::Ident(name), end, ..]) = words.and_then(|at| tokens.get(at..)) else {
            return;
        };
        if is_punct(end, ';') {
            self.modules.push((name.to_string(), only_tests));
        }
    }

    /// The folder in which this file's modules stand.
    fn folder(&self) -> PathBuf {
        match self.path.file_stem().and_then(|stem| stem.to_str()) {
            Some("lib" | "main" | "mod") | None => self.path.with_file_name(""),
            Some(stem) => self.path.with_file_name(stem),
        }
    }
}

fn scan_files(src: &Path, files: &[File]) -> Scan {
    let test_only = test_only(files);
    let mut scan = Scan::default();
    for file in files.iter().filter(|file| !test_only.iter().any(|path| file.path.starts_with(path))) {
        scan.files += 1;
        for (line, name, why) in &file.found {
            scan.violations.push(format!("{}:{line}: `{name}`: {why}", shown(&file.path)));
        }
    }
    let lib = src.join("lib.rs");
    let attributes =
        files.iter().find(|file| file.path == lib).map(|file| file.attributes.as_slice()).unwrap_or_default();
    for needed in ["no_std", "forbid(unsafe_code)"] {
        if !attributes.iter().any(|attribute| attribute == needed) {
            scan.violations.push(format!("{}: `#![{needed}]` is missing", shown(&lib)));
        }
    }
    scan
}

/// The files and folders of modules that only tests see.
fn test_only(files: &[File]) -> BTreeSet<PathBuf> {
    let declared = |only_tests: bool| {
        files.iter().flat_map(move |file| {
            let modules = file.modules.iter().filter(move |(_, only)| *only == only_tests);
            modules.map(|(name, _)| file.folder().join(name))
        })
    };
    // A module declared twice, for tests and otherwise, is product code.
    let product: BTreeSet<PathBuf> = declared(false).collect();
    let modules = declared(true).filter(|module| !product.contains(module));
    modules.flat_map(|module| [module.with_extension("rs"), module]).collect()
}

fn shown(path: &Path) -> String {
    path.strip_prefix(workspace::root()).unwrap_or(path).display().to_string()
}

/// `std::time::Instant`, from its first word and what follows.
fn path_from(word: &str, after: &[TokenTree]) -> String {
    let mut path = word.to_owned();
    let mut rest = after;
    while let [a, b, TokenTree::Ident(next), tail @ ..] = rest {
        if !is_punct(a, ':') || !is_punct(b, ':') {
            break;
        }
        path.push_str("::");
        path.push_str(&next.to_string());
        rest = tail;
    }
    path
}

fn is_punct(token: &TokenTree, mark: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == mark)
}

fn bracketed(token: Option<&TokenTree>) -> Option<&Group> {
    match token {
        Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Bracket => Some(group),
        _ => None,
    }
}

/// The attribute `#[...]` that starts at `at`.
fn outer_attribute(tokens: &[TokenTree], at: usize) -> Option<&Group> {
    tokens.get(at).filter(|token| is_punct(token, '#')).and_then(|_| bracketed(tokens.get(at + 1)))
}

/// The attributes `#![...]` of this stream.
fn inner_groups(tokens: &[TokenTree]) -> impl Iterator<Item = Group> {
    tokens.windows(3).filter_map(|window| match window {
        [hash, bang, group] if is_punct(hash, '#') && is_punct(bang, '!') => bracketed(Some(group)).cloned(),
        _ => None,
    })
}

fn inner_attributes(tokens: &[TokenTree]) -> Vec<String> {
    inner_groups(tokens).map(|group| group.stream().to_string().replace(' ', "")).collect()
}

/// Whether the attribute puts a module's source elsewhere, under a condition or not.
fn names_a_file(attribute: &Group) -> bool {
    match attribute.stream().into_iter().next() {
        Some(TokenTree::Ident(word)) if word == "path" => true,
        Some(TokenTree::Ident(word)) if word == "cfg_attr" => attribute.to_string().contains("path ="),
        _ => false,
    }
}

/// Whether the attribute is a `cfg` that holds for tests only.
fn is_test_cfg(attribute: &Group) -> bool {
    let tokens: Vec<TokenTree> = attribute.stream().into_iter().collect();
    match tokens.as_slice() {
        [TokenTree::Ident(cfg), TokenTree::Group(predicate)] if cfg == "cfg" => {
            only_tests(&predicate.stream().into_iter().collect::<Vec<_>>())
        }
        _ => false,
    }
}

/// Whether a predicate of `cfg` is false in every build of the product.
fn only_tests(predicate: &[TokenTree]) -> bool {
    match predicate {
        [TokenTree::Ident(word)] => word == "test",
        [TokenTree::Ident(word), equals, TokenTree::Literal(name)] if word == "feature" => {
            is_punct(equals, '=') && TEST_FEATURES.contains(&name.to_string().trim_matches('"'))
        }
        [TokenTree::Ident(word), TokenTree::Group(inner)] if word == "any" || word == "all" => {
            let inner: Vec<TokenTree> = inner.stream().into_iter().collect();
            let mut parts =
                inner.split(|token| is_punct(token, ',')).filter(|part| !part.is_empty()).peekable();
            let any = word == "any";
            parts.peek().is_some() && if any { parts.all(only_tests) } else { parts.any(only_tests) }
        }
        _ => false,
    }
}

/// The index after the item, field, arm or statement whose attributes start or go on at `at`.
fn item_end(tokens: &[TokenTree], mut at: usize) -> usize {
    while outer_attribute(tokens, at).is_some() {
        at += 2;
    }
    // An item ends with its body or a semicolon; a field or an arm ends with a comma too.
    const ITEMS: &[&str] = &[
        "mod",
        "fn",
        "impl",
        "use",
        "struct",
        "enum",
        "union",
        "const",
        "static",
        "type",
        "trait",
        "extern",
        "pub",
        "unsafe",
        "async",
        "macro_rules",
        "let",
    ];
    let item =
        matches!(tokens.get(at), Some(TokenTree::Ident(word)) if ITEMS.iter().any(|item| word == item));
    while let Some(token) = tokens.get(at) {
        at += 1;
        let body = matches!(token, TokenTree::Group(group) if group.delimiter() == Delimiter::Brace);
        if body || is_punct(token, ';') || (!item && is_punct(token, ',')) {
            break;
        }
    }
    at
}

/// Whether a literal is a float: digits with a point or an exponent, or a float's suffix.
fn is_float(literal: &str) -> bool {
    let decimal = literal.starts_with(|first: char| first.is_ascii_digit())
        && !["0x", "0b", "0o"].iter().any(|prefix| literal.starts_with(prefix));
    let mut rest = literal.trim_start_matches(|digit: char| digit.is_ascii_digit() || digit == '_').chars();
    decimal
        && match rest.next() {
            Some('.' | 'f') => true,
            Some('e' | 'E') => rest.next().is_some_and(|next| next.is_ascii_digit() || "+-_".contains(next)),
            _ => false,
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "#![no_std]\n#![forbid(unsafe_code)]\n";

    fn scan(files: &[(&str, &str)]) -> Scan {
        let src = Path::new("/clone/crypto/src");
        let files: Vec<File> =
            files.iter().map(|(path, text)| File::parse(src.join(path), text).unwrap()).collect();
        scan_files(src, &files)
    }

    /// The names found in a library with this body.
    fn found(body: &str) -> Vec<String> {
        let file = File::parse("lib.rs".into(), &format!("{HEAD}{body}")).unwrap();
        file.found.into_iter().map(|(_, name, _)| name).collect()
    }

    #[test]
    fn a_planted_clock_is_found_with_its_line() {
        let lib =
            format!("{HEAD}fn age() -> u64 {{\n    std::time::Instant::now().elapsed().as_secs()\n}}\n");
        let violations = scan(&[("lib.rs", &lib)]).violations;
        assert_eq!(
            violations.first().map(String::as_str),
            Some(
                "/clone/crypto/src/lib.rs:4: `std::time::Instant::now`: the pure ring has core and alloc only"
            )
        );
    }

    #[test]
    fn each_forbidden_thing_is_found_however_it_is_named() {
        for (body, name) in [
            ("use std::fs;", "std::fs"),
            ("use std::{net::TcpStream, thread};", "std"),
            ("extern crate std;", "std"),
            ("fn f() { ::std::env::args(); }", "std::env::args"),
            ("fn f(now: SystemTime) {}", "SystemTime"),
            ("fn f() { let x = rand::random(); }", "rand::random"),
            ("use rand_core::OsRng;", "OsRng"),
            ("type T = hashbrown::HashMap<u8, u8>;", "HashMap"),
            ("struct S { seen: HashSet<u8> }", "HashSet"),
            ("fn f(x: f32) {}", "f32"),
            ("fn f() -> u8 { (3 as f64) as u8 }", "f64"),
            ("const HALF: X = 0.5;", "0.5"),
            ("const MANY: X = 1e9;", "1e9"),
            ("const ONE: X = 1f64;", "1f64"),
            ("macro_rules! m { () => { std::process::exit(1) } }", "std::process::exit"),
            ("async fn f() {}", "async"),
            ("const HOST: &str = env!(\"HOSTNAME\");", "env"),
            ("include!(\"other.rs\");", "include"),
            ("#[path = \"../../other.rs\"] mod other;", "#[path]"),
            ("#[cfg_attr(all(), path = \"x.rs\")] mod other;", "#[path]"),
            ("#[cfg(not(test))] fn f() { tokio::spawn(g()) }", "tokio::spawn"),
            ("#[cfg(feature = \"std\")] use std::io;", "std::io"),
        ] {
            assert_eq!(found(body), [name], "{body}");
        }
    }

    #[test]
    fn comments_strings_integers_and_indices_are_no_violation() {
        for body in [
            "//! std::time is not here\n/// Instant, HashMap\nfn f() {}",
            "const S: &str = \"std::time 0.5\";",
            "const N: u64 = 0x1e9 + 1_000 + 1usize as u64 + 0b11 + 2u8 as u64;",
            "fn f(pair: ((u8, u8), u8)) -> u8 { pair.0.1 }",
            "fn f(r: core::ops::Range<u8>) { for _ in 0..10 {} for _ in 1..=2 {} }",
            "fn f(random: u8) -> u8 { random }",
        ] {
            assert_eq!(found(body), Vec::<String>::new(), "{body}");
        }
    }

    #[test]
    fn code_of_tests_is_free_and_the_code_after_it_is_not() {
        for body in [
            "#[cfg(test)] mod tests { use std::fs; } fn f() { SystemTime }",
            "#[cfg(test)] use std::{fs, net}; fn f() { SystemTime }",
            "#[cfg(test)] #[allow(dead_code)] pub fn f<A, B>() -> HashMap<A, B> { x } fn f() { SystemTime }",
            "struct S { #[cfg(test)] seen: HashSet<u8>, now: SystemTime }",
            "#[cfg(any(test, feature = \"test-utils\"))] pub mod kit { use std::fs; } fn f() { SystemTime }",
            "#[cfg(all(test, unix))] mod tests { use std::fs; } fn f() { SystemTime }",
        ] {
            assert_eq!(found(body), ["SystemTime"], "{body}");
        }
    }

    #[test]
    fn a_cfg_that_a_product_build_can_meet_frees_nothing() {
        for cfg in ["any(test, unix)", "not(test)", "any()", "feature = \"fast\"", "all(unix)", "all()"] {
            assert_eq!(found(&format!("#[cfg({cfg})] use std::fs;")), ["std::fs"], "{cfg}");
        }
    }

    #[test]
    fn files_of_test_modules_are_free_and_other_files_are_not() {
        let lib = format!("{HEAD}mod tree;\n#[cfg(feature = \"test-utils\")]\npub mod testkit;\n");
        let scan = scan(&[
            ("lib.rs", &lib),
            ("testkit/mod.rs", "use std::fs;"),
            ("testkit/deep.rs", "use std::fs;"),
            ("tree.rs", "#[cfg(test)]\nmod tests;"),
            ("tree/tests.rs", "use std::fs;"),
            ("forgotten.rs", "use std::fs;"),
        ]);
        assert_eq!(
            scan.violations,
            ["/clone/crypto/src/forgotten.rs:1: `std::fs`: the pure ring has core and alloc only"]
        );
        assert_eq!(scan.files, 3);
    }

    #[test]
    fn a_module_declared_for_tests_and_otherwise_is_product_code() {
        let lib = format!("{HEAD}#[cfg(test)] mod a;\n#[cfg(not(test))] mod a;\n");
        assert_eq!(scan(&[("lib.rs", &lib), ("a.rs", "use std::fs;")]).violations.len(), 1);
    }

    #[test]
    fn a_library_without_its_two_attributes_is_found() {
        let violations = scan(&[("lib.rs", "#![cfg_attr(not(test), no_std)]\n")]).violations;
        assert_eq!(
            violations,
            [
                "/clone/crypto/src/lib.rs: `#![no_std]` is missing",
                "/clone/crypto/src/lib.rs: `#![forbid(unsafe_code)]` is missing",
            ]
        );
    }
}
