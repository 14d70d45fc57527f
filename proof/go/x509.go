package verify

import (
	"slices"
	"unicode"
	"unicode/utf8"
)

// Bounds of X.509 certificates.
const (
	maxCertificate = 16384
	maxExtensions  = 64
)

// Object identifiers of extensions and purposes.
const (
	oidSubjectKey          = "2.5.29.14"
	oidKeyUsage            = "2.5.29.15"
	oidAlternativeName     = "2.5.29.17"
	oidBasicConstraints    = "2.5.29.19"
	oidCRLNumber           = "2.5.29.20"
	oidReason              = "2.5.29.21"
	oidCertificatePolicies = "2.5.29.32"
	oidAuthorityKey        = "2.5.29.35"
	oidExtendedKeyUsage    = "2.5.29.37"
	oidAnyPurpose          = "2.5.29.37.0"
	oidTimeStamping        = "1.3.6.1.5.5.7.3.8"
	oidOCSPSigning         = "1.3.6.1.5.5.7.3.9"
	oidCommonName          = "2.5.4.3"
)

// Bits of the key usage.
const (
	useSignature   = 0x80
	useRepudiation = 0x40
	useCertificate = 0x04
	useCRL         = 0x02
)

// purposes is an extended key usage.
type purposes struct {
	critical, stamping, answering, any bool
	count                              int
}

// x509Certificate is an X.509 certificate, read and not yet believed.
type x509Certificate struct {
	raw, tbs, serial, issuer, subject, spki []byte
	notBefore, notAfter                     uint64
	algorithm                               algorithm
	signature                               []byte
	authority                               bool
	// below bounds the path under an authority; nil: nothing does.
	below *uint32
	// keyUsage is its first byte; nil where the extension is not there.
	keyUsage                 *byte
	purposes                 *purposes
	subjectKey, authorityKey []byte
	// hasSubjectKey and hasAuthorityKey tell an empty identifier from none.
	hasSubjectKey, hasAuthorityKey bool
	alternativeNames               bool
}

// certificate reads an X.509 certificate (section 13, "X.509").
func (d *der) certificate(data []byte) *x509Certificate {
	d.require(len(data) <= maxCertificate, CodeTooLong)
	c := &x509Certificate{raw: data}
	outer := d.onlySequence(data)
	tbs := outer.expect(tagSequence)
	c.tbs = tbs.raw
	c.algorithm = outer.algorithm()
	c.signature = outer.bits()
	outer.end()

	in := d.inside(tbs.body)
	version := uint32(0)
	if v, there := in.optional(inContext(0)); there {
		version = d.inside(v.body).small()
	}
	c.serial = in.expect(tagInteger).body
	again := in.algorithm()
	d.require(string(again.raw) == string(c.algorithm.raw), CodeBadX509)
	c.issuer = in.expect(tagSequence).raw
	validity := in.sequence()
	c.notBefore, c.notAfter = validity.time(), validity.time()
	validity.end()
	c.subject = in.expect(tagSequence).raw
	c.spki = in.expect(tagSequence).raw
	in.optional(plainContext(1))
	in.optional(plainContext(2))
	if v, there := in.optional(inContext(3)); there {
		d.require(version == 2, CodeBadX509)
		c.extensions(d.onlySequence(v.body))
	}
	in.end()
	return c
}

func (c *x509Certificate) extensions(list *der) {
	seen := make(map[oid]bool)
	for list.more() {
		one := list.sequence()
		id, critical := one.oid(), one.flag()
		body := one.expect(tagOctetString).body
		one.end()
		list.require(!seen[id], CodeBadX509)
		seen[id] = true
		list.require(len(seen) <= maxExtensions, CodeTooMany)
		if !list.ok() {
			return
		}
		switch id.String() {
		case oidBasicConstraints:
			c.basicConstraints(list.onlySequence(body))
		case oidKeyUsage:
			c.readKeyUsage(list, body)
		case oidExtendedKeyUsage:
			c.readPurposes(list.onlySequence(body), critical)
		case oidSubjectKey:
			in := list.inside(body)
			c.subjectKey, c.hasSubjectKey = in.expect(tagOctetString).body, true
			in.end()
		case oidAuthorityKey:
			v, there := list.onlySequence(body).optional(plainContext(0))
			c.authorityKey, c.hasAuthorityKey = v.body, there
		case oidAlternativeName:
			c.alternativeNames = true
		case oidCertificatePolicies:
		default:
			list.require(!critical, CodeCriticalExtension)
		}
	}
}

func (c *x509Certificate) basicConstraints(in *der) {
	v, there := in.optional(tagBoolean)
	c.authority = there && len(v.body) == 1 && v.body[0] == 0xff
	if in.more() {
		below := in.small()
		if c.authority {
			c.below = &below
		}
	}
	in.end()
}

func (c *x509Certificate) readKeyUsage(d *der, body []byte) {
	in := d.inside(body)
	bits := in.expect(tagBitString).body
	in.end()
	d.require(len(bits) >= 2 && bits[0] <= 7, CodeBadX509)
	if d.ok() {
		c.keyUsage = &bits[1]
	}
}

func (c *x509Certificate) readPurposes(in *der, critical bool) {
	c.purposes = &purposes{critical: critical}
	for in.more() {
		name := in.oid().String()
		c.purposes.stamping = c.purposes.stamping || name == oidTimeStamping
		c.purposes.answering = c.purposes.answering || name == oidOCSPSigning
		c.purposes.any = c.purposes.any || name == oidAnyPurpose
		c.purposes.count++
		in.require(c.purposes.count <= maxExtensions, CodeTooMany)
	}
}

// may says that the key usage, if there is one, allows one of these uses.
func (c *x509Certificate) may(uses byte) bool { return c.keyUsage == nil || *c.keyUsage&uses != 0 }

// passesForStamping says that the extended key usage, if there is one, has
// time-stamping or any purpose.
func (c *x509Certificate) passesForStamping() bool {
	return c.purposes == nil || c.purposes.stamping || c.purposes.any
}

// validAt: the last second is within.
func (c *x509Certificate) validAt(at uint64) bool {
	return at >= c.notBefore && !c.endedBefore(at)
}

// endedBefore says that the validity had ended before an instant.
func (c *x509Certificate) endedBefore(at uint64) bool { return at/1000 > c.notAfter/1000 }

// mayAnswer says that the extended key usage has answers about certificates.
func (c *x509Certificate) mayAnswer() bool { return c.purposes != nil && c.purposes.answering }

// isStamper says that the certificate is for time-stamping alone.
func (c *x509Certificate) isStamper() bool {
	p := c.purposes
	return p != nil && p.critical && p.stamping && p.count == 1 && !c.authority &&
		c.may(useSignature|useRepudiation)
}

// subjectText is the subject's common name, or its last attribute, for people.
func (c *x509Certificate) subjectText() string {
	best := ""
	sets := newDER(nil).onlySequence(c.subject)
	for {
		set := sets.expect(tagSet)
		if !sets.ok() {
			return best
		}
		members := newDER(set.body)
		for {
			one := members.sequence()
			if !members.ok() {
				break
			}
			// What is no attribute is passed over.
			one = newDER(one.rest)
			name, v := one.oid(), value{}
			if one.ok() {
				v = one.any()
			}
			if !one.ok() || !utf8.Valid(v.body) {
				continue
			}
			best = clean(string(v.body))
			if name.String() == oidCommonName {
				return best
			}
		}
	}
}

// clean leaves out control characters and keeps at most 128.
func clean(text string) string {
	letters := slices.DeleteFunc([]rune(text), unicode.IsControl)
	return string(letters[:min(len(letters), 128)])
}
