package verify

import "math"

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
	return t
}

// eras reads one or more eras, each the next of the one before, all but the
// last pinned.
func (r *reader) eras() (list []Era) {
	n := r.count(4096)
	r.require(n != 0, CodeEmptySet)
	for i := 0; i < n && r.ok(); i++ {
		e := Era{Number: r.u64()}
		if i > 0 {
			last := list[i-1].Number
			r.require(last != math.MaxUint64 && e.Number == last+1, CodeNotNextEra)
		}
		e.Committee = r.committee()
		if r.some() {
			pin := r.outbox()
			e.Pin = &pin
		}
		r.require((e.Pin == nil) == (i == n-1), CodeConsistencyMissing)
		list = append(list, e)
	}
	return list
}

func (r *reader) sunsets() (list []Sunset) {
	n := r.count(64)
	for i := 0; i < n && r.ok(); i++ {
		s := Sunset{Algorithm: r.text(32), At: r.u64()}
		if i > 0 {
			r.require(s.Algorithm > list[i-1].Algorithm, CodeNotSorted)
		}
		list = append(list, s)
	}
	return list
}

// institutions reads one or more institutions with distinct keys and a
// threshold of 1 to their number.
func (r *reader) institutions() (threshold uint16, list []Institution) {
	threshold = r.u16()
	n := r.count(64)
	r.require(n != 0, CodeEmptySet)
	seen := make(map[Hash]bool)
	for i := 0; i < n && r.ok(); i++ {
		one := Institution{Name: r.text(64), Key: r.hash()}
		r.require(!seen[one.Key], CodeRepeatedMember)
		seen[one.Key] = true
		list = append(list, one)
	}
	r.require(threshold >= 1 && int(threshold) <= len(list), CodeOutOfRange)
	return threshold, list
}

func (r *reader) signatures() (list []InstitutionSignature) {
	n := r.count(64)
	for i := 0; i < n && r.ok(); i++ {
		one := InstitutionSignature{Institution: r.u16(), Signature: r.fixed(64)}
		if i > 0 {
			r.require(one.Institution > list[i-1].Institution, CodeNotSorted)
		}
		list = append(list, one)
	}
	return list
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
	// issued at + trusting period, held at the largest time.
	end := t.IssuedAt + t.TrustingPeriod
	if end < t.IssuedAt {
		end = math.MaxUint64
	}
	if at < end {
		return Present
	}
	return Expired
}
