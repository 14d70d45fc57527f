package verify

import "bytes"

// Tags of DER values.
const (
	tagBoolean         = 0x01
	tagInteger         = 0x02
	tagBitString       = 0x03
	tagOctetString     = 0x04
	tagNull            = 0x05
	tagOID             = 0x06
	tagEnumerated      = 0x0a
	tagUTCTime         = 0x17
	tagGeneralizedTime = 0x18
	tagSequence        = 0x30
	tagSet             = 0x31
	constructed        = 0x20
)

// inContext is the tag of a constructed, context-specific value.
func inContext(number byte) byte { return 0xa0 | number }

// plainContext is the tag of a primitive, context-specific value.
func plainContext(number byte) byte { return 0x80 | number }

// value is one DER value: its tag, its content, and all its bytes. Signatures
// are over the bytes as they were read.
type value struct {
	tag  byte
	body []byte
	raw  []byte
}

// der is a cursor over DER values (section 13, "DER"). The first rule that
// breaks is kept, also for every cursor over the inside of a value; from then
// on every read gives nothing.
type der struct {
	rest []byte
	code *Code
}

func newDER(data []byte) *der { return &der{data, new(Code)} }

// inside is a cursor over bytes that fails together with d.
func (d *der) inside(data []byte) *der { return &der{data, d.code} }

func (d *der) ok() bool { return *d.code == 0 }

func (d *der) refuse(code Code) {
	if *d.code == 0 {
		*d.code = code
	}
}

func (d *der) require(holds bool, code Code) {
	if !holds {
		d.refuse(code)
	}
}

// more says that another value can be read.
func (d *der) more() bool { return d.ok() && len(d.rest) > 0 }

// end refuses bytes that are left over.
func (d *der) end() { d.require(len(d.rest) == 0, CodeTrailingBytes) }

// header reads tag, length of the header and length of the content;
// endless stands for one without end.
func header(data []byte) (tag byte, size, length int, endless bool, code Code) {
	if len(data) < 2 {
		return 0, 0, 0, false, CodeTruncated
	}
	tag = data[0]
	if tag&0x1f == 0x1f {
		return 0, 0, 0, false, CodeUnknownTag
	}
	first := data[1]
	switch {
	case first < 0x80:
		return tag, 2, int(first), false, 0
	case first == 0x80:
		return tag, 2, 0, true, 0
	case first > 0x84:
		return 0, 0, 0, false, CodeTooLong
	}
	count := int(first & 0x7f)
	if len(data) < 2+count {
		return 0, 0, 0, false, CodeTruncated
	}
	for _, b := range data[2 : 2+count] {
		length = length<<8 | int(b)
	}
	return tag, 2 + count, length, false, 0
}

// shortest is the length of the shortest header of a content.
func shortest(length int) int {
	switch {
	case length < 0x80:
		return 2
	case length < 0x100:
		return 3
	case length < 0x10000:
		return 4
	case length < 0x1000000:
		return 5
	}
	return 6
}

// any reads the next value, whatever it is.
func (d *der) any() value {
	if !d.ok() {
		return value{}
	}
	tag, size, length, endless, code := header(d.rest)
	switch {
	case code != 0:
		d.refuse(code)
	case endless, size != 2 && shortest(length) != size:
		d.refuse(CodeNotCanonical)
	case length > len(d.rest)-size:
		d.refuse(CodeTruncated)
	}
	if !d.ok() {
		return value{}
	}
	raw := d.rest[: size+length : size+length]
	d.rest = d.rest[size+length:]
	return value{tag, raw[size:], raw}
}

// expect reads the next value, which has this tag.
func (d *der) expect(tag byte) value {
	v := d.any()
	d.require(v.tag == tag, CodeUnknownTag)
	if !d.ok() {
		return value{}
	}
	return v
}

// next says that the next value has this tag.
func (d *der) next(tag byte) bool { return d.more() && d.rest[0] == tag }

