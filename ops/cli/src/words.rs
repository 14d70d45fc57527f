//! A fingerprint as words, to be read aloud and printed on paper.
//!
//! 32 bytes are 24 words of BIP-39's English list, the last of which checks the others, so a word
//! that was misheard is noticed.

use bip39::{Language, Mnemonic};

/// The 24 words of a fingerprint.
pub(crate) fn of(fingerprint: &[u8; 32]) -> String {
    let words = Mnemonic::from_entropy_in(Language::English, fingerprint).expect("32 bytes are 24 words");
    words.words().collect::<Vec<_>>().join(" ")
}

/// Reads a fingerprint from 64 hexadecimal digits, or from its 24 words.
pub(crate) fn parse(text: &str) -> Result<[u8; 32], String> {
    let text = text.trim().to_lowercase();
    if !text.contains(char::is_whitespace) {
        let bytes =
            hex::decode(&text).map_err(|why| format!("{why}; give 64 hexadecimal digits or 24 words"))?;
        return bytes
            .try_into()
            .map_err(|_| "a fingerprint has 64 hexadecimal digits, or 24 words".to_owned());
    }
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let words = Mnemonic::parse_in_normalized(Language::English, &words)
        .map_err(|why| format!("{why}; compare the words with the paper once more"))?;
    match words.to_entropy_array() {
        (entropy, 32) => Ok(*entropy.first_chunk().expect("an array of 33 has 32")),
        _ => Err("a fingerprint has 24 words".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_digits_are_read_back() {
        let fingerprint = [0xa7; 32];
        let words = of(&fingerprint);
        assert_eq!(words.split(' ').count(), 24);
        assert_eq!(parse(&words), Ok(fingerprint));
        assert_eq!(parse(&words.to_uppercase().replace(' ', "\n ")), Ok(fingerprint));
        assert_eq!(parse(&hex::encode(fingerprint)), Ok(fingerprint));
    }

    #[test]
    fn a_word_in_the_wrong_place_is_noticed() {
        let fingerprint: [u8; 32] =
            std::array::from_fn(|place| u8::try_from(place).unwrap().wrapping_mul(37));
        let mut words: Vec<_> = of(&fingerprint).split(' ').map(str::to_owned).collect();
        words.swap(2, 3);
        parse(&words.join(" ")).unwrap_err();
        parse("abandon abandon").unwrap_err();
        parse("0011").unwrap_err();
    }
}
