package verify

import (
	"bytes"
	"cmp"
	"slices"
)

// Bounds of time-stamps.
const (
	maxToken        = 65536
	maxEmbedded     = 24
	maxAttributes   = 32
	maxSerialLength = 64
)

// Object identifiers of tokens.
const (
	oidSignedData           = "1.2.840.113549.1.7.2"
	oidTSTInfo              = "1.2.840.113549.1.9.16.1.4"
	oidContentType          = "1.2.840.113549.1.9.3"
	oidMessageDigest        = "1.2.840.113549.1.9.4"
	oidSigningCertificate   = "1.2.840.113549.1.9.16.2.12"
	oidSigningCertificateV2 = "1.2.840.113549.1.9.16.2.47"
	oidQCStatements         = "1.3.6.1.5.5.7.1.3"
	oidQualified            = "0.4.0.19422.1.1"
)

// Stamp is a time-stamp with what it takes to judge it.
type Stamp struct {
	Token        []byte
	Certificates [][]byte
	Revocation   [][]byte
}

// token is a TimeStampToken, read and not yet verified.
type token struct {
	content      []byte
	certificates []*x509Certificate
	lists        []*revocationList
	digest       digestAlgorithm
	// issuer and serial, or subjectKey, name the signer.
	issuer, serial, subjectKey []byte
	byKey                      bool
	attributes                 []byte
	statedDigest               []byte
	bound                      boundCertificate
	algorithm                  algorithm
	signature                  []byte
	info                       stampInfo
}

// boundCertificate is the signer's certificate as the signed attributes bind it.
type boundCertificate struct {
	hash           digestAlgorithm
	digest         []byte
	named          bool
	issuer, serial []byte
}

// stampInfo is what a TSTInfo says.
type stampInfo struct {
	policy    string
	hash      digestAlgorithm
	imprint   []byte
	time      uint64
	accuracy  *uint64
	name      []byte
	hasName   bool
	qualified bool
}

// token reads a ContentInfo (section 13, "A time-stamp").
func (d *der) token(data []byte) *token {
	t := new(token)
	outer := d.onlySequence(data)
	id := outer.oid().String()
	d.require(id == oidSignedData, CodeBadToken)
	explicit := outer.expect(inContext(0))
	outer.end()
	in := d.onlySequence(explicit.body)
	version := in.small()
	d.require(version == 3, CodeBadToken)
	digests := in.expect(tagSet)
	t.readContent(in.sequence())
	if v, there := in.optional(inContext(0)); there {
		t.readCertificates(d.inside(v.body))
	}
	if v, there := in.optional(inContext(1)); there {
		t.readLists(d.inside(v.body))
	}
	signers := d.inside(in.expect(tagSet).body)
	in.end()
	signer := signers.sequence()
	d.require(len(signers.rest) == 0, CodeBadToken)
	t.readSigner(signer)
	listed := d.inside(digests.body)
	hash := listed.digestAlgorithm()
	d.require(hash == t.digest && len(listed.rest) == 0, CodeBadToken)
	return t
}

func (t *token) readContent(in *der) {
	id := in.oid().String()
	in.require(id == oidTSTInfo, CodeBadToken)
	explicit := in.inside(in.expect(inContext(0)).body)
	in.end()
	t.content = explicit.expect(tagOctetString).body
	explicit.end()
}

func (t *token) readCertificates(set *der) {
	for set.more() {
		set.require(len(t.certificates) < maxEmbedded, CodeTooMany)
		raw := set.expect(tagSequence).raw
		if !set.ok() {
			return
		}
		one := set.certificate(raw)
		for _, other := range t.certificates {
			set.require(!bytes.Equal(other.raw, one.raw), CodeBadToken)
		}
		t.certificates = append(t.certificates, one)
	}
}

func (t *token) readLists(set *der) {
	for set.more() {
		set.require(len(t.lists) < maxEmbedded, CodeTooMany)
		raw := set.expect(tagSequence).raw
		if !set.ok() {
			return
		}
		t.lists = append(t.lists, set.revocationList(raw))
	}
}

