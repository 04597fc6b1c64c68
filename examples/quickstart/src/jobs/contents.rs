use std::io::{self, Read};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// What a file contains; lines and words are counted as `wc` does, in bytes of any encoding.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Contents {
    pub(crate) bytes: u64,
    /// How many line feeds it has.
    pub(crate) lines: u64,
    /// How many runs of other things than ASCII white space.
    pub(crate) words: u64,
    /// In hexadecimal digits.
    pub(crate) sha256: String,
}

impl Contents {
    pub(crate) fn read(mut from: impl Read) -> io::Result<Self> {
        let (mut contents, mut digest) = (Self::default(), Sha256::new());
        let (mut buffer, mut in_word) = (vec![0; 64 * 1024], false);
        loop {
            let piece = match from.read(&mut buffer) {
                Ok(0) => break,
                Ok(length) => &buffer[..length],
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            digest.update(piece);
            in_word = contents.count(piece, in_word);
        }
        contents.sha256 = format!("{:x}", digest.finalize());
        Ok(contents)
    }

    /// Counts a piece that begins inside of a word or not, and returns whether it ends inside of one.
    fn count(&mut self, piece: &[u8], mut in_word: bool) -> bool {
        self.bytes += piece.len() as u64;
        for byte in piece {
            self.lines += u64::from(*byte == b'\n');
            let blank = byte.is_ascii_whitespace();
            self.words += u64::from(!in_word && !blank);
            in_word = !blank;
        }
        in_word
    }
}

#[cfg(test)]
mod tests {
    use std::io::{self, Read};

    use super::Contents;

    /// Gives one byte at a time, so that every word is torn.
    struct Trickle<'a>(&'a [u8]);

    impl Read for Trickle<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let length = self.0.len().min(buffer.len()).min(1);
            self.0.read(&mut buffer[..length])
        }
    }

    fn counts(text: &[u8]) -> (u64, u64, u64) {
        let contents = Contents::read(Trickle(text)).expect("readable");
        assert_eq!(contents, Contents::read(text).expect("readable"));
        (contents.bytes, contents.lines, contents.words)
    }

    #[test]
    fn lines_and_words_are_counted_as_wc_does() {
        assert_eq!(counts(b""), (0, 0, 0));
        assert_eq!(counts(b"one"), (3, 0, 1));
        assert_eq!(counts(b"one two\n"), (8, 1, 2));
        assert_eq!(counts(b"\n\t one\r\n\n two"), (13, 3, 2));
        assert_eq!(counts(b"\xff\xfe \xc3"), (4, 0, 2));
    }

    #[test]
    fn the_digest_is_that_of_sha_256() {
        let abc = Contents::read(&b"abc"[..]).expect("readable");
        assert_eq!(abc.sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
