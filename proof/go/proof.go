package verify

const (
	proofMagic     = "ZGPROOF1"
	maxProofLength = 1 << 20
	maxOpening     = 524288
)

// Proof is a decoded proof file (section 7).
type Proof struct {
	Header      Header
	Endorsement Endorsement
	Leaf        Leaf
	Suite       HashSuite
	Index       uint64
	Path        []Hash
	// Opening is the body of the leaf, not yet read; nil where there is none.
	Opening *[]byte
	// Consistency is the path into the pin; nil where there is none.
	Consistency *[]Hash
}

// ParseProof decodes a proof file without verifying it (section 8, steps 1
// and 2).
func ParseProof(data []byte) (*Proof, error) {
	p, code := parseProof(data)
	if code != 0 {
		return nil, refused("proof", code)
	}
	return p, nil
}

func parseProof(data []byte) (*Proof, Code) {
	if len(data) > maxProofLength {
		return nil, CodeTooLong
	}
	r := newReader(data)
	p := r.proof()
	r.end()
	return p, r.code
}

func (r *reader) proof() *Proof {
	p := new(Proof)
	r.magic(proofMagic)
	p.Header = r.header()
	p.Endorsement = r.endorsement()
	p.Leaf = r.leaf()
	p.Suite = r.hashSuite()
	p.Index = r.u64()
	p.Path = r.hashes(64)
	if r.some() {
		opening := r.bytes(maxOpening)
		p.Opening = &opening
	}
	if r.some() {
		path := r.hashes(128)
		p.Consistency = &path
	}
	return p
}
