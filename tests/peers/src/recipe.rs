//! What is built, to the last dependency.
//!
//! A recipe is a Go module of ours: `go.mod` names the exact version of everything that is compiled, `go.sum` its
//! checksum, and the build may change neither (`-mod=readonly`). The cache key is the SHA-256 of the recipe, of the flags
//! and of the compiler's version, so whatever could change the program changes its place.

use anyhow::{Context as _, Result};
use sha2::{Digest as _, Sha256};

/// One program built from source with Go.
#[derive(Debug)]
pub struct Recipe {
    /// Name in the cache and on the command line.
    pub name: &'static str,
    /// What it is, with its version, for people.
    pub about: &'static str,
    /// File name of the program.
    pub program: &'static str,
    /// The package that is built, as named inside the recipe's module.
    pub package: &'static str,
    /// The module's files: name and content.
    pub files: &'static [(&'static str, &'static str)],
}

/// CometBFT v0.38.25 with its key-value application.
pub static COMETBFT_0_38: Recipe = Recipe {
    name: "cometbft-0.38",
    about: "CometBFT v0.38.25",
    program: "cometbft",
    package: "github.com/cometbft/cometbft/cmd/cometbft",
    files: &[
        ("go.mod", include_str!("../recipes/cometbft-0.38/go.mod")),
        ("go.sum", include_str!("../recipes/cometbft-0.38/go.sum")),
    ],
};

/// CometBFT v1.0.1 with its key-value application.
pub static COMETBFT_1_0: Recipe = Recipe {
    name: "cometbft-1.0",
    about: "CometBFT v1.0.1",
    program: "cometbft",
    package: "github.com/cometbft/cometbft/cmd/cometbft",
    files: &[
        ("go.mod", include_str!("../recipes/cometbft-1.0/go.mod")),
        ("go.sum", include_str!("../recipes/cometbft-1.0/go.sum")),
    ],
};

/// A Cosmos SDK chain around ibc-go's test application.
pub static SIMD: Recipe = Recipe {
    name: "simd",
    about: "simd: ibc-go v11.2.0 on Cosmos SDK v0.54.0 and CometBFT v0.39.0",
    program: "simd",
    package: ".",
    files: &[
        ("go.mod", include_str!("../recipes/simd/go.mod")),
        ("go.sum", include_str!("../recipes/simd/go.sum")),
        ("main.go", include_str!("../recipes/simd/main.go")),
    ],
};

/// A reader of transparency logs of ours around the packages of Go's checksum database.
pub static TLOG_READER: Recipe = Recipe {
    name: "tlog-reader",
    about: "a log reader over golang.org/x/mod v0.37.0 (sumdb/note, sumdb/tlog)",
    program: "tlog-reader",
    package: ".",
    files: &[
        ("go.mod", include_str!("../recipes/tlog-reader/go.mod")),
        ("go.sum", include_str!("../recipes/tlog-reader/go.sum")),
        ("main.go", include_str!("../recipes/tlog-reader/main.go")),
    ],
};

/// The checker of tlog-tiles logs that comes with Tessera.
pub static TESSERA_FSCK: Recipe = Recipe {
    name: "tessera-fsck",
    about: "fsck of Tessera v1.0.4",
    program: "fsck",
    package: "github.com/transparency-dev/tessera/cmd/fsck",
    files: &[
        ("go.mod", include_str!("../recipes/tessera-fsck/go.mod")),
        ("go.sum", include_str!("../recipes/tessera-fsck/go.sum")),
    ],
};

/// A log of Tessera on a POSIX filesystem, with a load of ours.
pub static TESSERA: Recipe = Recipe {
    name: "tessera",
    about: "Tessera v1.0.4, POSIX storage with Badger antispam",
    program: "tessera",
    package: ".",
    files: &[
        ("go.mod", include_str!("../recipes/tessera/go.mod")),
        ("go.sum", include_str!("../recipes/tessera/go.sum")),
        ("main.go", include_str!("../recipes/tessera/main.go")),
    ],
};

/// The witness of the transparency-dev project.
pub static OMNIWITNESS: Recipe = Recipe {
    name: "omniwitness",
    about: "omniwitness of 2026-07-01",
    program: "omniwitness",
    package: "github.com/transparency-dev/witness/cmd/omniwitness",
    files: &[
        ("go.mod", include_str!("../recipes/omniwitness/go.mod")),
        ("go.sum", include_str!("../recipes/omniwitness/go.sum")),
    ],
};

/// A time authority of ours around a package that makes time-stamps.
pub static GO_TSA: Recipe = Recipe {
    name: "go-tsa",
    about: "a time authority over github.com/digitorus/timestamp of 2023-12-17",
    program: "go-tsa",
    package: ".",
    files: &[
        ("go.mod", include_str!("../recipes/go-tsa/go.mod")),
        ("go.sum", include_str!("../recipes/go-tsa/go.sum")),
        ("main.go", include_str!("../recipes/go-tsa/main.go")),
    ],
};