func (t *token) readSigner(in *der) {
	version := in.small()
	if in.next(tagSequence) {
		name := in.sequence()
		t.issuer = name.expect(tagSequence).raw
		t.serial = name.expect(tagInteger).body
		name.end()
	} else {
		t.subjectKey, t.byKey = in.expect(plainContext(0)).body, true
	}
	in.require(version == 1 && !t.byKey || version == 3 && t.byKey, CodeBadToken)
	t.digest = in.digestAlgorithm()
	attributes, there := in.optional(inContext(0))
	in.require(there, CodeBadToken)
	t.algorithm = in.algorithm()
	t.signature = in.expect(tagOctetString).body
	in.require(len(in.rest) == 0, CodeBadToken)
	t.attributes = attributes.raw
	t.readAttributes(in.inside(attributes.body))
	t.readInfo(in.onlySequence(t.content))
}

// readAttributes reads the signed attributes, none twice.
func (t *token) readAttributes(in *der) {
	seen := make(map[oid]bool)
	contentType, digest, bound, firstVersion := false, false, false, false
	for in.more() {
		one := in.sequence()
		id := one.oid()
		values := in.inside(one.expect(tagSet).body)
		one.end()
		in.require(!seen[id], CodeBadToken)
		in.require(len(seen) < maxAttributes, CodeTooMany)
		seen[id] = true
		if !in.ok() {
			return
		}
		switch id.String() {
		case oidContentType:
			name := values.oid().String()
			in.require(name == oidTSTInfo, CodeBadToken)
			contentType = true
		case oidMessageDigest:
			t.statedDigest, digest = values.expect(tagOctetString).body, true
		case oidSigningCertificateV2:
			t.readBound(values.sequence())
			bound = true
		case oidSigningCertificate:
			firstVersion = true
			continue
		default:
			continue
		}
		values.end()
	}
	in.require(contentType, CodeBadToken)
	in.require(digest, CodeBadToken)
	// RFC 2634 binds by SHA-1.
	in.require(bound || !firstVersion, CodeRefusedAlgorithm)
	in.require(bound, CodeBadToken)
}

// readBound reads a SigningCertificateV2: the first of its list is the signer's.
func (t *token) readBound(in *der) {
	b := &t.bound
	first := in.sequence().sequence()
	b.hash = hashSHA256
	if first.next(tagSequence) {
		b.hash = first.digestAlgorithm()
	}
	b.digest = first.expect(tagOctetString).body
	if v, there := first.optional(tagSequence); there {
		serial := in.inside(v.body)
		names := serial.sequence()
		b.issuer = names.expect(inContext(4)).body
		names.end()
		b.serial = serial.expect(tagInteger).body
		serial.end()
		b.named = true
	}
	first.end()
}

func (t *token) readInfo(in *der) {
	i := &t.info
	version := in.small()
	in.require(version == 1, CodeBadToken)
	i.policy = in.oid().String()
	imprint := in.sequence()
	i.hash = imprint.digestAlgorithm()
	i.imprint = imprint.expect(tagOctetString).body
	imprint.end()
	in.require(len(i.imprint) == i.hash.length(), CodeOutOfRange)
	in.require(len(in.expect(tagInteger).body) <= maxSerialLength, CodeTooLong)
	twoDigits := in.next(tagUTCTime)
	i.time = in.time()
	in.require(!twoDigits, CodeBadToken)
	if v, there := in.optional(tagSequence); there {
		i.accuracy = in.inside(v.body).accuracy()
	}
	in.flag()
	if in.next(tagInteger) {
		in.require(len(in.unsigned()) <= maxSerialLength, CodeTooLong)
	}
	if v, there := in.optional(inContext(0)); there {
		name, named := in.inside(v.body).optional(inContext(4))
		i.name, i.hasName = name.body, named
	}
	if v, there := in.optional(inContext(1)); there {
		for list := in.inside(v.body); list.more(); {
			one := list.sequence()
			id, critical := one.oid().String(), one.flag()
			body := one.expect(tagOctetString).body
			one.end()
			if !in.ok() {
				return
			}
			if id != oidQCStatements {
				in.require(!critical, CodeCriticalExtension)
				continue
			}
			for statements := in.onlySequence(body); statements.more(); {
				if statements.sequence().oid().String() == oidQualified && in.ok() {
					i.qualified = true
				}
			}
		}
	}
	in.end()
}

// accuracy reads seconds, milliseconds and microseconds, each of which may be
// absent, in microseconds.
func (d *der) accuracy() *uint64 {
	total := uint64(0)
	if d.next(tagInteger) {
		total = uint64(d.small()) * 1_000_000
	}
	for number, unit := range []uint64{1000, 1} {
		if v, there := d.optional(plainContext(byte(number))); there {
			part := uint64(d.smallOf(d.digits(v.body)))
			d.require(part >= 1 && part < 1000, CodeOutOfRange)
			total += part * unit
		}
	}
	d.end()
	return &total
}

