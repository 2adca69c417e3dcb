//! The client's half of SCRAM-SHA-256, RFC 5802 and 7677, without channel binding.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};

/// The mechanism's name.
pub(super) const MECHANISM: &str = "SCRAM-SHA-256";

/// A log-in under way.
pub(super) struct Scram {
    password: String,
    first: String,
}

impl Scram {
    pub(super) fn new(password: &str, nonce: &str) -> Self {
        Self { password: password.to_owned(), first: format!("n=,r={nonce}") }
    }

    /// The client's first words.
    pub(super) fn begin(&self) -> String {
        format!("n,,{}", self.first)
    }

    /// The client's proof, in answer to the server's first words; `None` where those make no
    /// sense.
    pub(super) fn prove(&self, server: &str) -> Option<String> {
        let field = |name: &str| server.split(',').find_map(|part| part.strip_prefix(name));
        let (nonce, salt) = (field("r=")?, decode(field("s=")?)?);
        let rounds: u32 = field("i=")?.parse().ok()?;
        let salted = salted(&self.password, &salt, rounds);
        let key = sign(&salted, b"Client Key");
        let last = format!("c=biws,r={nonce}");
        let whole = format!("{},{server},{last}", self.first);
        let signature = sign(&Sha256::digest(key), whole.as_bytes());
        let proof: Vec<u8> = key.iter().zip(signature).map(|(a, b)| a ^ b).collect();
        Some(format!("{last},p={}", encode(&proof)))
    }
}

fn sign(key: &[u8], text: &[u8]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("a key of any length");
    mac.update(text);
    mac.finalize().into_bytes().into()
}

/// PBKDF2 with one block; remembered, since hundreds of connections use one password.
fn salted(password: &str, salt: &[u8], rounds: u32) -> [u8; 32] {
    type Known = HashMap<(String, Vec<u8>, u32), [u8; 32]>;
    static KNOWN: Mutex<Option<Known>> = Mutex::new(None);
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    let known = known.get_or_insert_default();
    *known.entry((password.to_owned(), salt.to_vec(), rounds)).or_insert_with(|| {
        let mut round = sign(password.as_bytes(), &[salt, &[0, 0, 0, 1]].concat());
        let mut sum = round;
        for _ in 1..rounds {
            round = sign(password.as_bytes(), &round);
            sum.iter_mut().zip(round).for_each(|(sum, byte)| *sum ^= byte);
        }
        sum
    })
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

fn encode(bytes: &[u8]) -> String {
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let group = three.iter().fold(0_u32, |group, byte| group << 8 | u32::from(*byte));
        let group = group << (8 * (3 - three.len()));
        for at in 0..4 {
            let index = (group >> (18 - 6 * at)) as usize & 63;
            text.push(if at <= three.len() { char::from(ALPHABET[index]) } else { '=' });
        }
    }
    text
}

fn decode(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let (mut group, mut bits) = (0_u32, 0);
    for letter in text.trim_end_matches('=').bytes() {
        let value = ALPHABET.iter().position(|known| *known == letter)?;
        group = group << 6 | u32::try_from(value).ok()?;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push((group >> bits) as u8);
            group &= (1 << bits) - 1;
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_rfc_7677_comes_out() {
        let mut scram = Scram::new("pencil", "rOprNGfwEbeRWgbNEkqO");
        scram.first = "n=user,r=rOprNGfwEbeRWgbNEkqO".to_owned();
        let server = "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
                      s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
        let expected = "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
                        p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
        assert_eq!(scram.prove(server).as_deref(), Some(expected));
    }

    #[test]
    fn base64_goes_both_ways() {
        for bytes in [&b""[..], b"a", b"ab", b"abc", &[0, 255, 128, 7]] {
            assert_eq!(decode(&encode(bytes)).as_deref(), Some(bytes));
        }
        assert_eq!(decode("%"), None);
    }
}