// optional reads the next value if it has this tag.
func (d *der) optional(tag byte) (value, bool) {
	if !d.next(tag) {
		return value{}, false
	}
	v := d.any()
	return v, d.ok()
}

func (d *der) sequence() *der { return d.inside(d.expect(tagSequence).body) }

// onlySequence reads all of data as one SEQUENCE.
func (d *der) onlySequence(data []byte) *der {
	outer := d.inside(data)
	inner := outer.sequence()
	outer.end()
	return inner
}

// unsigned gives the digits of an INTEGER that is not negative: without the
// zero in front that its sign needs; zero is one zero byte.
func (d *der) unsigned() []byte { return d.digits(d.expect(tagInteger).body) }

func (d *der) digits(body []byte) []byte {
	switch {
	case !d.ok():
		return nil
	case len(body) == 0:
		d.refuse(CodeNotCanonical)
	case body[0] >= 0x80:
		d.refuse(CodeOutOfRange)
	case body[0] > 0 || len(body) == 1:
		return body
	case body[1] >= 0x80:
		return body[1:]
	default:
		d.refuse(CodeNotCanonical)
	}
	return nil
}

// small reads an INTEGER below 2^32.
func (d *der) small() uint32 { return d.smallOf(d.unsigned()) }

func (d *der) smallOf(digits []byte) (n uint32) {
	d.require(len(digits) <= 4, CodeOutOfRange)
	if !d.ok() {
		return 0
	}
	for _, b := range digits {
		n = n<<8 | uint32(b)
	}
	return n
}

// bits reads a BIT STRING of whole bytes.
func (d *der) bits() []byte {
	body := d.expect(tagBitString).body
	d.require(len(body) > 0 && body[0] == 0, CodeNotCanonical)
	if !d.ok() {
		return nil
	}
	return body[1:]
}

// flag reads a BOOLEAN that is absent when it is false.
func (d *der) flag() bool {
	v, there := d.optional(tagBoolean)
	if there {
		d.require(len(v.body) == 1 && v.body[0] == 0xff, CodeNotCanonical)
	}
	return there && d.ok()
}

// maxDepth is the deepest nesting that is followed.
const maxDepth = 48

// canonicalDER checks that data is one value of DER throughout: what is BER
// only is refused as such when all of it was followed.
func canonicalDER(data []byte) Code {
	rest, _, same, code := follow(data, maxDepth)
	switch {
	case code != 0:
		return code
	case len(rest) != 0:
		return CodeTrailingBytes
	case !same:
		return CodeNotCanonical
	}
	return 0
}

// follow passes over one value of BER. It gives what follows, the value's tag
// in DER, and whether the value has the form of DER.
func follow(data []byte, depth int) (rest []byte, tag byte, same bool, code Code) {
	if depth == 0 {
		return nil, 0, false, CodeTooMany
	}
	tag, size, length, endless, code := header(data)
	if code != 0 {
		return nil, 0, false, code
	}
	content := data[size:]
	inside := tag&constructed != 0
	var after []byte
	switch {
	case endless && !inside:
		return nil, 0, false, CodeNotCanonical
	case endless:
	case length > len(content):
		return nil, 0, false, CodeTruncated
	default:
		content, after = content[:length], content[length:]
	}
	same = !endless && (size == 2 || shortest(length) == size)
	if !inside {
		return after, tag, same, 0
	}
	pieces := true
	for {
		if !endless && len(content) == 0 {
			break
		}
		if endless && bytes.HasPrefix(content, []byte{0, 0}) {
			after = content[2:]
			break
		}
		next, child, childSame, code := follow(content, depth-1)
		if code != 0 {
			return nil, 0, false, code
		}
		content = next
		same = same && childSame
		pieces = pieces && child == tagOctetString
	}
	// A string in pieces becomes a whole one.
	if tag == tagOctetString|constructed {
		if !pieces {
			return nil, 0, false, CodeUnknownTag
		}
		return after, tagOctetString, false, 0
	}
	return after, tag, same, 0
}
