//! Trusted time-stamps (RFC 3161): that a time authority saw a digest, and when it says so.
//!
//! [`verify_token`] is a function of bytes: the token, what it must be over, and which anchors are
//! believed. Everything is judged at the token's own time: an X.509 certificate that ran out since makes
//! no difference, one that was not yet valid then does. A [`Stamped`] exists only when all of this holds:
//!
//! 1. the token is a CMS `SignedData` over a `TSTInfo`, with one signer;
//! 2. the imprint is the one asked for, under a living hash, and the nonce and the policy where asked;
//! 3. the signed attributes bind the content, its type, and the signer's own X.509 certificate (`ESSCertIDv2`);
//! 4. that certificate is for time-stamping alone, critically so, and is the only one in the token that
//!    could be taken for a time authority's;
//! 5. the signature over the signed attributes is of its key;
//! 6. a chain leads from it to an anchor, every certificate valid at that time;
//! 7. no certificate of the chain was revoked, as far as the revocation lists and the responders' answers that came
//!    along say.
//!
//! What it shows is that the digest existed then, on the word of the authority. Nothing about content.
//!
//! Source: RFC 3161; RFC 5816; RFC 5652, sections 5 and 11; RFC 5035; RFC 5280.

mod token;

use crate::der::{self, Der, Oid, only_sequence, tag};
use crate::x509::{
    Algorithms, Answer, Certificate, Chain, Hash, Pool, Revocation, RevocationQuestion, chain, questions,
    standing,
};
use alloc::borrow::Cow;
use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;
use token::Token;
use zeugma_types::{BlockTime, Code, Refusal};

/// Longest token or response, in bytes: one with its chain has 2,000 to 8,000.
pub const MAX_TOKEN: usize = 64 * 1024;
/// Most X.509 certificates that are believed: as many as a policy has authorities.
const MAX_ANCHORS: usize = 64;

/// What a time-stamp is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imprint {
    hash: Hash,
    digest: Vec<u8>,
}

impl Imprint {
    /// # Errors
    /// [`Code::OutOfRange`] unless the digest has the length of the hash.
    pub fn new(hash: Hash, digest: &[u8]) -> Result<Self, Refusal> {
        if digest.len() != hash.length() {
            return Err(Refusal::new(Code::OutOfRange).needed(hash.length()).found(digest.len()));
        }
        Ok(Self { hash, digest: digest.to_vec() })
    }

    /// The imprint of a message.
    #[must_use]
    pub fn of(hash: Hash, message: &[u8]) -> Self {
        Self { hash, digest: hash.digest(message) }
    }

    /// The hash.
    #[must_use]
    pub const fn hash(&self) -> Hash {
        self.hash
    }

    /// The digest.
    #[must_use]
    pub fn digest(&self) -> &[u8] {
        &self.digest
    }

    fn decode(der: &mut Der<'_>) -> Result<Self, Refusal> {
        let mut inside = der.sequence()?;
        let hash = Hash::decode(&mut inside)?;
        let digest = inside.expect(tag::OCTET_STRING)?.body;
        inside.finish()?;
        Self::new(hash, digest)
    }
}

/// What a token must say, where the verifier knows.
#[derive(Clone, Copy, Debug, Default)]
pub struct Expected<'a> {
    /// It is over this.
    pub imprint: Option<&'a Imprint>,
    /// It answers the request of this nonce: the number, big-endian, without leading zeros.
    pub nonce: Option<&'a [u8]>,
    /// It is under one of these policies, as dotted identifiers. Empty: under any.
    pub policies: &'a [String],
}

/// X.509 certificates and lists to judge a token with.
#[derive(Clone, Copy, Debug, Default)]
pub struct Material<'a> {
    /// X.509 certificates that are believed, in DER.
    pub anchors: &'a [&'a [u8]],
    /// X.509 certificates that may help to reach an anchor, in DER: a hint, never believed.
    pub offered: &'a [&'a [u8]],
    /// Revocation lists and answers of OCSP responders, in DER. Each must be of use.
    pub revocation: &'a [&'a [u8]],
}

/// How exact an authority says its time is, in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Accuracy(pub u64);

/// A time-stamp that holds. Only [`verify_token`] makes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamped {
    time: BlockTime,
    accuracy: Option<Accuracy>,
    imprint: Imprint,
    policy: String,
    serial: Vec<u8>,
    signer: String,
    anchor: usize,
    chain: usize,
    algorithms: Vec<Algorithms>,
    revocation: Revocation,
    claims_qualified: bool,
}

