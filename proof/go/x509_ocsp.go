package verify

import "bytes"

// Bounds of the answers of OCSP responders.
const (
	maxAnswer             = 65536
	maxAnswerSingles      = 64
	maxAnswerCertificates = 8
)

// Object identifiers of answers.
const (
	oidBasicAnswer = "1.3.6.1.5.5.7.48.1.1"
	oidAnswerNonce = "1.3.6.1.5.5.7.48.1.2"
)

// answerSingle is what an answer says of one certificate.
type answerSingle struct {
	hash                          digestAlgorithm
	issuerName, issuerKey, serial []byte
	said                          said
}

// responderAnswer is an OCSPResponse, read and not yet believed.
type responderAnswer struct {
	tbs []byte
	// responder is the name of the responder; nil where a key is named.
	responder    []byte
	produced     uint64
	singles      []answerSingle
	algorithm    algorithm
	signature    []byte
	certificates []*x509Certificate
}

// responderAnswer reads an OCSPResponse (section 13, "Revocation").
func (d *der) responderAnswer(data []byte) *responderAnswer {
	d.require(len(data) <= maxAnswer, CodeTooLong)
	a := new(responderAnswer)
	outer := d.onlySequence(data)
	state := outer.expect(tagEnumerated).body
	d.require(len(state) == 1 && state[0] == 0, CodeResponderDeclined)
	explicit := outer.expect(inContext(0))
	outer.end()
	in := d.onlySequence(explicit.body)
	kind := in.oid().String()
	d.require(kind == oidBasicAnswer, CodeBadRevocation)
	basic := in.expect(tagOctetString).body
	in.end()

	outer = d.onlySequence(basic)
	tbs := outer.expect(tagSequence)
	a.tbs = tbs.raw
	a.algorithm = outer.algorithm()
	a.signature = outer.bits()
	if v, there := outer.optional(inContext(0)); there {
		for list := d.onlySequence(v.body); list.more(); {
			list.require(len(a.certificates) < maxAnswerCertificates, CodeTooMany)
			raw := list.expect(tagSequence).raw
			if !list.ok() {
				return a
			}
			a.certificates = append(a.certificates, d.certificate(raw))
		}
	}
	outer.end()

	in = d.inside(tbs.body)
	if v, there := in.optional(inContext(0)); there {
		version := d.inside(v.body).small()
		d.require(version == 0, CodeBadRevocation)
	}
	if in.next(inContext(1)) {
		name := d.inside(in.expect(inContext(1)).body)
		a.responder = name.expect(tagSequence).raw
		name.end()
	} else {
		key := d.inside(in.expect(inContext(2)).body)
		key.expect(tagOctetString)
		key.end()
	}
	a.produced = in.time()
	for list := in.sequence(); list.more(); {
		list.require(len(a.singles) < maxAnswerSingles, CodeTooMany)
		a.singles = append(a.singles, list.sequence().answerSingle())
	}
	if v, there := in.optional(inContext(1)); there {
		d.onlySequence(v.body).understand(oidAnswerNonce)
	}
	in.end()
	return a
}

func (d *der) answerSingle() (s answerSingle) {
	id := d.sequence()
	s.hash = id.digestAlgorithm()
	s.issuerName = id.expect(tagOctetString).body
	s.issuerKey = id.expect(tagOctetString).body
	s.serial = id.expect(tagInteger).body
	id.end()
	v := d.any()
	switch v.tag {
	case plainContext(0):
	case plainContext(2):
		s.said.status = statusUnknown
	case inContext(1):
		in := d.inside(v.body)
		s.said.status, s.said.date, s.said.reason = statusRevoked, in.time(), noReason
		if v, there := in.optional(inContext(0)); there {
			s.said.reason = oneByte(d.inside(v.body).expect(tagEnumerated).body)
		}
		in.end()
	default:
		d.refuse(CodeUnknownTag)
	}
	s.said.made = d.time()
	if v, there := d.optional(inContext(0)); there {
		next := d.inside(v.body).time()
		s.said.next = &next
	}
	if v, there := d.optional(inContext(1)); there {
		d.onlySequence(v.body).understand()
	}
	d.end()
	return s
}

// keyBits are the bits of the key in a SubjectPublicKeyInfo.
func keyBits(spki []byte) ([]byte, bool) {
	in := newDER(nil).onlySequence(spki)
	in.algorithm()
	bits := in.bits()
	in.end()
	return bits, in.ok()
}

// of is what the answer says of a certificate, the first time it does, if its
// issuer stands for it.
func (a *responderAnswer) of(subject, issuer *x509Certificate) (*said, []algorithms, Code) {
	bits, readable := keyBits(issuer.spki)
	for i := range a.singles {
		s := &a.singles[i]
		if readable && bytes.Equal(s.serial, subject.serial) && bytes.Equal(s.hash.sum(subject.issuer), s.issuerName) &&
			bytes.Equal(s.hash.sum(bits), s.issuerKey) {
			by, code := a.signedFor(issuer)
			return &s.said, by, code
		}
	}
	return nil, nil, 0
}

// signedFor checks that the issuer signed the answer, or a delegate of it.
func (a *responderAnswer) signedFor(issuer *x509Certificate) ([]algorithms, Code) {
	why := CodeBadRevocation
	first := true
	for _, one := range append([]*x509Certificate{issuer}, a.certificates...) {
		if a.responder != nil && !bytes.Equal(one.subject, a.responder) {
			continue
		}
		by, code := signedBy(one, a.algorithm, a.tbs, a.signature)
		switch {
		case code != 0:
			if first {
				why, first = code, false
			}
			continue
		case bytes.Equal(one.raw, issuer.raw):
			return []algorithms{by}, 0
		}
		issued, code := a.checkDelegate(one, issuer)
		return []algorithms{by, issued}, code
	}
	return nil, why
}

func (a *responderAnswer) checkDelegate(delegate, issuer *x509Certificate) (algorithms, Code) {
	switch {
	case !bytes.Equal(delegate.issuer, issuer.subject), !delegate.mayAnswer(), !delegate.may(useSignature | useRepudiation):
		return algorithms{}, CodeNotAResponder
	case !delegate.validAt(a.produced):
		return algorithms{}, CodeNotValidThen
	}
	return signedBy(issuer, delegate.algorithm, delegate.tbs, delegate.signature)
}

// signedBy checks a signature under the key in a certificate.
func signedBy(by *x509Certificate, how algorithm, message, signature []byte) (algorithms, Code) {
	key, code := parsePublicKey(by.spki)
	if code != 0 {
		return algorithms{}, code
	}
	return verifySignature(key, how, "", message, signature)
}
