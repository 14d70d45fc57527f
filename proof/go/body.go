package verify

import (
	"crypto/sha256"
	"encoding/binary"
	"unicode/utf8"
)

// Body is the opening of a leaf's value (section 3).
type Body interface {
	// namespace is the one that the body belongs to.
	namespace() Namespace
	// path is what follows from the body's own fields.
	path() []byte
}

// Handover passes the network to the committee of the next era.
type Handover struct {
	Era       uint64
	Committee Committee
	Height    uint64
	Outbox    Outbox
}

// Standing lists, behind a root, what is in force when an epoch ends.
type Standing struct {
	Epoch, Height, Count uint64
	Root                 Hash
}

// Closed says that a packet was not received and will not be.
type Closed struct {
	Client     string
	Sequence   uint64
	Commitment Hash
	// Timeout is in seconds.
	Timeout uint64
}

// Retraction takes a leaf back.
type Retraction struct {
	Index  uint64
	Leaf   Hash
	Client string
	Height uint64
}

// Anchor records a checkpoint of a log.
type Anchor struct {
	Origin string
	Log    Outbox
}

// View is a tree as somebody showed it.
type View struct {
	Size uint64
	Root Hash
}

// SplitView shows that a log gave two views.
type SplitView struct {
	Origin     string
	Suite      HashSuite
	One, Other View
}

// ClientStatus says whether a client is active.
type ClientStatus uint8

// The statuses of a client.
const (
	ClientActive ClientStatus = 1
	ClientFrozen ClientStatus = 2
)

// ClientEvent says that a client became active or frozen.
type ClientEvent struct {
	Client     string
	Status     ClientStatus
	Height, At uint64
}

// Registered says what a name of the registry stands for.
type Registered struct {
	Kind   uint8
	Name   string
	Digest *Hash
	From   uint64
}

func (*Handover) namespace() Namespace    { return NamespaceHandover }
func (*Standing) namespace() Namespace    { return NamespaceStanding }
func (*Closed) namespace() Namespace      { return NamespaceClosed }
func (*Retraction) namespace() Namespace  { return NamespaceRetraction }
func (*Anchor) namespace() Namespace      { return NamespaceAnchor }
func (*SplitView) namespace() Namespace   { return NamespaceSplitView }
func (*ClientEvent) namespace() Namespace { return NamespaceClient }
func (*Registered) namespace() Namespace  { return NamespaceRegistry }

func be64(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }

// receiptMark is the byte of a receipt in an ICS-24 v2 path.
const receiptMark = 2

func (b *Handover) path() []byte { return be64(b.Era) }
func (b *Standing) path() []byte { return be64(b.Epoch) }
func (b *Closed) path() []byte {
	return append(append([]byte(b.Client), receiptMark), be64(b.Sequence)...)
}
func (b *Retraction) path() []byte { return be64(b.Index) }
func (b *Anchor) path() []byte {
	origin := sha256.Sum256([]byte(b.Origin))
	return append(origin[:], be64(b.Log.Size)...)
}
func (b *SplitView) path() []byte {
	origin := sha256.Sum256([]byte(b.Origin))
	return origin[:]
}
func (b *ClientEvent) path() []byte { return []byte(b.Client) }
func (b *Registered) path() []byte  { return append([]byte{b.Kind}, b.Name...) }

var bodyPurposes = map[Namespace]purpose{
	NamespaceHandover:   purposeHandover,
	NamespaceStanding:   purposeStanding,
	NamespaceClosed:     purposeClosed,
	NamespaceRetraction: purposeRetraction,
	NamespaceAnchor:     purposeAnchor,
	NamespaceSplitView:  purposeSplitView,
	NamespaceClient:     purposeClientEvent,
	NamespaceRegistry:   purposeRegistry,
}

// openBody decodes an opening as the body of the leaf's namespace and holds
// it against the leaf's path and value (section 8, step 7).
func openBody(leaf *Leaf, opening []byte) (Body, Code) {
	n := leaf.Path.Namespace
	if n == NamespaceIBC {
		return nil, CodeWrongOpening
	}
	r := newReader(opening)
	body := r.body(n)
	r.end()
	if !r.ok() {
		return nil, r.code
	}
	if !leaf.Path.Equal(Path{body.namespace(), body.path()}) {
		return nil, CodeWrongPath
	}
	if leaf.Format.framed(bodyPurposes[n], opening) != leaf.Value {
		return nil, CodeWrongOpening
	}
	return body, 0
}

// body reads the body of a namespace other than ibc.
func (r *reader) body(n Namespace) Body {
	switch n {
	case NamespaceHandover:
		return r.handover()
	case NamespaceStanding:
		return &Standing{Epoch: r.u64(), Height: r.u64(), Count: r.u64(), Root: r.hash()}
	case NamespaceClosed:
		return &Closed{Client: r.clientID(), Sequence: r.u64(), Commitment: r.hash(), Timeout: r.u64()}
	case NamespaceRetraction:
		return &Retraction{Index: r.u64(), Leaf: r.hash(), Client: r.clientID(), Height: r.u64()}
	case NamespaceAnchor:
		return &Anchor{Origin: r.origin(), Log: r.outbox()}
	case NamespaceSplitView:
		return r.splitView()
	case NamespaceClient:
		return r.clientEvent()
	case NamespaceRegistry:
		return r.registered()
	}
	r.refuse(CodeUnknownTag)
	return nil
}

func (r *reader) handover() *Handover {
	b := &Handover{Era: r.u64()}
	r.require(b.Era != 0, CodeOutOfRange)
	b.Committee = r.committee()
	b.Height = r.u64()
	b.Outbox = r.outbox()
	return b
}

func (r *reader) splitView() *SplitView {
	b := &SplitView{Origin: r.origin(), Suite: r.hashSuite(), One: r.view(), Other: r.view()}
	r.require(b.One != b.Other, CodeNoMisbehaviour)
	return b
}

func (r *reader) view() View { return View{Size: r.u64(), Root: r.hash()} }

func (r *reader) clientEvent() *ClientEvent {
	b := &ClientEvent{Client: r.clientID(), Status: ClientStatus(r.u8())}
	r.require(b.Status == ClientActive || b.Status == ClientFrozen, CodeUnknownTag)
	b.Height = r.u64()
	b.At = r.u64()
	return b
}

func (r *reader) registered() *Registered {
	b := &Registered{Kind: r.u8(), Name: r.text(64)}
	r.require(b.Name != "", CodeEmpty)
	if r.some() {
		digest := r.hash()
		b.Digest = &digest
	}
	b.From = r.u64()
	return b
}

// origin reads the name of a log: text<255>, not empty.
func (r *reader) origin() string {
	s := r.text(255)
	r.require(s != "", CodeEmpty)
	return s
}

// clientID reads a ClientId: 4 to 64 of the characters of ICS-24.
func (r *reader) clientID() string {
	b := r.bytes(64)
	r.require(utf8.Valid(b), CodeBadText)
	r.require(len(b) >= 4, CodeBadIdentifier)
	for _, c := range b {
		r.require(identifierByte(c), CodeBadIdentifier)
	}
	return string(b)
}

func identifierByte(c byte) bool {
	switch {
	case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9':
		return true
	}
	switch c {
	case '.', '_', '+', '-', '#', '[', ']', '<', '>':
		return true
	}
	return false
}
