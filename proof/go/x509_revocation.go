package verify

import (
	"bytes"
	"math"
)

// maxRevocationList is the longest revocation list, in bytes.
const maxRevocationList = 1 << 20

// revoked is an entry of a revocation list.
type revoked struct {
	serial []byte
	date   uint64
	// always: the reason is a compromised key, so it counts from the beginning.
	always bool
}

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
		for list := d.onlySequence(v.body); list.more(); {
			one := list.sequence()
			id, critical := one.oid().String(), one.flag()
			d.require(!critical || id == oidCRLNumber || id == oidAuthorityKey, CodeCriticalExtension)
		}
	}
	in.end()
	return l
}

func (d *der) revoked() (r revoked) {
	r.serial = d.expect(tagInteger).body
	r.date = d.time()
	if v, there := d.optional(tagSequence); there {
		for list := d.inside(v.body); list.more(); {
			one := list.sequence()
			id, critical := one.oid().String(), one.flag()
			body := one.expect(tagOctetString).body
			if id == oidReason {
				reason := d.inside(body).expect(tagEnumerated).body
				r.always = len(reason) == 1 && (reason[0] == 1 || reason[0] == 2 || reason[0] == 10)
			} else {
				d.require(!critical, CodeCriticalExtension)
			}
		}
	}
	d.end()
	return r
}

// revocation is what is known of a chain: for how many certificates no list was
// carried or, where none is missing, when the oldest list was made.
type revocation struct {
	unknown int
	carried bool
	asOf    uint64
}

// checkRevocation judges the lists at a time; each must be of use.
func checkRevocation(path []*x509Certificate, lists []*revocationList, at uint64) (revocation, []algorithms, Code) {
	found := revocation{asOf: math.MaxUint64}
	var used []algorithms
	useful := make([]bool, len(lists))
	for i := 0; i+1 < len(path); i++ {
		subject, issuer := path[i], path[i+1]
		answered := false
		for j, list := range lists {
			if !bytes.Equal(list.issuer, subject.issuer) {
				continue
			}
			if !issuer.may(useCRL) {
				return found, nil, CodeNotAnIssuer
			}
			key, code := parsePublicKey(issuer.spki)
			if code != 0 {
				return found, nil, code
			}
			by, code := verifySignature(key, list.algorithm, "", list.tbs, list.signature)
			if code != 0 {
				return found, nil, code
			}
			used = append(used, by)
			if list.made < at && (list.next == nil || *list.next < at) {
				return found, nil, CodeBadRevocation
			}
			for _, entry := range list.entries {
				if !bytes.Equal(entry.serial, subject.serial) {
					continue
				}
				if entry.always || entry.date <= at {
					return found, nil, CodeCertificateRevoked
				}
				// The first entry of a certificate counts.
				break
			}
			answered, useful[j] = true, true
			found.asOf = min(found.asOf, list.made)
		}
		if !answered {
			found.unknown++
		}
	}
	for _, one := range useful {
		if !one {
			return found, nil, CodeBadRevocation
		}
	}
	found.carried = found.unknown == 0 && len(path) >= 2
	return found, used, 0
}
