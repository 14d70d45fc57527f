package verify

import (
	"bytes"
	"math"
)

const (
	bundleMagic     = "ZGBUNDL1"
	maxBundleLength = 32 << 20
)

// Logged is one tree's proof that the entry is in it.
type Logged struct {
	Note string
	Path []Hash
}

// Receipt is a service's promise to log an entry (section 13).
type Receipt struct {
	Origin            string
	ReceivedAt, DueAt uint64
	First, Size       uint64
	Place             uint64
	Path              []Hash
	Signature         []byte
}

// RuleVerdict is what a rule pack found, as the service signed it.
type RuleVerdict struct {
	At        uint64
	Statement []byte
	Signature []byte
}

// AnchorKind is the kind of another anchor.
type AnchorKind uint16

// The kinds of anchors that are read.
const (
	anchorCOSE    AnchorKind = 5
	anchorInForce AnchorKind = 7
)

var anchorNames = [...]string{
	1: "opentimestamps", 2: "bitcoin", 3: "ethereum", 4: "evidence-record", 5: "cose-receipt", 6: "court-chain",
	7: "in-force",
}

// String names the kind.
func (k AnchorKind) String() string {
	if k == 0 || int(k) >= len(anchorNames) {
		return "unknown"
	}
	return anchorNames[k]
}

// OtherAnchor is an anchor of another kind: some are read, all are carried.
type OtherAnchor struct {
	Kind  AnchorKind
	Bytes []byte
}

// Digests are those of a bundle so far, in both hash suites.
type Digests struct{ SHA256, SM3 Hash }

// Renewal holds new time-stamps over all that the bundle held before.
type Renewal struct {
	Over   Digests
	Stamps []Stamp
}

// Bundle is a decoded evidence bundle (section 13).
type Bundle struct {
	Entry      Entry
	Disclosure []Shown
	Index      uint64
	First      Logged
	Second     *Logged
	Receipt    *Receipt
	Proof      []byte
	HasProof   bool
	Stamps     []Stamp
	Verdicts   []RuleVerdict
	Anchors    []OtherAnchor
	Renewals   []Renewal
	Seal       Digests

	// base is the encoding up to the renewals, renewed what each renewal adds.
	base    []byte
	renewed [][]byte
}

// ParseBundle decodes a bundle and checks its seal and its renewals, without
// judging what it says.
func ParseBundle(data []byte) (*Bundle, error) {
	b, code := parseBundle(data)
	if code == 0 {
		code = b.checkDigests()
	}
	if code != 0 {
		return nil, refused("bundle", code)
	}
	return b, nil
}

func parseBundle(data []byte) (*Bundle, Code) {
	if len(data) > maxBundleLength {
		return nil, CodeTooLong
	}
	r := newReader(data)
	b := r.bundle()
	r.end()
	return b, r.code
}

func (r *reader) bundle() *Bundle {
	b := new(Bundle)
	r.magic(bundleMagic)
	b.Entry = r.entry()
	b.Disclosure = r.disclosure()
	b.Index = r.u64()
	b.First = r.logged()
	if r.some() {
		second := r.logged()
		b.Second = &second
	}
	if r.some() {
		b.Receipt = r.receipt()
	}
	if b.HasProof = r.some(); b.HasProof {
		b.Proof = r.bytes(maxProofLength)
	}
	b.Stamps = r.stamps()
	b.Verdicts = r.verdicts()
	b.Anchors = r.anchors()
	b.base = r.since(0)
	n := r.count(64)
	for i := 0; i < n && r.ok(); i++ {
		start := r.pos
		one := Renewal{Over: r.digests(), Stamps: r.stamps()}
		r.require(len(one.Stamps) > 0, CodeEmptySet)
		b.Renewals = append(b.Renewals, one)
		b.renewed = append(b.renewed, r.since(start))
	}
	b.Seal = r.digests()
	return b
}

func (r *reader) logged() Logged { return Logged{Note: r.text(maxNote), Path: r.hashes(64)} }

func (r *reader) digests() Digests { return Digests{SHA256: r.hash(), SM3: r.hash()} }

func (r *reader) receipt() *Receipt {
	return &Receipt{
		Origin: r.text(255), ReceivedAt: r.u64(), DueAt: r.u64(), First: r.u64(), Size: r.u64(),
		Place: r.u64(), Path: r.hashes(64), Signature: r.fixed(64),
	}
}

func (r *reader) stamps() (list []Stamp) {
	n := r.count(16)
	for i := 0; i < n && r.ok(); i++ {
		s := Stamp{Token: r.bytes(maxToken)}
		if r.ok() {
			r.refuseIf(canonicalDER(s.Token))
		}
		s.Certificates = r.blobs(24, maxCertificate)
		s.Revocation = r.blobs(16, maxRevocationList)
		r.require(ascending(s.Certificates), CodeNotSorted)
		r.require(ascending(s.Revocation), CodeNotSorted)
		list = append(list, s)
	}
	return list
}

// refuseIf refuses with a code that is not 0.
func (r *reader) refuseIf(code Code) { r.require(code == 0, code) }