/// A client of witnesses of ours around the packages of the transparency-dev project.
pub static WITNESS_CLIENT: Recipe = Recipe {
    name: "witness-client",
    about: "a witness client over the client and the note formats of transparency-dev, 2026-07",
    program: "witness-client",
    package: ".",
    files: &[
        ("go.mod", include_str!("../recipes/witness-client/go.mod")),
        ("go.sum", include_str!("../recipes/witness-client/go.sum")),
        ("main.go", include_str!("../recipes/witness-client/main.go")),
    ],
};

/// Every recipe there is.
pub static RECIPES: [&Recipe; 9] = [
    &COMETBFT_0_38,
    &COMETBFT_1_0,
    &SIMD,
    &TLOG_READER,
    &TESSERA,
    &TESSERA_FSCK,
    &OMNIWITNESS,
    &GO_TSA,
    &WITNESS_CLIENT,
];

impl Recipe {
    /// The recipe of that name.
    ///
    /// # Errors
    /// When there is none; the message lists those that exist.
    pub fn named(name: &str) -> Result<&'static Self> {
        RECIPES.iter().copied().find(|recipe| recipe.name == name).with_context(|| {
            format!("no peer is called `{name}`; there are: {}", RECIPES.map(|recipe| recipe.name).join(", "))
        })
    }

    /// The oldest Go that may build it, from the `go` line of its `go.mod`.
    pub(crate) fn oldest_go(&self) -> GoVersion {
        let (_, module) =
            self.files.iter().find(|(name, _)| *name == "go.mod").expect("every recipe has a go.mod");
        let line =
            module.lines().find_map(|line| line.strip_prefix("go ")).expect("every go.mod has a go line");
        GoVersion::parse(line).expect("the go line of a recipe is a version")
    }

    /// Where it belongs in the cache: 16 hexadecimal digits over all that decides what is built.
    pub(crate) fn key(&self, compiler: &str, flags: &[&str]) -> String {
        let mut hash = Sha256::new();
        let mut add = |part: &str| {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        };
        [self.name, self.program, self.package, compiler].into_iter().for_each(&mut add);
        flags.iter().copied().for_each(&mut add);
        for (name, content) in self.files {
            add(name);
            add(content);
        }
        hex::encode(&hash.finalize()[..8])
    }
}

/// A version of Go: `1.25.9` is (1, 25, 9).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct GoVersion([u32; 3]);

impl GoVersion {
    /// Reads `1.25`, `1.25.9`, `go1.26.8`; what follows the digits (`rc1`, ` linux/amd64`) is left out.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.trim().trim_start_matches("go");
        let digits = text.split(|c: char| !c.is_ascii_digit() && c != '.').next()?;
        let mut parts = [0; 3];
        for (part, value) in parts.iter_mut().zip(digits.split('.')) {
            *part = value.parse().ok()?;
        }
        Some(Self(parts))
    }
}

impl std::fmt::Display for GoVersion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [major, minor, patch] = self.0;
        write!(f, "{major}.{minor}.{patch}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_go_compare_as_numbers() {
        let read = |text| GoVersion::parse(text).unwrap();
        assert!(read("go1.26.8 linux/amd64") > read("1.25.9"));
        assert!(read("1.9") < read("1.25"));
        assert_eq!(read("go1.27rc1"), read("1.27.0"));
        assert_eq!(GoVersion::parse("devel"), None);
    }

    #[test]
    fn each_recipe_says_which_go_it_needs_and_pins_what_it_names() {
        for recipe in RECIPES {
            assert!(recipe.oldest_go() >= GoVersion([1, 24, 0]), "{}", recipe.name);
            let text = |wanted: &str| recipe.files.iter().find(|(name, _)| *name == wanted).unwrap().1;
            let (module, sums) = (text("go.mod"), text("go.sum"));
            for line in module.lines().filter(|line| line.starts_with('\t') && !line.contains("=>")) {
                let mut words = line.split_whitespace();
                let (path, version) = (words.next().unwrap(), words.next().unwrap());
                assert!(
                    sums.contains(&format!("{path} {version}"))
                        || module.contains(&format!("replace {path} =>")),
                    "{}: no checksum for {path} {version}",
                    recipe.name
                );
            }
        }
    }

    #[test]
    fn the_key_depends_on_files_compiler_and_flags() {
        let base = COMETBFT_0_38.key("go1.26.8", &["-s"]);
        assert_eq!(base.len(), 16);
        assert_ne!(base, COMETBFT_1_0.key("go1.26.8", &["-s"]));
        assert_ne!(base, COMETBFT_0_38.key("go1.26.9", &["-s"]));
        assert_ne!(base, COMETBFT_0_38.key("go1.26.8", &["-w"]));
    }
}
