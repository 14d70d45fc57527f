package verify

import "bytes"

// Namespace is the number of a leaf's namespace (section 3).
type Namespace uint16

// The namespaces.
const (
	NamespaceIBC        Namespace = 1
	NamespaceHandover   Namespace = 2
	NamespaceStanding   Namespace = 3
	NamespaceClosed     Namespace = 4
	NamespaceRetraction Namespace = 5
	NamespaceAnchor     Namespace = 6
	NamespaceSplitView  Namespace = 7
	NamespaceClient     Namespace = 8
	NamespaceRegistry   Namespace = 9
)

var namespaceNames = [...]string{
	NamespaceIBC:        "ibc",
	NamespaceHandover:   "handover",
	NamespaceStanding:   "standing",
	NamespaceClosed:     "closed",
	NamespaceRetraction: "retraction",
	NamespaceAnchor:     "anchor",
	NamespaceSplitView:  "split-view",
	NamespaceClient:     "client",
	NamespaceRegistry:   "registry",
}

func (n Namespace) known() bool { return n >= NamespaceIBC && n <= NamespaceRegistry }

// String names the namespace.
func (n Namespace) String() string {
	if !n.known() {
		return "unknown"
	}
	return namespaceNames[n]
}

// maxPath is the longest path of a leaf.
const maxPath = 128

// Path says what a leaf speaks of: a namespace and the bytes in it.
type Path struct {
	Namespace Namespace
	Bytes     []byte
}

// Equal says that the namespace and the bytes are the same.
func (p Path) Equal(other Path) bool {
	return p.Namespace == other.Namespace && bytes.Equal(p.Bytes, other.Bytes)
}

// path reads namespace u16 · path bytes<128> (section 3).
func (r *reader) path() Path {
	n := Namespace(r.u16())
	r.require(n.known(), CodeUnknownTag)
	b := r.bytes(maxPath)
	r.require(len(b) != 0, CodeEmpty)
	return Path{n, b}
}

// ParsePath reads namespace u16 · path bytes<128> and nothing after it, the
// form of an expected path (section 9).
func ParsePath(data []byte) (Path, error) {
	r := newReader(data)
	p := r.path()
	r.end()
	return p, refused("expectation", r.code)
}

// Leaf is a statement of the network (section 3).
type Leaf struct {
	// Format is the hash suite of the value's commitment.
	Format  HashSuite
	Network Hash
	Height  uint64
	// Time is in milliseconds since 1970.
	Time  uint64
	Path  Path
	Value Hash

	encoded []byte
}

// leaf reads a Leaf (section 3).
func (r *reader) leaf() (l Leaf) {
	start := r.pos
	format := r.u16()
	r.require(format == uint16(SHA256) || format == uint16(SM3), CodeUnknownTag)
	l.Format = HashSuite(format)
	l.Network = r.hash()
	l.Height = r.u64()
	l.Time = r.u64()
	l.Path = r.path()
	l.Value = r.hash()
	l.encoded = r.since(start)
	return l
}

// Encoded gives the leaf's encoding, which is a part of the proof's bytes and
// must not be changed.
func (l *Leaf) Encoded() []byte { return l.encoded }