impl Stamped {
    /// When the authority says it saw the digest.
    #[must_use]
    pub const fn time(&self) -> BlockTime {
        self.time
    }

    /// How exact it says that is; `None` when it does not say.
    #[must_use]
    pub const fn accuracy(&self) -> Option<Accuracy> {
        self.accuracy
    }

    /// What it saw.
    #[must_use]
    pub const fn imprint(&self) -> &Imprint {
        &self.imprint
    }

    /// The policy it says it worked under, as a dotted identifier.
    #[must_use]
    pub fn policy(&self) -> &str {
        &self.policy
    }

    /// The number it gave to this time-stamp, big-endian.
    #[must_use]
    pub fn serial(&self) -> &[u8] {
        &self.serial
    }

    /// The name in the signer's X.509 certificate.
    #[must_use]
    pub fn signer(&self) -> &str {
        &self.signer
    }

    /// Which of the given anchors it leads to.
    #[must_use]
    pub const fn anchor(&self) -> usize {
        self.anchor
    }

    /// Length of the chain, the signer's X.509 certificate and the anchor among it.
    #[must_use]
    pub const fn chain(&self) -> usize {
        self.chain
    }

    /// Every algorithm it rests on, each once, in order.
    #[must_use]
    pub fn algorithms(&self) -> &[Algorithms] {
        &self.algorithms
    }

    /// What is known of revocation.
    #[must_use]
    pub const fn revocation(&self) -> &Revocation {
        &self.revocation
    }

    /// Whether the token states that it is a qualified electronic time-stamp of the European Union. The
    /// statement is the authority's; who is qualified, a trusted list says.
    #[must_use]
    pub const fn claims_qualified(&self) -> bool {
        self.claims_qualified
    }
}

/// The token inside a response, in DER.
///
/// # Errors
/// [`Code::NotGranted`] when the authority refused, and the refusals of DER.
pub fn token_of_response(response: &[u8]) -> Result<Vec<u8>, Refusal> {
    let response = normalized(response)?;
    let mut der = only_sequence(&response)?;
    let mut status = der.sequence()?;
    let number = status.small()?;
    // 0 granted, 1 granted with modifications.
    if number > 1 {
        return Err(Refusal::new(Code::NotGranted).needed(1_u64).found(number));
    }
    let token = der.expect(tag::SEQUENCE)?.raw.to_vec();
    der.finish()?;
    Ok(token)
}

/// What a request asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// What it is over.
    pub imprint: Imprint,
    /// The policy it asks for.
    pub policy: Option<String>,
    /// Its nonce, big-endian, without leading zeros.
    pub nonce: Option<Vec<u8>>,
    /// Whether the authority shall send its X.509 certificate along.
    pub certificate: bool,
}

impl Request {
    /// Reads a `TimeStampReq`.
    ///
    /// # Errors
    /// The refusals of DER, [`Code::BadToken`] for another version, the codes of a hash.
    pub fn parse(bytes: &[u8]) -> Result<Self, Refusal> {
        let bytes = normalized(bytes)?;
        let mut der = only_sequence(&bytes)?;
        if der.small()? != 1 {
            return Err(Refusal::new(Code::BadToken).found("another version of the request"));
        }
        let imprint = Imprint::decode(&mut der)?;
        let policy = if der.next_is(tag::OID) { Some(der.oid()?.dotted()) } else { None };
        let nonce = if der.next_is(tag::INTEGER) { Some(der.unsigned()?.to_vec()) } else { None };
        let certificate = der.flag()?;
        der.optional(tag::context(0))?;
        der.finish()?;
        Ok(Self { imprint, policy, nonce, certificate })
    }

    /// The `TimeStampReq` to send.
    ///
    /// # Errors
    /// [`Code::UnknownTag`] for a request with a policy: none is asked for here.
    pub fn to_der(&self) -> Result<Vec<u8>, Refusal> {
        if self.policy.is_some() {
            return Err(Refusal::new(Code::UnknownTag).found("a policy"));
        }
        let mut imprint = Vec::new();
        der::put(&mut imprint, tag::SEQUENCE, self.imprint.hash.identifier());
        der::put(&mut imprint, tag::OCTET_STRING, &self.imprint.digest);
        let mut body = Vec::from([tag::INTEGER, 1, 1]);
        der::put(&mut body, tag::SEQUENCE, &imprint);
        if let Some(nonce) = &self.nonce {
            let digits = nonce.iter().copied().skip_while(|digit| *digit == 0);
            let mut number: Vec<u8> = digits.collect();
            if number.first().is_none_or(|first| *first >= 0x80) {
                number.insert(0, 0);
            }
            der::put(&mut body, tag::INTEGER, &number);
        }
        if self.certificate {
            body.extend_from_slice(&[tag::BOOLEAN, 1, 0xff]);
        }
        let mut request = Vec::new();
        der::put(&mut request, tag::SEQUENCE, &body);
        Ok(request)
    }
}

