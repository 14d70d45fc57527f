package verify

import "fmt"

// rulePack is the registry's number for rule packs.
const rulePack = 2

// given is a verdict that was read.
type given struct {
	pack, version string
	digest        Hash
	at            uint64
}

// packShown is from when to when a pack was in force.
type packShown struct {
	name         string
	digest       Hash
	since, until uint64
	by           string
	names        []string
}

// isRead says that anchors of this kind are read, and not only carried.
func (j *judgement) isRead(kind AnchorKind) bool {
	return kind == anchorInForce || kind == anchorCOSE && j.policy.Later != nil
}

// anchors judges the other anchors that can be read (section 13).
func (j *judgement) anchors() Code {
	var shown []*packShown
	for i := range j.bundle.Anchors {
		one := &j.bundle.Anchors[i]
		switch {
		case !j.isRead(one.Kind):
		case one.Kind == anchorCOSE:
			if code := j.receiptElsewhere(one.Bytes); code != 0 {
				return code
			}
		default:
			pack, code := j.inForce(one.Bytes)
			if code != 0 {
				return code
			}
			if pack != nil {
				shown = append(shown, pack)
			}
		}
	}
	j.packs(shown)
	return 0
}

// ruleOf is the code of an error of this package.
func ruleOf(err error) Code {
	if r, ok := err.(*Refusal); ok && r != nil {
		return r.Code
	}
	return 0
}

// receiptElsewhere judges a receipt of a transparency service: of the checkpoint,
// or of the entry.
func (j *judgement) receiptElsewhere(data []byte) Code {
	r, err := ParseCOSEReceipt(data)
	if err != nil {
		return ruleOf(err)
	}
	var why Code
	by, what, held := "", "", false
	for i := range j.policy.Later.Services {
		service := &j.policy.Later.Services[i]
		// An issuer that is asked for must be stated, also an empty one.
		if service.Issuer != nil && (!r.hasIssuer || *service.Issuer != r.Issuer) {
			continue
		}
		for _, over := range []struct {
			name  string
			bytes []byte
		}{{"checkpoint", j.message}, {"entry", j.bundle.Entry.encoded}} {
			_, err := r.VerifyInclusion(over.bytes, service.Key)
			switch {
			case err != nil && why == 0:
				why = ruleOf(err)
			case err == nil && !held:
				by, what, held = service.Institution, over.name, true
			}
		}
	}
	if !held {
		if why == 0 {
			j.miss(Line{Word: wordUnknownTransparencyService, Detail: r.Issuer})
		}
		return why
	}
	names := map[int64][]string{-7: {"ecdsa-p256"}, -35: {"ecdsa-p384", "sha384"}, -8: {"ed25519"}}[r.Algorithm]
	detail := fmt.Sprintf("%s, %d/%d, %s", what, r.Second, r.First, names[0])
	j.claims = append(j.claims, claim{
		line:        Line{Word: wordHeldElsewhere, By: by, Detail: detail},
		institution: by, stands: true, names: append(names, "sha256"),
	})
	return 0
}

// neighbour is an entry of the list behind a standing, with its proof.
type neighbour struct {
	path            Path
	leaf            Hash
	index, position uint64
	proof           []Hash
	encoded         []byte
}

func (r *reader) neighbour() (n neighbour) {
	start := r.pos
	n.path = r.path()
	n.leaf, n.index = r.hash(), r.u64()
	n.encoded = r.since(start)
	n.position = r.u64()
	n.proof = r.hashes(64)
	return n
}

// inForce judges the proofs that a pack was in force; nil when the trust file
// does not reach so far.
func (j *judgement) inForce(data []byte) (*packShown, Code) {
	r := newReader(data)
	first, second := r.bytes(maxProofLength), r.bytes(maxProofLength)
	place := r.neighbour()
	r.end()
	if !r.ok() {
		return nil, r.code
	}
	registered, code := j.believed(first)
	if registered == nil {
		return nil, code
	}
	standing, code := j.believed(second)
	if standing == nil {
		return nil, code
	}
	if registered.Body == nil {
		return nil, CodeOpeningMissing
	}
	said, ok := registered.Body.(*Registered)
	if !ok || said.Kind != rulePack {
		return nil, CodeWrongPath
	}
	if standing.Body == nil {
		return nil, CodeOpeningMissing
	}
	list, ok := standing.Body.(*Standing)
	if !ok {
		return nil, CodeWrongPath
	}
	entry := SHA256.leafHash(place.encoded)
	if checkInclusion(SHA256, entry, place.position, list.Count, place.proof, list.Root) != 0 {
		return nil, CodeNotStanding
	}
	leaf := &registered.Leaf
	switch {
	case !place.path.Equal(leaf.Path):
		return nil, CodeWrongPath
	case place.leaf != SHA256.leafHash(leaf.Encoded()), said.Digest == nil, said.From > leaf.Height:
		return nil, CodeNotStanding
	}
	names := append(append(provenNames(registered), provenNames(standing)...), "sha256")
	return &packShown{
		name: said.Name, digest: *said.Digest, since: leaf.Time, until: standing.Leaf.Time,
		by: networkName(leaf), names: names,
	}, 0
}

// believed verifies a proof of the network; nil without a code, and a line, when
// the trust file does not reach so far.
func (j *judgement) believed(proof []byte) (*Proven, Code) {
	proven, code := j.trust.verify(proof, j.at, Court, Expected{})
	switch {
	case code == 0:
		return proven, 0
	case code.Never() && code != CodeUnknownEra:
		return nil, code
	}
	j.miss(Line{Word: wordProofNotAccepted, Detail: anchorInForce.String(), Code: code})
	return nil, 0
}

// packs says of each verdict whether its pack was in force when it was given.
func (j *judgement) packs(shown []*packShown) {
	for i := range j.given {
		g := &j.given[i]
		pack := g.pack + " " + g.version
		found := false
		for _, one := range shown {
			if found = one.name == g.pack && one.digest == g.digest && one.since <= g.at && g.at <= one.until; found {
				j.claims = append(j.claims, claim{
					line:  Line{Word: wordPackInForce, By: one.by, At: &one.until, Detail: pack},
					names: one.names,
				})
				break
			}
		}
		if !found && j.policy.Later != nil {
			j.miss(Line{Word: wordPackForceNotShown, Detail: pack, At: &g.at})
		}
	}
}