// blobs is list<bytes<longest>, most>.
func (r *reader) blobs(most, longest uint32) (list [][]byte) {
	n := r.count(most)
	for i := 0; i < n && r.ok(); i++ {
		list = append(list, r.bytes(longest))
	}
	return list
}

func ascending(list [][]byte) bool {
	for i := 1; i < len(list); i++ {
		if bytes.Compare(list[i-1], list[i]) >= 0 {
			return false
		}
	}
	return true
}

func (r *reader) verdicts() (list []RuleVerdict) {
	n := r.count(16)
	for i := 0; i < n && r.ok(); i++ {
		list = append(list, RuleVerdict{At: r.u64(), Statement: r.bytes(524288), Signature: r.fixed(64)})
	}
	return list
}

func (r *reader) anchors() (list []OtherAnchor) {
	n := r.count(32)
	for i := 0; i < n && r.ok(); i++ {
		one := OtherAnchor{Kind: AnchorKind(r.u16())}
		r.require(one.Kind >= 1 && int(one.Kind) < len(anchorNames), CodeUnknownTag)
		one.Bytes = r.bytes(1 << 20)
		list = append(list, one)
	}
	for i := 1; i < len(list); i++ {
		a, b := list[i-1], list[i]
		r.require(a.Kind < b.Kind || a.Kind == b.Kind && bytes.Compare(a.Bytes, b.Bytes) < 0, CodeNotSorted)
	}
	return list
}

// digests are those of the bundle with its first count renewals.
func (b *Bundle) digests(count int) Digests {
	all := bytes.Clone(b.base)
	for _, one := range b.renewed[:count] {
		all = append(all, one...)
	}
	return Digests{SHA256.framed(purposeBundle, all), SM3.framed(purposeBundle, all)}
}

// checkDigests: the seal and every renewal are over the bytes before them.
func (b *Bundle) checkDigests() Code {
	if b.Seal != b.digests(len(b.Renewals)) {
		return CodeWrongSeal
	}
	for i := range b.Renewals {
		if b.Renewals[i].Over != b.digests(i) {
			return CodeWrongRenewal
		}
	}
	return 0
}

// stamped is what the time-stamps of a renewal are over.
func (d *Digests) stamped() []byte {
	message := append([]byte{byte(len(purposeRenewal))}, purposeRenewal...)
	message = append(message, d.SHA256[:]...)
	return append(message, d.SM3[:]...)
}

// verify checks that key signed for the batch that holds the entry.
func (p *Receipt) verify(entry []byte, key Hash) Code {
	if p.DueAt < p.ReceivedAt {
		return CodeOutOfRange
	}
	root, code := impliedRoot(SHA256, SHA256.leafHash(entry), p.Place, p.Size, p.Path)
	if code != 0 {
		return code
	}
	signed := appendBytes(nil, []byte(p.Origin))
	for _, number := range []uint64{p.ReceivedAt, p.DueAt, p.First, p.Size} {
		signed = append(signed, be64(number)...)
	}
	digest := SHA256.framed(purposeReceipt, append(signed, root[:]...))
	return verifyEd25519(key[:], digest[:], p.Signature)
}

// promised says that the receipt promises this position.
func (p *Receipt) promised(index uint64) bool {
	return p.First <= math.MaxUint64-p.Place && p.First+p.Place == index
}

// finding is what a rule answered.
type finding struct {
	rule, reason  string
	head, outcome uint8
}

// statement is what a verdict says.
type statement struct {
	pack, version string
	digest        Hash
	findings      []finding
}

// verify checks that key signed the verdict of the entry, and reads it.
func (v *RuleVerdict) verify(entry []byte, key Hash) (*statement, Code) {
	signed := append(appendBytes(nil, entry), be64(v.At)...)
	digest := SHA256.framed(purposeRuleVerdict, appendBytes(signed, v.Statement))
	if code := verifyEd25519(key[:], digest[:], v.Signature); code != 0 {
		return nil, code
	}
	r := newReader(v.Statement)
	s := r.statement()
	r.end()
	return s, r.code
}

func (r *reader) statement() *statement {
	s := new(statement)
	r.require(r.u16() == 1, CodeUnknownTag)
	r.text(64)
	s.pack, s.version = r.text(64), r.text(64)
	s.digest = r.hash()
	r.hash()
	n := r.count(256)
	for i := 0; i < n && r.ok(); i++ {
		f := finding{rule: r.text(64)}
		f.head = r.oneOf(1, 3)
		f.outcome = r.oneOf(1, 3)
		f.reason = r.text(64)
		arguments := r.count(16)
		for j := 0; j < arguments && r.ok(); j++ {
			r.argument()
		}
		s.findings = append(s.findings, f)
	}
	return s
}

// oneOf reads a number of first to last.
func (r *reader) oneOf(first, last uint8) uint8 {
	n := r.u8()
	r.require(n >= first && n <= last, CodeUnknownTag)
	return n
}

// argument passes over a name and a flag, a number or text.
func (r *reader) argument() {
	r.text(64)
	switch r.oneOf(0, 2) {
	case 0:
		r.oneOf(0, 1)
	case 1:
		r.u64()
	case 2:
		r.text(8192)
	}
}