/// Whether a token is in the one form in which bundles keep it: DER throughout.
///
/// # Errors
/// [`Code::NotCanonical`], and the refusals of BER.
pub(crate) fn check_canonical(token: &[u8]) -> Result<(), Refusal> {
    match normalized(token)? {
        Cow::Borrowed(_) => Ok(()),
        Cow::Owned(_) => Err(Refusal::new(Code::NotCanonical).needed("DER").found("BER")),
    }
}

fn normalized(bytes: &[u8]) -> Result<Cow<'_, [u8]>, Refusal> {
    if bytes.len() > MAX_TOKEN {
        return Err(Refusal::new(Code::TooLong).needed(MAX_TOKEN).found(bytes.len()));
    }
    der::definite(bytes)
}

/// Verifies a `TimeStampToken`, at its own time. BER that CMS allows is read; what is inside must be DER.
///
/// # Errors
/// The first rule that broke, in the order of the list at the head of this module: the refusals of DER,
/// [`Code::BadToken`], [`Code::RefusedAlgorithm`], [`Code::WrongImprint`], [`Code::WrongNonce`],
/// [`Code::WrongPolicy`], [`Code::WrongCertificate`], [`Code::InjectedCertificate`],
/// [`Code::NotForStamping`], [`Code::BadSignature`], [`Code::NotValidThen`], [`Code::NotAnIssuer`],
/// [`Code::UntrustedChain`], [`Code::CertificateRevoked`], [`Code::BadRevocation`], [`Code::ResponderDeclined`],
/// [`Code::NotAResponder`].
pub fn verify_token(
    token: &[u8],
    expected: &Expected<'_>,
    material: &Material<'_>,
) -> Result<Stamped, Refusal> {
    let token = normalized(token)?;
    let token = Token::parse(&token)?;
    check_expected(&token, expected)?;
    let found = chained(&token, material)?;
    let signer = found.path.first().expect("a path begins with the signer");
    let answers = material.revocation.iter().map(|bytes| Answer::parse(bytes));
    let mut answers = answers.collect::<Result<Vec<_>, _>>()?;
    answers.extend(token.lists.iter().cloned().map(Answer::List));
    let (revocation, by) = standing(&found.path, &answers, token.info.time)?;
    let mut algorithms = BTreeSet::from_iter(found.algorithms);
    algorithms.extend(by);
    Ok(Stamped {
        time: token.info.time,
        accuracy: token.info.accuracy,
        policy: token.info.policy.dotted(),
        serial: token.info.serial.to_vec(),
        signer: signer.subject_text(),
        anchor: found.anchor,
        chain: found.path.len(),
        algorithms: algorithms.into_iter().collect(),
        revocation,
        claims_qualified: token.info.claims_qualified,
        imprint: token.info.imprint,
    })
}

/// What to ask about the chain of a token, whom, and in which words: for whoever gathers revocation data.
///
/// # Errors
/// As [`verify_token`], but for what is expected of the token and for revocation.
pub fn revocation_questions(
    token: &[u8],
    material: &Material<'_>,
) -> Result<Vec<RevocationQuestion>, Refusal> {
    let token = normalized(token)?;
    let token = Token::parse(&token)?;
    questions(&chained(&token, material)?.path)
}

/// The chain from the signer of a token to an anchor, with what signed the token first among its algorithms.
fn chained<'a>(token: &Token<'a>, material: &Material<'a>) -> Result<Chain<'a>, Refusal> {
    let mut pool = Pool::default();
    for (place, list, most) in [
        (&mut pool.anchors, material.anchors, MAX_ANCHORS),
        (&mut pool.offered, material.offered, token::MAX_CERTIFICATES),
    ] {
        bound(list.len(), most)?;
        for bytes in list {
            place.push(Certificate::parse(bytes)?);
        }
    }
    let signer = find_signer(token, &pool)?;
    signer.check_stamps()?;
    token.check_name(&signer)?;
    let signed = token.check_signature(&signer.key()?)?;
    pool.offered.extend(token.certificates.iter().cloned());
    let mut found = chain(&signer, &pool, token.info.time)?;
    found.algorithms.insert(0, signed);
    Ok(found)
}

