// Package verify checks proof files of Zeugma against trust files, and
// evidence bundles against trust files and policies.
//
// It is written from the page "Byte layout" of the documentation alone; the
// sections that comments name are those of that page.
package verify

// Reliance says who relies on a proof (section 8).
type Reliance int

// Who relies.
const (
	// Court accepts retired eras, with a proof into their pin.
	Court Reliance = iota
	// Destination accepts the present era only.
	Destination
)

// ParseReliance reads "court" or "destination".
func ParseReliance(s string) (Reliance, bool) {
	switch s {
	case "court":
		return Court, true
	case "destination":
		return Destination, true
	}
	return 0, false
}

// Expected is what the leaf must have; nil asks for nothing (section 8).
type Expected struct {
	Path  *Path
	Value *Hash
}

// Proven is an accepted proof: the network said this, at the leaf's height
// and time. It does not say that it still holds.
type Proven struct {
	Leaf Leaf
	// Body is the decoded opening, nil where the proof carries none.
	Body        Body
	Header      Header
	Endorsement Endorsement
	// Era is that of the header, State how its key stands.
	Era   *Era
	State EraState
	// Trust is the trust file relied on.
	Trust *Trust

	// suite is that of the inclusion proof.
	suite HashSuite
}

// Verify checks a proof against the bytes of a trust file at a time in
// milliseconds. Its error is a *Refusal.
func Verify(proof []byte, trust []byte, at uint64, reliance Reliance, expected Expected) (*Proven, error) {
	t, err := ParseTrust(trust)
	if err != nil {
		return nil, err
	}
	return t.Verify(proof, at, reliance, expected)
}

// Verify checks a proof in the order of section 8: the first rule that breaks
// is the answer. Its error is a *Refusal.
func (t *Trust) Verify(proof []byte, at uint64, reliance Reliance, expected Expected) (*Proven, error) {
	proven, code := t.verify(proof, at, reliance, expected)
	if code != 0 {
		return nil, refused("proof", code)
	}
	return proven, nil
}

func (t *Trust) verify(data []byte, at uint64, reliance Reliance, expected Expected) (*Proven, Code) {
	// Steps 1 and 2: length and decoding.
	p, code := parseProof(data)
	if code != 0 {
		return nil, code
	}
	// Step 3: network.
	if p.Header.Network != t.Network || p.Leaf.Network != t.Network {
		return nil, CodeWrongNetwork
	}
	// Step 4: era.
	era, state, ok := t.era(p.Header.Era, at)
	switch {
	case !ok:
		return nil, CodeUnknownEra
	case state == Expired:
		return nil, CodeTrustExpired
	case state == Retired && reliance == Destination:
		return nil, CodeRetiredEra
	}
	// Step 5: inclusion.
	if code := p.checkLeaf(); code != 0 {
		return nil, code
	}
	if code := p.checkPin(era, state); code != 0 {
		return nil, code
	}
	// Step 6: signature.
	if code := p.checkEndorsement(&era.Committee); code != 0 {
		return nil, code
	}
	// Step 7: path and value.
	if expected.Path != nil && !p.Leaf.Path.Equal(*expected.Path) {
		return nil, CodeWrongPath
	}
	if expected.Value != nil && p.Leaf.Value != *expected.Value {
		return nil, CodeWrongValue
	}
	var body Body
	if p.Opening != nil {
		if body, code = openBody(&p.Leaf, *p.Opening); code != 0 {
			return nil, code
		}
	}
	return &Proven{
		Leaf: p.Leaf, Body: body, Header: p.Header, Endorsement: p.Endorsement,
		Era: era, State: state, Trust: t, suite: p.Suite,
	}, 0
}

// checkLeaf is the first half of step 5: the leaf is not ahead of the header
// and is included in its outbox.
func (p *Proof) checkLeaf() Code {
	if p.Leaf.Height > p.Header.Height || p.Leaf.Time > p.Header.Time {
		return CodeLeafAhead
	}
	root, ok := p.Header.Outbox.root(p.Suite)
	if !ok {
		return CodeNoSuchRoot
	}
	leaf := p.Suite.leafHash(p.Leaf.encoded)
	return checkInclusion(p.Suite, leaf, p.Index, p.Header.Outbox.Size, p.Path, root)
}

// checkPin is the second half of step 5: the outbox of a retired era is the
// beginning of the pinned one.
func (p *Proof) checkPin(era *Era, state EraState) Code {
	if state != Retired {
		if p.Consistency != nil {
			return CodeConsistencyUnneeded
		}
		return 0
	}
	// Decoding made sure that a retired era is pinned.
	if p.Consistency == nil || era.Pin == nil {
		return CodeConsistencyMissing
	}
	if p.Header.Outbox.Size > era.Pin.Size {
		return CodeBeyondPin
	}
	pinned, ok := era.Pin.root(p.Suite)
	if !ok {
		return CodeNoSuchRoot
	}
	// checkLeaf made sure that the header has a root of the suite.
	root, _ := p.Header.Outbox.root(p.Suite)
	return checkConsistency(p.Suite, p.Header.Outbox.Size, era.Pin.Size, *p.Consistency, root, pinned)
}

// checkEndorsement is step 6.
func (p *Proof) checkEndorsement(committee *Committee) Code {
	if c := p.Endorsement.Certificate; c != nil {
		return c.check(&p.Header, committee)
	}
	return p.Endorsement.Seal.check(&p.Header, committee)
}