// names says that the token names this certificate as its signer's.
func (t *token) names(c *x509Certificate) bool {
	if t.byKey {
		return c.hasSubjectKey && bytes.Equal(c.subjectKey, t.subjectKey)
	}
	return bytes.Equal(c.issuer, t.issuer) && bytes.Equal(c.serial, t.serial)
}

// binds says that the signed attributes bind this certificate.
func (t *token) binds(c *x509Certificate) bool {
	b := &t.bound
	if b.named && (!bytes.Equal(c.issuer, b.issuer) || !bytes.Equal(c.serial, b.serial)) {
		return false
	}
	return bytes.Equal(b.hash.sum(c.raw), b.digest)
}

// stamped is a time-stamp that holds.
type stamped struct {
	*stampInfo
	signer     string
	anchor     int
	algorithms []algorithms
	revocation revocation
}

// names lists the algorithms that the time-stamp rests on.
func (s *stamped) names() (list []string) {
	for _, one := range s.algorithms {
		list = append(list, one.signature, one.hash)
	}
	return append(list, string(s.hash))
}

// over says that the imprint is of this message.
func (s *stamped) over(message []byte) bool { return bytes.Equal(s.hash.sum(message), s.imprint) }

// verifyStamp judges a time-stamp at its own time, in the order of section 13.
func verifyStamp(s *Stamp, anchors [][]byte) (*stamped, Code) {
	d := newDER(nil)
	t := d.token(s.Token)
	read := func(list [][]byte) (found []*x509Certificate) {
		for _, one := range list {
			if d.ok() {
				found = append(found, d.certificate(one))
			}
		}
		return found
	}
	believed := read(anchors)
	offered := read(s.Certificates)
	if !d.ok() {
		return nil, *d.code
	}
	signer, code := t.findSigner(slices.Concat(t.certificates, offered, believed))
	if code == 0 && !signer.isStamper() {
		code = CodeNotForStamping
	}
	if code == 0 && t.info.hasName && !bytes.Equal(t.info.name, signer.subject) && !signer.alternativeNames {
		code = CodeWrongCertificate
	}
	if code != 0 {
		return nil, code
	}
	by, code := t.checkSignature(signer)
	if code != 0 {
		return nil, code
	}
	path, anchor, code := chain(signer, believed, slices.Concat(offered, t.certificates), t.info.time)
	if code != 0 {
		return nil, code
	}
	var data []revocationData
	for _, one := range s.Revocation {
		if d.ok() {
			data = append(data, d.revocationData(one))
		}
	}
	if !d.ok() {
		return nil, *d.code
	}
	for _, one := range t.lists {
		data = append(data, one)
	}
	state, more, code := checkRevocation(path.path, data, t.info.time)
	if code != 0 {
		return nil, code
	}
	used := slices.Concat([]algorithms{by}, path.used, more)
	slices.SortFunc(used, func(a, b algorithms) int {
		return cmp.Or(cmp.Compare(a.signature, b.signature), cmp.Compare(a.hash, b.hash))
	})
	return &stamped{
		stampInfo: &t.info, signer: signer.subjectText(), anchor: anchor,
		algorithms: slices.Compact(used), revocation: state,
	}, 0
}

// findSigner finds the one certificate that is named and bound; no other in
// the token may pass for it.
func (t *token) findSigner(everywhere []*x509Certificate) (*x509Certificate, Code) {
	var signer *x509Certificate
	for _, one := range everywhere {
		if t.names(one) && t.binds(one) {
			signer = one
			break
		}
	}
	if signer == nil {
		return nil, CodeWrongCertificate
	}
	for _, one := range t.certificates {
		if !bytes.Equal(one.raw, signer.raw) &&
			(!one.authority && one.passesForStamping() || bytes.Equal(one.subject, signer.subject)) {
			return nil, CodeInjectedCertificate
		}
	}
	return signer, 0
}

// checkSignature checks the digest of the content, and the signature over the
// signed attributes as the SET that they are.
func (t *token) checkSignature(signer *x509Certificate) (algorithms, Code) {
	key, code := parsePublicKey(signer.spki)
	if code != 0 {
		return algorithms{}, code
	}
	if !bytes.Equal(t.digest.sum(t.content), t.statedDigest) {
		return algorithms{}, CodeBadSignature
	}
	signed := append([]byte{tagSet}, t.attributes[1:]...)
	return verifySignature(key, t.algorithm, t.digest, signed, t.signature)
}