fn bound(count: usize, most: usize) -> Result<(), Refusal> {
    if count > most {
        return Err(Refusal::new(Code::TooMany).needed(most).found(count));
    }
    Ok(())
}

fn check_expected(token: &Token<'_>, expected: &Expected<'_>) -> Result<(), Refusal> {
    let info = &token.info;
    if let Some(imprint) = expected.imprint.filter(|imprint| **imprint != info.imprint) {
        let words = (imprint.hash.name(), info.imprint.hash.name());
        let (needed, found) = if words.0 == words.1 { ("this digest", "another") } else { words };
        return Err(Refusal::new(Code::WrongImprint).needed(needed).found(found));
    }
    if let Some(nonce) = expected.nonce
        && info.nonce != Some(nonce)
    {
        let found = if info.nonce.is_some() { "another nonce" } else { "no nonce" };
        return Err(Refusal::new(Code::WrongNonce).found(found));
    }
    let policy = info.policy.dotted();
    if !expected.policies.is_empty() && !expected.policies.contains(&policy) {
        return Err(Refusal::new(Code::WrongPolicy).needed(expected.policies[0].clone()).found(policy));
    }
    Ok(())
}

/// The one certificate that the signed attributes bind; no other in the token may pass for it.
fn find_signer<'a>(token: &Token<'a>, pool: &Pool<'a>) -> Result<Certificate<'a>, Refusal> {
    let everywhere = token.certificates.iter().chain(&pool.offered).chain(&pool.anchors);
    let mut named = everywhere.filter(|one| token.names_signer(one)).peekable();
    if named.peek().is_none() {
        return Err(Refusal::new(Code::WrongCertificate).found("no certificate of the signer"));
    }
    let signer = named.find(|one| token.binds(one)).cloned();
    let Some(signer) = signer else {
        return Err(Refusal::new(Code::WrongCertificate).found("another certificate than the one bound"));
    };
    let passes = |one: &&Certificate<'_>| {
        one.raw != signer.raw && (one.could_stamp() || one.subject == signer.subject)
    };
    if let Some(other) = token.certificates.iter().find(passes) {
        return Err(Refusal::new(Code::InjectedCertificate).found(other.subject_text()));
    }
    Ok(signer)
}

/// One time-stamp that holds, and the institution behind its anchor.
#[derive(Clone, Copy, Debug)]
pub struct Counted<'a> {
    /// The institution, as the policy names it.
    pub institution: &'a str,
    /// Its time-stamp.
    pub stamped: &'a Stamped,
}

/// Checks that at least `needed` institutions stand for the time, each counted once whatever it sent; gives
/// the earliest time that so many of them confirm: all of them saw the digest by then.
///
/// # Errors
/// [`Code::TooFewAuthorities`]; [`Code::WrongImprint`] when they are not over one digest of each hash.
pub fn quorum(stamps: &[Counted<'_>], needed: usize) -> Result<BlockTime, Refusal> {
    let mut imprints: Vec<&Imprint> = Vec::new();
    let mut earliest: Vec<(&str, BlockTime)> = Vec::new();
    for one in stamps {
        let imprint = one.stamped.imprint();
        match imprints.iter().find(|other| other.hash == imprint.hash) {
            Some(other) if *other != imprint => {
                return Err(Refusal::new(Code::WrongImprint).needed("one digest").found("two"));
            }
            Some(_) => {}
            None => imprints.push(imprint),
        }
        match earliest.iter_mut().find(|(institution, _)| *institution == one.institution) {
            Some((_, time)) => *time = (*time).min(one.stamped.time()),
            None => earliest.push((one.institution, one.stamped.time())),
        }
    }
    earliest.sort_by_key(|(_, time)| *time);
    match needed.checked_sub(1).and_then(|last| earliest.get(last)) {
        Some((_, time)) => Ok(*time),
        None => Err(Refusal::new(Code::TooFewAuthorities).needed(needed).found(earliest.len())),
    }
}

/// `id-etsi-tsts-EuQCompliance` of ETSI EN 319 422, as a statement inside a token.
const QUALIFIED: Oid<'_> = Oid::known(&[4, 0, 0x81, 0x97, 0x5e, 1, 1]);
