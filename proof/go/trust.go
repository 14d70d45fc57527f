package verify

import (
	"math"
	"math/bits"
)

const (
	trustMagic     = "ZGTRUST1"
	maxTrustLength = 16 << 20
)

// Era is a committee's time in office (section 6).
type Era struct {
	Number    uint64
	Committee Committee
	// Pin is the outbox at the hand-over that ended the era; the last era has
	// none.
	Pin *Outbox
}

// Sunset is the time from which an algorithm is not relied on.
type Sunset struct {
	Algorithm string
	At        uint64
}

// Institution signs trust files.
type Institution struct {
	Name string
	Key  Hash
}

// InstitutionSignature is one institution's signature under a trust file.
type InstitutionSignature struct {
	Institution uint16
	Signature   []byte
}

// Trust is a decoded trust file (section 6). It is not changed by verifying
// and may be used by several goroutines.
type Trust struct {
	Network Hash
	// IssuedAt and TrustingPeriod are in milliseconds.
	IssuedAt, TrustingPeriod uint64
	Eras                     []Era
	Sunsets                  []Sunset
	Threshold                uint16
	Institutions             []Institution
	Signatures               []InstitutionSignature
	// Fingerprint is what the institutions sign.
	Fingerprint Hash
}

// ParseTrust decodes a trust file with all rules of section 6. It does not
// check the signatures of the institutions: whoever takes a new file does.
func ParseTrust(data []byte) (*Trust, error) {
	if len(data) > maxTrustLength {
		return nil, refused("trust file", CodeTooLong)
	}
	r := newReader(data)
	t := r.trust()
	r.end()
	if !r.ok() {
		return nil, refused("trust file", r.code)
	}
	return t, nil
}

func (r *reader) magic(want string) {
	got := r.take(len(want))
	r.require(string(got) == want, CodeBadMagic)
}

func (r *reader) trust() *Trust {
	t := new(Trust)
	r.magic(trustMagic)
	t.Network = r.hash()
	t.IssuedAt = r.u64()
	t.TrustingPeriod = r.u64()
	t.Eras = r.eras()
	t.Sunsets = r.sunsets()
	t.Threshold, t.Institutions = r.institutions()
	t.Fingerprint = SHA256.framed(purposeTrustFile, r.since(0))
	t.Signatures = r.signatures()
	r.checkEras(t.Eras)
	r.require(ascends(t.Sunsets, func(s *Sunset) string { return s.Algorithm }), CodeNotSorted)
	return t
}

// eras reads the eras; what they must be together is for checkEras.
func (r *reader) eras() (list []Era) {
	n := r.count(4096)
	for i := 0; i < n && r.ok(); i++ {
		e := Era{Number: r.u64()}
		e.Committee = r.committee()
		if r.some() {
			pin := r.outbox()
			e.Pin = &pin
		}
		list = append(list, e)
	}
	return list
}

// checkEras holds the eras together when the whole file has been read: one or
// more, all but the last pinned, each the next of the one before.
func (r *reader) checkEras(list []Era) {
	r.require(len(list) != 0, CodeEmptySet)
	for i := range list {
		r.require((list[i].Pin == nil) == (i == len(list)-1), CodeConsistencyMissing)
	}
	for i := 1; i < len(list); i++ {
		last := list[i-1].Number
		r.require(last != math.MaxUint64 && list[i].Number == last+1, CodeNotNextEra)
	}
}

// sunsets reads the sunsets; their order is checked when the whole file has
// been read.
func (r *reader) sunsets() (list []Sunset) {
	n := r.count(64)
	for i := 0; i < n && r.ok(); i++ {
		list = append(list, Sunset{Algorithm: r.text(32), At: r.u64()})
	}
	return list
}

// institutions reads institutions with distinct keys, one or more, with a
// threshold of 1 to their number.
func (r *reader) institutions() (threshold uint16, list []Institution) {
	threshold = r.u16()
	n := r.count(64)
	for i := 0; i < n && r.ok(); i++ {
		list = append(list, Institution{Name: r.text(64), Key: r.hash()})
	}
	seen := make(map[Hash]bool)
	for i := range list {
		r.require(!seen[list[i].Key], CodeRepeatedMember)
		seen[list[i].Key] = true
	}
	r.require(len(list) != 0, CodeEmptySet)
	r.require(threshold >= 1 && int(threshold) <= len(list), CodeOutOfRange)
	return threshold, list
}

// signatures reads Signatures: they ascend by institution, may name any, and
// may be none.
func (r *reader) signatures() (list []InstitutionSignature) {
	n := r.count(64)
	for i := 0; i < n && r.ok(); i++ {
		list = append(list, InstitutionSignature{Institution: r.u16(), Signature: r.fixed(64)})
	}
	r.require(ascends(list, func(one *InstitutionSignature) uint16 { return one.Institution }), CodeNotSorted)
	return list
}

// CheckSignatures checks that the file's own institutions signed it: at least
// the threshold, each once (section 6).
func (t *Trust) CheckSignatures() Code {
	if len(t.Signatures) == 0 {
		return CodeTrustFileUnsigned
	}
	for _, one := range t.Signatures {
		if int(one.Institution) >= len(t.Institutions) {
			return CodeUnknownSigner
		}
		key := t.Institutions[one.Institution].Key
		if code := verifyEd25519(key[:], t.Fingerprint[:], one.Signature); code != 0 {
			return code
		}
	}
	if len(t.Signatures) < int(t.Threshold) {
		return CodeQuorumNotReached
	}
	return 0
}

// EraState says how an era's key stands at a time (section 6).
type EraState int

// The states of an era.
const (
	// Present is the last era within the trusting period.
	Present EraState = iota
	// Expired is the last era after the trusting period.
	Expired
	// Retired is every era that handed over.
	Retired
)

// String names the state.
func (s EraState) String() string {
	return [...]string{"present", "expired", "retired"}[s]
}

// era finds an era by its number and says how it stands at a time.
func (t *Trust) era(number, at uint64) (*Era, EraState, bool) {
	for i := range t.Eras {
		if t.Eras[i].Number == number {
			return &t.Eras[i], t.state(i, at), true
		}
	}
	return nil, 0, false
}

func (t *Trust) state(index int, at uint64) EraState {
	if index != len(t.Eras)-1 {
		return Retired
	}
	// The sum is exact: with a carry it is above every time.
	end, carry := bits.Add64(t.IssuedAt, t.TrustingPeriod, 0)
	if carry != 0 || at < end {
		return Present
	}
	return Expired
}
