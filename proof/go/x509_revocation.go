package verify

import (
	"bytes"
	"slices"
)

// maxRevocationList is the longest revocation list, in bytes.
const maxRevocationList = 1 << 20

// revoked is an entry of a revocation list.
type revoked struct {
	serial []byte
	date   uint64
	reason int
}

// noReason stands where none of one byte is stated.
const noReason = -1

// revocationList is a list, read and not yet believed.
type revocationList struct {
	tbs, issuer []byte
	made        uint64
	next        *uint64
	entries     []revoked
	algorithm   algorithm
	signature   []byte
}

// revocationList reads a CertificateList (section 13, "Revocation lists").
func (d *der) revocationList(data []byte) *revocationList {
	d.require(len(data) <= maxRevocationList, CodeTooLong)
	l := new(revocationList)
	outer := d.onlySequence(data)
	tbs := outer.expect(tagSequence)
	l.tbs = tbs.raw
	l.algorithm = outer.algorithm()
	l.signature = outer.bits()
	outer.end()

	in := d.inside(tbs.body)
	if in.next(tagInteger) {
		d.require(in.small() == 1, CodeBadRevocation)
	}
	again := in.algorithm()
	d.require(string(again.raw) == string(l.algorithm.raw), CodeBadRevocation)
	l.issuer = in.expect(tagSequence).raw
	l.made = in.time()
	if in.next(tagUTCTime) || in.next(tagGeneralizedTime) {
		next := in.time()
		l.next = &next
	}
	if v, there := in.optional(tagSequence); there {
		for list := d.inside(v.body); list.more(); {
			l.entries = append(l.entries, list.sequence().revoked())
		}
	}
	if v, there := in.optional(inContext(0)); there {
		d.onlySequence(v.body).understand(oidCRLNumber, oidAuthorityKey)
	}
	in.end()
	return l
}

// understand refuses a critical extension that is none of these.
func (d *der) understand(known ...string) {
	for d.more() {
		one := d.sequence()
		id, critical := one.oid().String(), one.flag()
		d.require(!critical || slices.Contains(known, id), CodeCriticalExtension)
	}
}

// oneByte is the content of an ENUMERATED that has one byte.
func oneByte(body []byte) int {
	if len(body) != 1 {
		return noReason
	}
	return int(body[0])
}

// of is what the list says of a certificate, if it is of its issuer and that
// stands for it.
func (l *revocationList) of(subject, issuer *x509Certificate) (*said, []algorithms, Code) {
	if !bytes.Equal(l.issuer, subject.issuer) {
		return nil, nil, 0
	}
	if !issuer.may(useCRL) {
		return nil, nil, CodeNotAnIssuer
	}
	key, code := parsePublicKey(issuer.spki)
	if code != 0 {
		return nil, nil, code
	}
	by, code := verifySignature(key, l.algorithm, "", l.tbs, l.signature)
	if code != 0 {
		return nil, nil, code
	}
	s := &said{status: statusGood, made: l.made, next: l.next}
	for _, entry := range l.entries {
		// The first entry of a certificate counts.
		if bytes.Equal(entry.serial, subject.serial) {
			s.status, s.date, s.reason = statusRevoked, entry.date, entry.reason
			break
		}
	}
	return s, []algorithms{by}, 0
}

func (d *der) revoked() (r revoked) {
	r.serial = d.expect(tagInteger).body
	r.date, r.reason = d.time(), noReason
	if v, there := d.optional(tagSequence); there {
		for list := d.inside(v.body); list.more(); {
			one := list.sequence()
			id, critical := one.oid().String(), one.flag()
			body := one.expect(tagOctetString).body
			if id == oidReason {
				r.reason = oneByte(d.inside(body).expect(tagEnumerated).body)
			} else {
				d.require(!critical, CodeCriticalExtension)
			}
		}
	}
	d.end()
	return r
}
