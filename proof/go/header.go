package verify

// Root is the root of an outbox under one hash suite.
type Root struct {
	Suite HashSuite
	Hash  Hash
}

// Outbox is the tree of leaves, one root for each suite (section 5).
type Outbox struct {
	Size  uint64
	Roots []Root
}

// outbox reads an Outbox: the roots ascend by suite, then the first is SHA-256.
func (r *reader) outbox() (o Outbox) {
	o.Size = r.u64()
	n := r.count(4)
	for i := 0; i < n && r.ok(); i++ {
		o.Roots = append(o.Roots, Root{Suite: r.hashSuite(), Hash: r.hash()})
	}
	r.require(ascends(o.Roots, func(root *Root) HashSuite { return root.Suite }), CodeNotSorted)
	r.require(len(o.Roots) != 0 && o.Roots[0].Suite == SHA256, CodeNoSuchRoot)
	return o
}

// root is the outbox's root of a suite.
func (o *Outbox) root(s HashSuite) (Hash, bool) {
	for _, r := range o.Roots {
		if r.Suite == s {
			return r.Hash, true
		}
	}
	return Hash{}, false
}

// Header is what a certificate or a seal endorses (section 5).
type Header struct {
	Network            Hash
	Era, Epoch, Height uint64
	// Time is in milliseconds since 1970.
	Time                 uint64
	View, ParentView     uint64
	Leader, Parent, Body Hash
	StateRoot            Hash
	StateBegin, StateEnd uint64
	Outbox               Outbox

	encoded []byte
}

// header reads a Header.
func (r *reader) header() (h Header) {
	start := r.pos
	r.require(r.u16() == 1, CodeUnknownTag)
	h.Network = r.hash()
	h.Era = r.u64()
	h.Epoch = r.u64()
	h.Height = r.u64()
	h.Time = r.u64()
	h.View = r.u64()
	h.ParentView = r.u64()
	h.Leader = r.hash()
	h.Parent = r.hash()
	h.Body = r.hash()
	h.StateRoot = r.hash()
	h.StateBegin = r.u64()
	h.StateEnd = r.u64()
	h.Outbox = r.outbox()
	h.encoded = r.since(start)
	return h
}

// digest is the framed SHA-256 of the header's encoding. Every value has one
// encoding, so it is taken over the bytes as they were read.
func (h *Header) digest() Hash { return SHA256.framed(purposeHeader, h.encoded) }

// Encoded gives the header's encoding, which is a part of the proof's bytes and
// must not be changed.
func (h *Header) Encoded() []byte { return h.encoded }
